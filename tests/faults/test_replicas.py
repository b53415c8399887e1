"""Two servers on one Postgres, and a Postgres that goes away under load."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.conftest import fresh_database
from tests.faults.conftest import tuned
from tests.faults.ledger import Ledger
from tests.faults.load import Load, Reading, asks_to_wait, asks_to_wait_or_breaks_off, make_runs, writers_for
from tests.faults.look import deadlocks, faults, segments_and_chunks
from tests.faults.tuned_server import EAGER
from tests.support.postgres import Cluster
from tests.support.server import RunningServer
from tests.support.wire import Client

WRITERS = 16
RUNS = 3
REQUESTS = 1_200
RECOVERY_ATTEMPTS = 5
"""How often a client may have to ask, once a second, after Postgres is up again."""


@pytest.fixture
def replicas(
    request: pytest.FixtureRequest, tmp_path: Path, new_stores: dict[str, str]
) -> Iterator[list[RunningServer]]:
    """Two server processes on one database, both of which compact all the time."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    with (
        fresh_database("postgres", tmp_path, request, template=new_stores["postgres"]) as uri,
        tuned(uri, folders[0], EAGER) as first,
        tuned(uri, folders[1], EAGER) as second,
    ):
        yield [first, second]


def test_two_replicas_store_exactly_what_sixteen_writers_sent(replicas: list[RunningServer]) -> None:
    """All writers write the same names to the same runs, in orders of their own; nobody gets an error."""
    urls = [server.url for server in replicas]
    uri = replicas[0].database_uri
    ledger = Ledger()
    writers = writers_for(make_runs(urls[0], RUNS), WRITERS, ledger)
    with Load(urls, writers) as load:
        load.wait_for(REQUESTS)
    assert set(load.answers) == {200}
    assert deadlocks(uri) == 0
    assert segments_and_chunks(uri)[1] > 0
    for url in urls:
        assert faults(url, uri, ledger) == []


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A Postgres of its own, with all that makes it durable."""
    with Cluster() as running:
        yield running


@pytest.fixture
def server(cluster: Cluster, tmp_path: Path) -> Iterator[RunningServer]:
    with tuned(cluster.make("restarted"), tmp_path, EAGER) as running:
        yield running


def attempts_until_well(url: str, run_id: str) -> int:
    """How many times a client had to ask until both a write and a read were answered."""
    client = Client(url)
    for attempt in range(1, RECOVERY_ATTEMPTS + 2):
        written = client.post("/runs/set-tag", {"run_id": run_id, "key": "mlflow.note", "value": str(attempt)})[0]
        if (written, client.get(f"/runs/get?run_id={run_id}")[0]) == (200, 200):
            break
        time.sleep(1)
    client.close()
    return attempt


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restarting_postgres_loses_nothing_acknowledged(
    server: RunningServer, cluster: Cluster, mode: Literal["fast", "immediate"], pytestconfig: pytest.Config
) -> None:
    """While it is away clients are told to wait, and nothing else; soon after, all is as before."""
    ledger = Ledger()
    run_ids = make_runs(server.url, RUNS)
    writers = writers_for(run_ids, WRITERS, ledger)
    with (
        Load([server.url], writers, asks_to_wait) as load,
        Reading(server.url, run_ids[0], 2, asks_to_wait_or_breaks_off) as reading,
    ):
        for _ in range(max(1, pytestconfig.getoption("--rounds") // 2)):
            load.wait_for(100)
            cluster.restart(mode)
            assert attempts_until_well(server.url, run_ids[0]) <= RECOVERY_ATTEMPTS
            load.wait_for(100)
            reading.wait_for(10)
    assert load.answers.keys() <= {200, 503}
    assert faults(server.url, server.database_uri, ledger) == []
