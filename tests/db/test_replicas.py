"""Two stores on one Postgres, as two replicas of the server have them."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from minleaf_server.db.store import Store
from minleaf_server.entities import Point, PointColumns
from minleaf_server.tracking import experiments, runs
from tests.conftest import fresh_database
from tests.support.points import history

WRITERS = 16
ROUNDS = 25


@pytest.fixture
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    with fresh_database("postgres", tmp_path, request) as uri:
        stores = [Store.open(uri), Store.open(uri)]
        yield stores
        for store in stores:
            store.close()


async def test_shuffled_writers_store_everything_once(replicas: list[Store]) -> None:
    """Every writer logs the same names in another order, to runs that they share, and sends each batch twice."""
    ids = [(await runs.create(replicas[0], 0)).info.id for _ in range(4)]

    async def write(writer: int) -> None:
        order = random.Random(writer)
        for turn in range(ROUNDS):
            names = [f"m{number}" for number in range(8)]
            order.shuffle(names)
            points = [Point(name, float(writer), turn, writer * ROUNDS + turn) for name in names]
            params = [(f"p{number}", "1") for number in order.sample(range(50), 5)]
            tags = [(f"t{number}", str(writer)) for number in order.sample(range(50), 5)]
            for store in order.sample(replicas, 2):
                await runs.log_batch(store, order.choice(ids[:1]), metrics=PointColumns.of(points))
                await runs.log_batch(store, order.choice(ids[1:]), params=params, tags=tags)

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    run = await runs.get(replicas[1], ids[0])
    expected = list(range(WRITERS * ROUNDS))
    for name, summary in run.metrics.items():
        found = await history(replicas[0], ids[0], name)
        assert sorted(point.step for point in found.items) == expected
        assert (summary.count, summary.max, summary.last_step) == (len(expected), WRITERS - 1, expected[-1])
    assert len(run.metrics) == 8


async def test_what_one_replica_stored_the_other_reads_at_once(replicas: list[Store]) -> None:
    first, second = replicas
    for number in range(20):
        made = await experiments.create(first, f"e{number}")
        run = await runs.create(second, made.id)
        await runs.log_param(first, run.info.id, "p", "1")
        assert (await runs.get(second, run.info.id)).params == {"p": "1"}


async def test_one_of_two_equal_names_wins(replicas: list[Store]) -> None:
    """Both replicas make the same experiment in the same moment: one succeeds, the other is told so."""
    for number in range(10):
        made = await asyncio.gather(
            *(experiments.create(store, f"same-{number}") for store in replicas), return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in made) == ["AlreadyExists", "Experiment"]
