"""Compaction on both databases: not a bit is lost or doubled, whatever happens meanwhile."""

import asyncio
import random
import struct
from collections import Counter

import numpy as np
import pytest
from sqlalchemy import text

from minleaf_server.db import compactor
from minleaf_server.db.store import Store
from minleaf_server.db.write import compaction
from minleaf_server.entities import Point, PointColumns
from minleaf_server.tracking import runs
from tests.support.points import history

Bits = tuple[int, int, int]

ODD = [0.0, -0.0, 1.5, float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308]
ODD += [struct.unpack("<d", struct.pack("<q", bits))[0] for bits in (0x7FF8000000000001, 0x7FF0DEADBEEF0001, -1)]
STEPS = [-(2**63), 2**63 - 1, 0, -1, 1]


def bits(value: float) -> int:
    number: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return number


async def stored(store: Store, run_id: str, key: str) -> Counter[Bits]:
    """Every point of a series by its bits."""
    page = await history(store, run_id, key)
    return Counter((point.step, point.timestamp, bits(point.value)) for point in page.items)


async def rows(store: Store, table: str) -> list[int]:
    """The number of points of each row of `segment` or `chunk`."""
    return await store.read(lambda conn: list(conn.execute(text(f"SELECT n FROM {table}")).scalars()))


async def compact(store: Store, run_id: str) -> int:
    """Compact a run to the end. Returns in how many parts."""
    parts = 1
    while await store.write(lambda tx: compaction.compact(tx, run_id), (run_id,)):
        parts += 1
    return parts


async def log(store: Store, run_id: str, points: list[Point], size: int = 100) -> None:
    for start in range(0, len(points), size):
        await runs.log_batch(store, run_id, metrics=PointColumns.of(points[start : start + size]))


