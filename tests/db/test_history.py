"""Histories in parts, on both databases: nothing lost or doubled, whatever happens between two parts."""

import random
import struct
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from minleaf_server.db.read import blocks
from minleaf_server.db.read import history as reading
from minleaf_server.db.store import Store
from minleaf_server.db.write import compaction
from minleaf_server.entities import Point, PointColumns
from minleaf_server.entities.curve import Axis
from minleaf_server.points.codec import decode_chunk
from minleaf_server.points.series import Place, Series
from minleaf_server.tracking import metrics, runs
from tests.support.points import history


async def logged(store: Store, points: Sequence[Point], size: int = 50) -> str:
    """The id of a new run with these points, in batches."""
    run_id = (await runs.create(store, 0)).info.id
    await log(store, run_id, points, size)
    return run_id


async def log(store: Store, run_id: str, points: Sequence[Point], size: int = 50) -> None:
    for start in range(0, len(points), size):
        await runs.log_batch(store, run_id, metrics=PointColumns.of(points[start : start + size]))


async def compact_a_part(store: Store, run_id: str) -> bool:
    return await store.write(lambda tx: compaction.compact(tx, run_id), (run_id,))


def places(series: Series) -> list[Place]:
    return [series.place(index) for index in range(len(series))]


def place(point: Point) -> Place:
    return Place(point.timestamp, point.step, struct.unpack("<q", struct.pack("<d", point.value))[0])


