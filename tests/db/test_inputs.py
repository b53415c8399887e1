"""How inputs are stored and read: in a fixed number of queries, each dataset once, and by several writers at once."""

import asyncio
import random
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, func, select

from minleaf_server.db.store import Store
from minleaf_server.db.tables.inputs import dataset, dataset_input
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write.inputs import log_datasets
from minleaf_server.db.write.runs import active_run
from minleaf_server.entities import Dataset, DatasetInput, ModelOutput
from minleaf_server.entities.dataset import CONTEXT_TAG
from minleaf_server.tracking import experiments, inputs, runs, search
from tests.conftest import fresh_database

WRITERS = 8
TURNS = 3
NAMES = 24


def made(name: str, digest: str = "1") -> Dataset:
    return Dataset(name, digest, "code", "here", "s" * 1000)


@contextmanager
def reads() -> Generator[list[tuple[str, Any]]]:
    """The statements that read, with their values."""
    seen: list[tuple[str, Any]] = []

    def note(_conn: Connection, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


async def fill(store: Store, number: int) -> int:
    """An experiment of so many runs, each with a dataset of its own and one that all share."""
    experiment = (await experiments.create(store, f"e{number}")).id
    for index in range(number):
        run = await runs.create(store, experiment)
        datasets = [(made(name), [(CONTEXT_TAG, "train")]) for name in ("shared", f"own{index}")]
        await inputs.log_inputs(store, run.info.id, datasets=datasets, models=["m-1"])
        await inputs.log_outputs(store, run.info.id, [ModelOutput("m-2", index)])
    return experiment


async def test_a_page_of_runs_costs_two_more_queries_however_many_inputs(store: Store) -> None:
    bare = (await experiments.create(store, "bare")).id
    for _ in range(3):
        await runs.create(store, bare)

    async def cost(experiment: int, **more: Any) -> int:
        with reads() as seen:
            await search.runs(store, search.RunQuery((experiment,), **more))
        return len(seen)

    without = await cost(bare)
    assert await cost(bare, inputs=True) == without + 1
    for number in (1, 20):
        experiment = await fill(store, number)
        assert await cost(experiment) == without
        assert await cost(experiment, inputs=True) == without + 2


async def test_a_dataset_is_stored_once_and_read_once(store: Store) -> None:
    experiment = await fill(store, 5)
    page = await search.runs(store, search.RunQuery((experiment,), inputs=True))
    shared = [run.inputs.datasets[0].dataset for run in page.items]
    assert {each.name for each in shared} == {"shared"}
    assert len({id(each) for each in shared}) == 1
    assert await store.read(lambda conn: conn.execute(select(func.count()).select_from(dataset)).scalar()) == 6


@pytest.fixture
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    with fresh_database("postgres", tmp_path, request) as uri:
        stores = [Store.open(uri), Store.open(uri)]
        yield stores
        for store in stores:
            store.close()


async def test_writers_that_meet_at_the_same_datasets_store_each_once(replicas: list[Store]) -> None:
    """Two replicas log the same new datasets, each writer in another order."""
    # Runs of their own, because the lock on a run that both change would keep them apart.
    ids = {store: [(await runs.create(store, 0)).info.id for _ in range(WRITERS)] for store in replicas}

    async def write(store: Store, writer: int) -> None:
        order = random.Random(writer)
        for turn in range(TURNS):
            names = [f"d{turn}-{number}" for number in range(NAMES)]
            order.shuffle(names)
            for some in (names[start : start + 3] for start in range(0, NAMES, 3)):
                datasets = [(made(name), [(CONTEXT_TAG, str(writer))]) for name in some]
                await inputs.log_inputs(store, ids[store][writer], datasets=datasets, models=some)

    await asyncio.gather(*(write(store, writer) for writer in range(WRITERS) for store in replicas))
    wanted = {f"d{turn}-{number}" for turn in range(TURNS) for number in range(NAMES)}
    stored = await replicas[0].read(lambda conn: conn.execute(select(dataset.c.name)).scalars().all())
    assert (len(stored), set(stored)) == (len(wanted), wanted)
    positions = select(dataset_input.c.run_id, func.count(), func.count(dataset_input.c.position.distinct()))
    grouped = positions.group_by(dataset_input.c.run_id)
    for _, rows, different in await replicas[0].read(lambda conn: conn.execute(grouped).all()):
        assert rows == different == len(wanted)


async def test_transactions_that_make_the_same_datasets_in_other_orders_wait_for_no_ring(
    replicas: list[Store],
) -> None:
    """One transaction makes a and then b, another b and then a, each when the other has had time to begin."""
    begun: list[str] = []
    both_began = Barrier(2)

    async def write(store: Store, names: str) -> None:
        run_id = (await runs.create(store, 0)).info.id

        def job(tx: Transaction) -> None:
            begun.append(names)
            for name in names:
                log_datasets(tx, active_run(tx, run_id), [DatasetInput(made(name))])
                with suppress(BrokenBarrierError):
                    both_began.wait(1)

        await store.write(job, (run_id,))

    await asyncio.gather(write(replicas[0], "ab"), write(replicas[1], "ba"))
    assert sorted(begun) == ["ab", "ba"], "a deadlock: a transaction was run again"
    assert await replicas[0].read(lambda conn: conn.execute(select(func.count()).select_from(dataset)).scalar()) == 2
