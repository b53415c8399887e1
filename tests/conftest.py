"""Fixtures that every test may use: both databases, a store on one, and a real server."""

import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from minleaf_server.db.store import Store
from tests.support.postgres import Cluster
from tests.support.server import RunningServer

_numbers = count()

BACKENDS = ("sqlite", "postgres")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rounds 50` kills the server fifty times in each test of tests/faults that does so."""
    parser.addoption("--rounds", type=int, default=4, help="how often tests/faults kill the server in each test")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Every test of a file goes to the same worker, whatever `--dist` says."""
    from tests.support.scheduling import FileScheduling

    return FileScheduling(config, log)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A real Postgres, one for each worker of the tests."""
    # The tests kill servers of ours, never the machine: nothing need reach the disk.
    with Cluster("fsync = off", "full_page_writes = off") as running:
        yield running


@contextmanager
def fresh_database(backend: str, folder: Path, request: pytest.FixtureRequest, *, template: str = "") -> Generator[str]:
    """The URI of an empty database, or of a copy of `template`."""
    if backend == "sqlite":
        if template:
            shutil.copy(template, folder / "minleaf.db")
        yield f"sqlite:///{folder}/minleaf.db"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    uri = cluster.make(name, template or "template1")
    try:
        yield uri
    finally:
        cluster.drop(name)


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
    """The URI of a database, once SQLite and once Postgres: empty, but for a test that asks for a store or a server."""
    is_opened = not {"store", "server", "eager"}.isdisjoint(request.fixturenames)
    template = request.getfixturevalue("new_stores")[request.param] if is_opened else ""
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
    """A real server process on a new database."""
    with RunningServer(database_uri, tmp_path) as running:
        yield running


@pytest.fixture(scope="module", params=BACKENDS)
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, new_stores: dict[str, str]
) -> Iterator[RunningServer]:
    """A real server process that the tests of a module share, so each must use experiments of its own."""
    folder = tmp_path_factory.mktemp("server")
    template = new_stores[request.param]
    with (
        fresh_database(request.param, folder, request, template=template) as uri,
        RunningServer(uri, folder) as running,
    ):
        yield running