def some_points(count: int, times: int, seed: int = 0) -> list[Point]:
    """Points in the order of their steps, at random among so many times."""
    chosen = random.Random(seed)
    return [Point("m", chosen.random(), chosen.randrange(times), step) for step in range(count)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is done in many small parts."""
    monkeypatch.setattr(metrics, "PART", 40)
    monkeypatch.setattr(metrics, "RENDERED", 15)
    monkeypatch.setattr(reading, "HELD_MAX", 150)
    monkeypatch.setattr(blocks, "KEPT_MAX", 200)
    monkeypatch.setattr(blocks, "POINTS_AT_ONCE", 60)
    monkeypatch.setattr(blocks, "CHUNKS_AT_ONCE", 2)
    monkeypatch.setattr(blocks, "_ROWS_AT_ONCE", 5)
    monkeypatch.setattr(compaction, "CHUNK_POINTS", 70)
    monkeypatch.setattr(compaction, "POINTS_AT_ONCE", 150)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("times", [1, 7, 10**9])
async def test_compaction_between_the_parts_loses_and_doubles_nothing(store: Store, times: int) -> None:
    points = some_points(1_200, times)
    run_id = await logged(store, points)
    await log(store, run_id, [Point("other", 1.0, 0, step) for step in range(70)])
    found: list[Place] = []
    async for part in metrics.history(store, run_id, "m", places):
        found += [one for rendered in part.rendered for one in rendered]
        await compact_a_part(store, run_id)
    assert found == sorted(map(place, points))


@pytest.mark.usefixtures("small")
async def test_points_that_come_while_a_history_is_read_come_once(store: Store) -> None:
    points = some_points(600, 10**6)
    run_id = await logged(store, points)
    found: list[Place] = []
    before: list[Point] = []
    near: list[Point] = []
    far: list[Point] = []
    async for part in metrics.history(store, run_id, "m", places):
        found += [one for rendered in part.rendered for one in rendered]
        if len(far) < 30:
            step = 10_000 + len(far)
            before.append(Point("m", 0.5, 0, step))
            near.append(Point("m", 0.5, found[-1].timestamp + 1, step))
            far.append(Point("m", 0.5, 10**7 + 10 * len(far), step))
            await log(store, run_id, [before[-1], near[-1], far[-1]])
        await compact_a_part(store, run_id)
    assert len(far) > 10
    assert found == sorted(set(found))
    assert set(map(place, [*points, *far])) <= set(found) <= set(map(place, [*points, *near, *far]))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("is_compacted", [False, True])
@pytest.mark.parametrize("size", [1, 33, 5_000])
async def test_pages_are_the_whole(store: Store, is_compacted: bool, size: int) -> None:
    points = some_points(200 if size == 1 else 500, 30)
    run_id = await logged(store, points)
    while is_compacted and await compact_a_part(store, run_id):
        pass
    found: list[Point] = []
    token = None
    while True:
        page = await history(store, run_id, "m", max_results=size, page_token=token)
        found += page.items
        token = page.next_token
        if token is None:
            break
        assert len(page.items) == size
    assert list(map(place, found)) == sorted(map(place, points))


@pytest.mark.parametrize("order", ["forth", "back", "same"])
async def test_a_page_in_the_middle_decodes_few_chunks(
    store: Store, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    monkeypatch.setattr(compaction, "CHUNK_POINTS", 100)
    times = {"forth": range(5_000), "back": range(5_000, 0, -1), "same": [7] * 5_000}[order]
    run_id = await logged(store, [Point("m", 1.0, time, step) for step, time in enumerate(times)], 1_000)
    while await compact_a_part(store, run_id):
        pass
    first = await history(store, run_id, "m", max_results=2_450)
    decoded: list[bytes] = []

    def counted(data: bytes) -> Series:
        decoded.append(data)
        return decode_chunk(data)

    monkeypatch.setattr(blocks, "decode_chunk", counted)
    page = await history(store, run_id, "m", max_results=200, page_token=first.next_token)
    assert len(page.items) == 200
    # 50 chunks in all: that of the token, the two or three of the page, and their neighbours in time.
    assert len(decoded) <= 6
    decoded.clear()
    assert len((await history(store, run_id, "m")).items) == 5_000
    assert 50 <= len(decoded) <= 60


@contextmanager
def statements() -> Generator[list[str]]:
    """What is asked of the database in the block."""
    asked: list[str] = []

    def before(_conn: Any, _cursor: Any, statement: str, _values: Any, _context: Any, _many: bool) -> None:
        asked.extend([statement] if statement.startswith("SELECT") else [])

    event.listen(Engine, "before_cursor_execute", before)
    yield asked
    event.remove(Engine, "before_cursor_execute", before)


async def test_a_chart_asks_as_much_of_many_runs_as_of_one(store: Store) -> None:
    run_ids = [await logged(store, some_points(300, 10**6, seed=seed)) for seed in range(8)]
    for run_id in run_ids[::2]:
        while await compact_a_part(store, run_id):
            pass

    async def asked(*ids: str) -> int:
        with statements() as found:
            curves = await metrics.curves(store, ids, "m", axis=Axis.STEP, buckets=10)
        assert [curve.total for curve in curves] == [300] * len(ids)
        return len(found)

    assert await asked(run_ids[0]) == await asked(*run_ids) <= 4


async def test_a_point_in_a_chunk_and_in_a_segment_is_one(store: Store) -> None:
    """What two writers could leave behind is read as one point, by its bits."""
    odd = struct.unpack("<d", struct.pack("<q", 0x7FF8000000000001))[0]
    points = [Point("m", value, 5, step) for step in range(40) for value in (0.0, -0.0, odd, float("nan"))]
    run_id = await logged(store, points, 200)
    copy = await store.read(lambda conn: conn.exec_driver_sql("SELECT run_id, seq, n, data FROM segment").one())
    while await compact_a_part(store, run_id):
        pass
    await log(store, run_id, [Point("m", 1.0, 9, 99), Point("m", 1.0, 9, 100)], 1)
    await compact_a_part(store, run_id)
    mark = (copy.run_id, copy.seq + 1_000, copy.n, copy.data)
    insert = "INSERT INTO segment (run_id, seq, n, data) VALUES (?, ?, ?, ?)"
    await store.write(lambda tx: tx.execute(insert, mark) and None, (run_id,))
    for _ in range(2):
        found = await history(store, run_id, "m")
        assert Counter(map(place, found.items)) == Counter(map(place, points)) + Counter(
            [Place(9, 99, place(Point("m", 1.0, 9, 99)).bits), Place(9, 100, place(Point("m", 1.0, 9, 100)).bits)]
        )
        (curve,) = await metrics.curves(store, [run_id], "m", axis=Axis.STEP, buckets=1_000)
        assert curve.total == len(points) + 2
        await compact_a_part(store, run_id)
