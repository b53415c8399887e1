"""`minleaf db`: the database, without a server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from minleaf_server.cli import folders
from minleaf_server.config import Settings
from minleaf_server.db import migrate
from minleaf_server.db.dialect import dialect_of
from minleaf_server.errors import SetupError
from minleaf_server.uri import sqlite_path, without_password


def upgrade(settings: Settings) -> int:
    """Migrate where that is due and print what was done."""
    os.umask(0o077)
    folders.prepare(settings)
    held = folders.lock(settings)
    with _engine(settings) as engine:
        done = migrate.upgrade(engine)
    if held is not None:
        held.close()
    print(f"The database has been brought to schema {migrate.HEAD}." if done else _up_to_date())
    return 0


def current(settings: Settings) -> int:
    """Print the revision of the database, or `none` for an empty one."""
    _require_file(settings)
    with _engine(settings) as engine:
        print(migrate.current(engine) or "none")
    return 0


def check(settings: Settings) -> int:
    """Return 0 where the schema is this version's and 1 where it is older, and print which."""
    _require_file(settings)
    with _engine(settings) as engine:
        revision = migrate.current(engine)
    if migrate.is_due(revision):
        print(f"The database has schema {revision or 'none'}, this version needs {migrate.HEAD}: minleaf db upgrade.")
        return 1
    print(_up_to_date())
    return 0


def compact(settings: Settings) -> int:
    """Compact the points of every run that is worth it, and print how many runs that were."""
    os.umask(0o077)
    _require_file(settings)
    held = folders.lock(settings)
    # Only this command needs the store, which imports what a server imports.
    from minleaf_server.db.store import Store

    store = Store.open(settings.backend_store_uri, settings.default_artifact_root)
    try:
        count = store.compact()
    finally:
        store.close()
    if held is not None:
        held.close()
    print(f"The points of {count} run{'' if count == 1 else 's'} were compacted.")
    return 0


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    uri = settings.backend_store_uri
    try:
        _, engine = dialect_of(make_url(uri)).engines(make_url(uri))
        yield engine
        engine.dispose()
    except ArgumentError:
        raise SetupError(f"The backend store URI {without_password(uri)!r} cannot be read.") from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise SetupError(f"The database {without_password(uri)} cannot be opened: {reason}") from error


def _require_file(settings: Settings) -> None:
    path = sqlite_path(settings.backend_store_uri)
    if path is not None and not path.is_file():
        raise SetupError(f"There is no database at {str(path)!r}.")


def _up_to_date() -> str:
    return f"The database is up to date: schema {migrate.HEAD}."
