"""When and in which order runs are compacted, through failures too, and by two servers at once."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from minleaf_server.db import compactor
from minleaf_server.db.compactor import Compactor
from minleaf_server.db.store import Store
from minleaf_server.db.write import compaction
from minleaf_server.entities import Point, PointColumns
from minleaf_server.errors import Exhausted, MinleafError, Unavailable
from minleaf_server.tracking import runs
from tests.conftest import fresh_database
from tests.support.points import history


class Refusals:
    """A writer that refuses the first jobs, and counts those it takes by run."""

    def __init__(self, errors: list[Exception], expected: int) -> None:
        self.errors = errors
        self.taken: list[str] = []
        self.all_taken = threading.Event()
        self._expected = expected

    def write(self, _job: Callable[[Any], bool], run_ids: tuple[str, ...]) -> "Future[bool]":
        future: Future[bool] = Future()
        if self.errors:
            future.set_exception(self.errors.pop(0))
            return future
        self.taken += run_ids
        future.set_result(False)
        if len(self.taken) == self._expected:
            self.all_taken.set()
        return future


@pytest.mark.parametrize("error", [Unavailable("away"), Exhausted("full")])
def test_what_is_due_stays_due_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch, error: MinleafError) -> None:
    monkeypatch.setattr(compactor, "_RETRY_SECONDS", 0.01)
    writer = Refusals([error] * 3, expected=4)
    due = Compactor(writer.write, lambda _read: [])
    due.stored({f"run-{n}": compactor.SEGMENTS_DUE for n in range(4)})
    assert writer.all_taken.wait(30)
    due.close()
    assert writer.taken == [f"run-{n}" for n in range(4)]


def test_a_run_that_cannot_be_compacted_does_not_hold_up_the_others() -> None:
    writer = Refusals([ValueError("damaged")], expected=3)
    due = Compactor(writer.write, lambda _read: [])
    due.stored({f"run-{n}": compactor.SEGMENTS_DUE for n in range(4)})
    assert writer.all_taken.wait(30)
    due.close()
    assert writer.taken == [f"run-{n}" for n in range(1, 4)]


def test_the_search_for_what_was_left_goes_on_where_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compactor, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(compactor, "QUIET_SECONDS", 0.02)
    monkeypatch.setattr(compactor, "_RUNS_PER_SWEEP", 2)
    pages: list[Any] = [Unavailable("away"), [(1, "a", 9), (2, "b", 9)], Unavailable("away"), [(3, "c", 9)]]

    def read(_job: Any) -> Any:
        page = pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    writer = Refusals([], expected=3)
    due = Compactor(writer.write, read)
    assert writer.all_taken.wait(30)
    due.close()
    assert writer.taken == ["a", "b", "c"]
    assert not pages


@pytest.fixture
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    with fresh_database("postgres", tmp_path, request) as uri:
        stores = [Store.open(uri), Store.open(uri)]
        yield stores
        for store in stores:
            store.close()


async def test_two_servers_compact_the_same_runs_under_load(
    replicas: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "CHUNK_POINTS", 64)
    monkeypatch.setattr(compaction, "CHUNK_POINTS_MIN", 8)
    monkeypatch.setattr(compaction, "POINTS_AT_ONCE", 200)
    chosen = random.Random(3)
    run_ids = [(await runs.create(replicas[0], 0)).info.id for _ in range(4)]
    logged: dict[str, Counter[tuple[int, int, float]]] = {run_id: Counter() for run_id in run_ids}
    going = True

    async def append(store: Store, first: int) -> None:
        for start in range(first, first + 600, 20):
            run_id = chosen.choice(run_ids)
            points = [Point("m", chosen.random(), chosen.randrange(50), step) for step in range(start, start + 20)]
            # Each batch is sent to both servers, as a client does that saw no answer.
            for one in (store, chosen.choice(replicas)):
                await runs.log_batch(one, run_id, metrics=PointColumns.of(points))
            logged[run_id].update((point.timestamp, point.step, point.value) for point in points)

    async def compact(store: Store) -> None:
        while going:
            order = chosen.sample(run_ids, len(run_ids))
            for run_id in order:
                await store.write(partial(compaction.compact, uuid=run_id), order)
            await asyncio.sleep(0)

    compacting = [asyncio.create_task(compact(store)) for store in replicas * 2]
    await asyncio.gather(*(append(store, 10_000 * n) for n, store in enumerate(replicas * 2)))
    going = False
    await asyncio.gather(*compacting)
    for run_id in run_ids:
        found = await history(replicas[1], run_id, "m")
        assert Counter((point.timestamp, point.step, point.value) for point in found.items) == logged[run_id]
        counted = (await runs.get(replicas[0], run_id)).metrics["m"].count
        assert counted == logged[run_id].total() == len(logged[run_id])
