"""The folder and the lock of a server on one machine. Everything is readable by its own user alone."""

import os
from pathlib import Path
from typing import IO, Any

from minleaf_server.config import Settings
from minleaf_server.errors import SetupError
from minleaf_server.uri import sqlite_path


def prepare(settings: Settings) -> None:
    """Make the folder for the database. Raises SetupError where it cannot be written."""
    database = sqlite_path(settings.backend_store_uri)
    if database is not None:
        _make(database.parent)
        if database.is_dir():
            raise SetupError(f"{str(database)!r} is a folder; --backend-store-uri has to name a file.")


def lock(settings: Settings) -> IO[str] | None:
    """Hold the SQLite file for this process until the returned file is closed; None for Postgres.

    The writer keeps counters and the points it has seen in memory, which is right only while it is the one writer.
    Raises SetupError where another process holds it.
    """
    database = sqlite_path(settings.backend_store_uri)
    if database is None:
        return None
    path = database.with_name(database.name + ".lock")
    try:
        # Opened for appending, so that the number in it survives where the lock is another's.
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise SetupError(f"The folder {str(path.parent)!r} cannot be written: {error.strerror}.") from None
    if not _take(file):
        file.seek(0)
        owner = file.read().strip()
        file.close()
        raise SetupError(
            f"{str(database)!r} is in use by another Minleaf server{f' (process {owner})' if owner else ''}. Stop that "
            "one first, or choose another --data folder. Several servers at once need Postgres."
        )
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"The folder {str(folder)!r} cannot be made: {error.strerror}.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SetupError(f"The folder {str(folder)!r} cannot be written by this user.")


def _take(file: IO[Any]) -> bool:
    try:
        if os.name == "nt":  # pragma: no cover
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
