"""Histories and curves: every point, each once, in order, from segments and chunks alike."""

import math
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from minleaf_server.db import tables
from minleaf_server.db.store import Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.entities import Point, PointColumns
from minleaf_server.entities.curve import Axis
from minleaf_server.errors import InvalidParameter
from minleaf_server.points.codec import encode_chunk
from minleaf_server.points.series import Series
from minleaf_server.tracking import metrics, runs
from tests.support.points import history

per_database = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

any_double = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
values = st.sampled_from([0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 5e-324]) | any_double
steps = st.integers(0, 5) | st.sampled_from([-(2**63), 2**63 - 1])
points = st.builds(Point, st.sampled_from(["loss", "acc"]), values, st.integers(0, 4), steps)


async def new_run(store: Store) -> str:
    return (await runs.create(store, 0)).info.id


def mark(point: Point) -> tuple[int, int, bytes]:
    return (point.timestamp, point.step, struct.pack("<d", point.value))


@per_database
@given(st.lists(st.lists(points, max_size=30), min_size=1, max_size=6))
async def test_what_was_logged_is_what_is_read(store: Store, batches: list[list[Point]]) -> None:
    run_id = await new_run(store)
    for batch in [*batches, batches[0]]:
        await runs.log_batch(store, run_id, metrics=PointColumns.of(batch))
    run = await runs.get(store, run_id)
    for key in ("loss", "acc"):
        expected = {mark(point) for batch in batches for point in batch if point.key == key}
        found = await history(store, run_id, key)
        assert {mark(point) for point in found.items} == expected
        assert [p[2:] for p in found.items] == sorted(p[2:] for p in found.items)
        assert len(found.items) == len(expected) == (run.metrics[key].count if expected else 0)


async def test_paging_gives_every_point_once(store: Store) -> None:
    run_id = await new_run(store)
    await runs.log_batch(
        store, run_id, metrics=PointColumns.of([Point("m", math.nan if i % 7 else i, i // 3, i) for i in range(100)])
    )
    whole = await history(store, run_id, "m")
    paged: list[Point] = []
    token = None
    while True:
        page = await history(store, run_id, "m", max_results=9, page_token=token)
        paged += page.items
        token = page.next_token
        if token is None:
            break
        # A point that arrives behind the place already read does not shift the pages.
        await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 0.5, 0, -len(paged))]))
    assert list(map(mark, paged)) == list(map(mark, whole.items))


@pytest.mark.parametrize("token", ["x", "é", "bnVsbA==", "WzEsMl0=", "WzEsMiwzXQ==", "9" * 30_000, "WzFlOTk5LDEsMV0="])
async def test_a_token_that_is_not_ours_is_refused(store: Store, token: str) -> None:
    run_id = await new_run(store)
    await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 1.0, 1, 1)]))
    with pytest.raises(InvalidParameter, match="page token"):
        await history(store, run_id, "m", max_results=1, page_token=token)


async def test_chunks_and_segments_are_read_as_one(store: Store) -> None:
    run_id = await new_run(store)
    await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 0.5, 3, 3), Point("m", 9.0, 1, 1)]))

    def compact(tx: Transaction) -> None:
        row = tx.run(run_id)
        chunk = Series(np.array([0, 1]), np.array([0, 1]), np.array([8.0, 9.0]))
        key_id = tx.key_id(row.experiment_id, tables.KeyKind.METRIC, "m")
        values = {"run_id": row.id, "key_id": key_id, "seq": tx.next_change(), "n": 2, "data": encode_chunk(chunk)}
        tx.conn.execute(
            insert(tables.chunk).values(first_step=0, last_step=1, first_timestamp=0, last_timestamp=1, **values)
        )

    await store.write(compact, (run_id,))
    found = await history(store, run_id, "m")
    assert [point.value for point in found.items] == [8.0, 9.0, 0.5]
    # A repetition of a compacted point is a repetition.
    await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 8.0, 0, 0)]))
    assert await store.read(lambda conn: len(conn.execute(select(tables.segment.c.seq)).all())) == 1


async def test_bulk_is_sorted_by_run_and_cut_where_asked(store: Store) -> None:
    ids = sorted([await new_run(store), await new_run(store)])
    for run_id in ids:
        await runs.log_batch(
            store, run_id, metrics=PointColumns.of([Point("m", float(step), step, step) for step in range(3)])
        )
    rows = await metrics.history_bulk(store, ids[::-1], "m", 5)
    assert [(run_id, point.step) for run_id, point in rows] == [(ids[0], s) for s in range(3)] + [
        (ids[1], s) for s in range(2)
    ]


async def test_an_interval_keeps_its_last_step(store: Store) -> None:
    run_id = await new_run(store)
    await runs.log_batch(
        store, run_id, metrics=PointColumns.of([Point("m", float(step), step, step) for step in range(10)])
    )

    async def sampled(start: int | None, end: int | None, count: int) -> list[int]:
        rows = await metrics.history_interval(store, [run_id], "m", start_step=start, end_step=end, max_results=count)
        return [point.step for _, point in rows]

    assert await sampled(None, None, 5) == [0, 2, 4, 6, 8, 9]
    assert await sampled(None, None, 10) == list(range(10))
    assert await sampled(2, 4, 5) == [2, 3, 4]
    assert await sampled(40, 50, 5) == []


async def test_an_interval_of_runs_keeps_the_ends_of_each_and_the_order_asked(store: Store) -> None:
    long, short, bare = sorted([await new_run(store) for _ in range(3)], reverse=True)
    for run_id, count in ((long, 20), (short, 10)):
        await runs.log_batch(
            store, run_id, metrics=PointColumns.of([Point("m", 1.0, 1, step) for step in range(count)])
        )

    async def sampled(run_ids: list[str], **limits: int | None) -> list[tuple[str, int]]:
        bounds = {"start_step": None, "end_step": None, "max_results": 5} | limits
        rows = await metrics.history_interval(store, run_ids, "m", **bounds)  # type: ignore[arg-type]
        return [(run_id, point.step) for run_id, point in rows]

    steps = [0, 4, 8, 9, 12, 16, 19]
    in_long, in_short = [(long, step) for step in steps], [(short, step) for step in steps if step < 10]
    assert await sampled([long, bare, short]) == in_long + in_short
    assert await sampled([short, long]) == in_short + in_long
    assert await sampled([bare]) == []
    ends = [
        (run_id, step) for run_id in (long, short) for step in (5, 6, 8, 9, 10, 12, 13) if run_id == long or step < 10
    ]
    assert await sampled([long, short], start_step=5, end_step=13) == ends


async def test_a_curve_shows_the_spike(store: Store) -> None:
    run_id, other = await new_run(store), await new_run(store)
    for start in range(0, 20_000, 1000):
        batch = [Point("loss", 99.0 if s == 12_345 else 1 / (s + 1), s, s) for s in range(start, start + 1000)]
        await runs.log_batch(store, run_id, metrics=PointColumns.of(batch))
    (curve,) = await metrics.curves(store, [other, run_id], "loss", axis=Axis.STEP, buckets=100)
    assert (curve.run_id, curve.total, curve.in_range) == (run_id, 20_000, 20_000)
    assert len(curve.x) <= 400
    assert (12_345, 99.0) in zip(curve.x, curve.y, strict=True)
    (zoomed,) = await metrics.curves(store, [run_id], "loss", axis=Axis.STEP, start=12_300, end=12_400, buckets=100)
    assert zoomed.x == list(range(12_300, 12_401))
