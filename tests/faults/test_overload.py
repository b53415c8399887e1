"""More requests than a server takes, a writer that waits, reads that do not end: clients are told to wait, no more."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Connection, create_engine, text

from minleaf_server.app.assembly import application
from minleaf_server.db.lane import WAITING_MAX
from minleaf_server.db.store import Store
from minleaf_server.errors import Unavailable
from tests.faults.conftest import tuned
from tests.faults.ledger import Ledger
from tests.faults.load import Load, Reading, asks_to_wait, make_runs, writers_for
from tests.faults.look import faults
from tests.support.server import RunningServer
from tests.support.services import services_over
from tests.support.wire import API, Client

SMALL_QUEUE = 20
CLIENTS = 50


@contextmanager
def stopped_writer(uri: str) -> Iterator[None]:
    """Another connection holds the lock that writing to a run needs. Reading goes on."""
    engine = create_engine(uri.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        if uri.startswith("sqlite"):
            conn.execute(text("BEGIN IMMEDIATE"))
        else:
            conn.execute(text("BEGIN"))
            conn.execute(text("LOCK TABLE run IN EXCLUSIVE MODE"))
        try:
            yield
        finally:
            conn.execute(text("ROLLBACK"))
    engine.dispose()


@pytest.fixture
def small(database_uri: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A server whose queues are short, and which waits for a lock for three seconds."""
    constants = {"db.writer.QUEUE_MAX": SMALL_QUEUE, "db.lane.WAITING_MAX": SMALL_QUEUE, "db.dialect._BUSY_SECONDS": 3}
    with tuned(database_uri, tmp_path, constants) as running:
        yield running


def test_a_stopped_writer_refuses_what_it_cannot_queue_and_reading_goes_on(small: RunningServer) -> None:
    """Whoever is refused is told when to come again, and once the writer goes on everything is as before."""
    ledger = Ledger()
    run_ids = make_runs(small.url, 3)
    writers = writers_for(run_ids, CLIENTS, ledger)
    with Load([small.url], writers, asks_to_wait) as load, Reading(small.url, run_ids[0], 2) as reading:
        load.wait_for(100)
        with stopped_writer(small.database_uri):
            load.wait_for(100, status=503)
            reading.wait_for(20)
        load.wait_for(200)
    assert set(load.answers) == {200, 503}
    assert faults(small.url, small.database_uri, ledger) == []


def test_a_lock_held_too_long_is_an_answer_and_not_a_hang(small: RunningServer) -> None:
    """The server waits for a lock for some seconds, then says so; nobody waits for the lock's owner."""
    ledger = Ledger()
    writers = writers_for(make_runs(small.url, 1), 4, ledger)
    with Load([small.url], writers, asks_to_wait) as load:
        load.wait_for(20)
        with stopped_writer(small.database_uri):
            load.wait_for(4, status=503)
        load.wait_for(50)
    assert faults(small.url, small.database_uri, ledger) == []


def test_more_readers_than_the_server_takes_are_told_to_wait(small: RunningServer) -> None:
    """Logging goes on all the while."""
    ledger = Ledger()
    run_ids = make_runs(small.url, 2)
    writers = writers_for(run_ids, 2, ledger)
    with (
        Load([small.url], writers) as load,
        Reading(small.url, run_ids[0], CLIENTS, asks_to_wait) as reading,
    ):
        reading.wait_for(200)
        load.wait_for(50)
    assert reading.answers.keys() <= {200, 503}
    assert faults(small.url, small.database_uri, ledger) == []


@pytest.fixture
def few_files(database_uri: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A server that may have few files and connections open."""
    with tuned(database_uri, tmp_path, {}, TUNED_FILES="80") as running:
        yield running


def test_more_connections_than_the_server_may_have(few_files: RunningServer) -> None:
    """Who has a connection is served; who has none gets one once others leave."""
    parts = urlsplit(few_files.url)
    ledger = Ledger()
    writers = writers_for(make_runs(few_files.url, 1), 2, ledger)
    idle: list[socket.socket] = []
    with Load([few_files.url], writers, asks_to_wait) as load:
        load.wait_for(20)
        for _ in range(150):
            with suppress(OSError):
                idle.append(socket.create_connection((parts.hostname, parts.port), timeout=0.2))
        load.wait_for(20)
        for conn in idle:
            conn.close()
        load.wait_for(20)
    client = Client(few_files.url)
    assert client.get("/experiments/get?experiment_id=0")[0] == 200
    client.close()
    assert faults(few_files.url, few_files.database_uri, ledger) == []


@contextmanager
def busy_readers(store: Store) -> Iterator[list["asyncio.Task[Any]"]]:
    """Every thread that reads is in a read that does not end before the block is left."""
    end = threading.Event()

    def wait(_conn: Connection) -> None:
        end.wait(60)

    try:
        yield [asyncio.ensure_future(read(wait)) for read in (store.read, store.long_read) for _ in range(20)]
    finally:
        end.set()


async def test_reads_that_do_not_end_do_not_keep_anybody_from_logging(store: Store) -> None:
    """Every call with which a training logs is answered while no thread is left for reading."""
    app = application(services_over(store))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000" + API) as client:
        with busy_readers(store) as reads:
            await asyncio.sleep(0)
            assert not any(read.done() for read in reads)
            made = await client.post("/runs/create", json={"experiment_id": "0"})
            run_id = made.json()["run"]["info"]["run_id"]
            point = {"key": "m", "value": 1.0, "timestamp": 1, "step": 1}
            logged = [
                await client.post("/runs/log-metric", json={"run_id": run_id, **point}),
                await client.post("/runs/log-batch", json={"run_id": run_id, "metrics": [point | {"step": 2}]}),
                await client.post("/runs/log-parameter", json={"run_id": run_id, "key": "p", "value": "1"}),
                await client.post("/runs/set-tag", json={"run_id": run_id, "key": "t", "value": "1"}),
                await client.post("/runs/update", json={"run_id": run_id, "status": "FINISHED"}),
            ]
        assert [answer.status_code for answer in (made, *logged)] == [200] * 6
        await asyncio.gather(*reads)
        assert (await client.get("/runs/get", params={"run_id": run_id})).status_code == 200


async def test_an_answer_that_has_begun_is_not_broken_off_by_a_full_queue(store: Store) -> None:
    """What it still has to read is queued, whatever waits already."""
    with busy_readers(store) as reads:
        more = [asyncio.ensure_future(store.long_read(lambda _conn: True)) for _ in range(2 * WAITING_MAX)]
        await asyncio.sleep(0)
        resumed = asyncio.ensure_future(store.long_read(lambda _conn: True, resumed=True))
        await asyncio.sleep(0)
        assert not resumed.done()
    assert await resumed
    found = await asyncio.gather(*reads, *more, return_exceptions=True)
    assert any(isinstance(outcome, Unavailable) for outcome in found)
