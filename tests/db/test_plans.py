"""The queries of a page are answered by indexes, whatever the number of runs. SQLite says how it will run a query."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from minleaf_server.db.store import Store
from minleaf_server.entities import Dataset, ModelOutput, Point, PointColumns
from minleaf_server.entities.dataset import CONTEXT_TAG
from minleaf_server.tracking import experiments, inputs, runs, search


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
    yield store
    store.close()


@contextmanager
def plans() -> Generator[list[str]]:
    """The steps in which SQLite answers every query that is read inside the block."""
    steps: list[str] = []

    def before(conn: Connection, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            driver: Any = conn.connection.driver_connection
            steps.extend(row[3] for row in driver.execute("EXPLAIN QUERY PLAN " + statement, values))

    event.listen(Engine, "before_cursor_execute", before)
    yield steps
    event.remove(Engine, "before_cursor_execute", before)


def scanned(steps: list[str]) -> set[str]:
    """The tables that are read from end to end. An `anon` is what another step has found."""
    found = {step.split()[1] for step in steps if step.startswith("SCAN")} - {"json_each"}
    return {name for name in found if not name.startswith("anon_")}


async def test_loading_runs_reads_those_runs_only(store: Store) -> None:
    ids = [(await runs.create(store, 0)).info.id for _ in range(3)]
    await runs.log_batch(store, ids[0], metrics=PointColumns.of([Point("m", 1.0, 1, 1)]), params=[("p", "1")])
    with plans() as steps:
        await runs.get_many(store, ids)
    assert not scanned(steps)
    assert len([step for step in steps if step.startswith("SEARCH")]) == 6


@pytest.mark.parametrize("memory", [0, 2**28], ids=["SQL", "columns"])
@pytest.mark.parametrize("text", ["", "p = 3", "m > 0.44 and p = 3", "params.p = 'x'", "name like 'a%'", "max(m) > 1"])
async def test_a_search_of_one_experiment_leaves_the_others_alone(store: Store, text: str, memory: int) -> None:
    store.columns.limit = memory
    made = await experiments.create(store, "sweep")
    run = await runs.create(store, made.id)
    await runs.log_batch(store, run.info.id, metrics=PointColumns.of([Point("m", 1.0, 1, 1)]), params=[("p", "3")])
    with plans() as steps:
        await search.runs(store, search.RunQuery((made.id,), text))
    assert steps
    assert not scanned(steps)


@pytest.mark.parametrize(
    "text",
    ["datasets.name = 'a'", "datasets.name != 'a'", "datasets.digest like '1%'", "datasets.context = 'train'"],
)
async def test_inputs_and_datasets_are_found_by_indexes(store: Store, text: str) -> None:
    made = await experiments.create(store, "sweep")
    run = await runs.create(store, made.id)
    data = Dataset("a", "1", "code", "here")
    await inputs.log_inputs(store, run.info.id, datasets=[(data, [(CONTEXT_TAG, "train")])], models=["m-1"])
    await inputs.log_outputs(store, run.info.id, [ModelOutput("m-2")])
    with plans() as steps:
        await search.runs(store, search.RunQuery((made.id,), text, inputs=True))
        await search.runs(store, search.RunQuery((0, made.id), inputs=True))
        await inputs.search_datasets(store, [made.id])
        await inputs.search_datasets(store, [0, made.id])
    assert any("dataset_input" in step for step in steps)
    assert not scanned(steps)
