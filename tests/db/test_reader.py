"""Reads whose connection is lost, on Postgres: SQLite has none to lose."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from minleaf_server.db.store import Store
from minleaf_server.errors import Unavailable
from minleaf_server.tracking import runs
from tests.conftest import fresh_database


@pytest.fixture
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with fresh_database("postgres", tmp_path, request) as made:
        yield made


@pytest.fixture
def store(uri: str) -> Iterator[Store]:
    store = Store.open(uri)
    yield store
    store.close()


def end_connections(uri: str) -> None:
    """As a restart of the database does."""
    with psycopg.connect(uri, autocommit=True) as conn:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert conn.execute(f"SELECT count(pg_terminate_backend(pid, 5000)) {others}").fetchone()


async def test_the_first_read_after_a_lost_connection_answers(store: Store, uri: str) -> None:
    run = (await runs.create(store, 0)).info.id
    assert (await runs.get(store, run)).info.id == run
    for _ in range(2):
        end_connections(uri)
        assert (await runs.get(store, run)).info.id == run
        assert (await runs.get(store, run)).info.id == run


async def test_a_read_that_loses_its_connection_again_is_told_to_come_back(store: Store, uri: str) -> None:
    def lose(conn: Connection) -> None:
        conn.exec_driver_sql("SELECT 1")
        end_connections(uri)
        conn.exec_driver_sql("SELECT 1")

    for _ in range(2):
        with pytest.raises(Unavailable, match="does not answer now"):
            await store.read(lose)
    await store.ping()


async def test_an_error_of_the_driver_itself_is_told_as_any_other(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")

    def slow(conn: Connection) -> None:
        driver = conn.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(lambda: True, 1000)  # as at the end of the time that a read may take
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        driver.execute(numbers).fetchall()

    try:
        with pytest.raises(Unavailable, match="Narrow it with a filter"):
            await store.long_read(slow)
        await store.ping()
    finally:
        store.close()