async def test_every_bit_survives(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    points = [Point("odd", value, step % 7, step) for value in ODD for step in range(20)]
    points += [Point("odd", 1.0, 2**63 - 1, step) for step in STEPS]
    points += [Point("few", value, 3, 4) for value in ODD]
    await log(store, run_id, points, size=7)
    before = {key: await stored(store, run_id, key) for key in ("odd", "few")}
    assert sum(before["odd"].values()) == len(ODD) * 20 + len(STEPS)
    await compact(store, run_id)
    assert {key: await stored(store, run_id, key) for key in ("odd", "few")} == before
    assert await rows(store, "chunk") == [len(ODD) * 20 + len(STEPS)]
    assert await rows(store, "segment") == [len(ODD)]


async def test_a_repeated_point_adds_nothing_after_compaction(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    points = [Point("m", i / 3, i, i) for i in range(500)]
    await log(store, run_id, points)
    await compact(store, run_id)
    await log(store, run_id, points[100:300])
    await log(store, run_id, [Point("m", 7.0, 250, 250)])
    summary = (await runs.get(store, run_id)).metrics["m"]
    assert (summary.count, summary.last_step) == (501, 499)
    found = await stored(store, run_id, "m")
    assert (len(found), sum(found.values())) == (501, 501)


async def test_chunks_are_filled_and_new_points_join_the_last(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    made = 0
    for _ in range(4):
        await log(store, run_id, [Point("m", i * 0.5, i, i) for i in range(made, made + 2_500)], size=1_000)
        made += 2_500
        await compact(store, run_id)
    assert sorted(await rows(store, "chunk")) == [1808, 4096, 4096]
    assert await rows(store, "segment") == []
    assert sum((await stored(store, run_id, "m")).values()) == made


async def test_a_part_is_bounded(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    await log(store, run_id, [Point("m", 0.5, i, i) for i in range(40_000)], size=1_000)
    assert await compact(store, run_id) == 3
    assert sum(await rows(store, "chunk")) == 40_000


async def test_points_far_behind_and_deleted_runs(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    await log(store, run_id, [Point("m", 1.0, i, i) for i in range(5_000)], size=1_000)
    await compact(store, run_id)
    await log(store, run_id, [Point("m", 2.0, i, -i) for i in range(200)])
    await runs.delete(store, run_id)
    await compact(store, run_id)
    found = await stored(store, run_id, "m")
    assert (len(found), sum(found.values())) == (5_200, 5_200)
    assert await store.write(lambda tx: compaction.compact(tx, "nothing"), ("nothing",)) is False


async def test_the_run_itself_does_not_change(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    await log(store, run_id, [Point("m", 1.0, i, i) for i in range(500)])
    query = text("SELECT seq FROM run ORDER BY id DESC LIMIT 1")
    before = await store.read(lambda conn: conn.execute(query).scalar_one())
    await compact(store, run_id)
    assert await store.read(lambda conn: conn.execute(query).scalar_one()) == before


async def test_a_part_that_fails_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = (await runs.create(store, 0)).info.id
    await log(store, run_id, [Point("m", 1.0, i, i) for i in range(500)])
    before, segments = await stored(store, run_id, "m"), sorted(await rows(store, "segment"))

    def fail(*_arguments: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(compaction, "_keep", fail)
    with pytest.raises(RuntimeError):
        await compact(store, run_id)
    monkeypatch.undo()
    assert await stored(store, run_id, "m") == before
    assert sorted(await rows(store, "segment")) == segments


async def test_appends_reads_and_compaction_at_once(store: Store) -> None:
    chosen = random.Random(5)
    run_ids = [(await runs.create(store, 0)).info.id for _ in range(3)]
    expected: dict[str, Counter[Bits]] = {run_id: Counter() for run_id in run_ids}

    async def append(run_id: str, first: int) -> None:
        for start in range(first, first + 1_000, 50):
            points = [Point("m", chosen.random(), step, step) for step in range(start, start + 50)]
            chosen.shuffle(points)
            await runs.log_batch(store, run_id, metrics=PointColumns.of(points))
            expected[run_id].update((point.step, point.timestamp, bits(point.value)) for point in points)
            await asyncio.sleep(0)

    async def disturb() -> None:
        for _ in range(30):
            run_id = chosen.choice(run_ids)
            await store.write(lambda tx, run_id=run_id: compaction.compact(tx, run_id), (run_id,))
            found = await stored(store, run_id, "m")
            assert max(found.values(), default=1) == 1

    await asyncio.gather(*(append(run_id, first) for run_id in run_ids for first in (0, 2_000)), disturb())
    for run_id in run_ids:
        assert await stored(store, run_id, "m") == expected[run_id]
        await compact(store, run_id)
        assert await stored(store, run_id, "m") == expected[run_id]


async def test_a_busy_run_is_compacted_by_itself(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compactor, "SEGMENTS_DUE", 20)
    run_id = (await runs.create(store, 0)).info.id
    for step in range(200):
        await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", step / 7, step, step)]))
    for _ in range(200):
        if await rows(store, "chunk"):
            break
        await asyncio.sleep(0.05)
    assert await rows(store, "chunk")
    assert sum((await stored(store, run_id, "m")).values()) == 200


async def test_what_an_earlier_process_left_is_compacted_on_demand(database_uri: str) -> None:
    first = Store.open(database_uri)
    run_ids = [(await runs.create(first, 0)).info.id for _ in range(5)]
    for run_id in run_ids:
        await log(first, run_id, [Point("m", 1.0, i, i) for i in range(100)], size=10)
    first.close()
    second = Store.open(database_uri)
    told: list[str] = []
    try:
        assert await asyncio.to_thread(second.compact, told.append) == 5
        assert sorted(told) == sorted(run_ids)
        assert await rows(second, "chunk") == [100] * 5
        assert await asyncio.to_thread(second.compact) == 0
    finally:
        second.close()


async def test_bytes_of_a_point(store: Store) -> None:
    """Losses as they are logged: float32, a step after the other, some 0.1 s apart."""
    random_ = np.random.default_rng(0)
    losses = (np.exp(-np.arange(8_192) / 2_000) + random_.normal(0, 0.05, 8_192)).astype(np.float32).tolist()
    run_id = (await runs.create(store, 0)).info.id
    times = np.cumsum(random_.integers(80, 120, 8_192)) + 1_795_434_293_749
    await log(store, run_id, [Point("loss", loss, int(times[i]), i) for i, loss in enumerate(losses)], size=1_000)
    await compact(store, run_id)
    query = text("SELECT sum(length(data)) FROM chunk")
    assert await store.read(lambda conn: conn.execute(query).scalar_one()) < 6 * len(losses)
