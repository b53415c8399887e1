"""A history in windows is the whole history, in order, whatever its blocks look like, and reads few of them."""

import struct
from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.points.history import Block, Corner, first_points, window
from minleaf_server.points.series import Place, Series, rank_of

INT64 = st.integers(-(2**63), 2**63 - 1)
DOUBLES = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
POINTS = st.tuples(
    st.integers(0, 4) | INT64, st.integers(0, 4) | INT64, st.sampled_from([0.0, -0.0, float("nan"), 1.0]) | DOUBLES
)
BLOCKS = st.lists(st.lists(POINTS, min_size=1, max_size=12), max_size=12)


def series(points: list[tuple[int, int, float]]) -> Series:
    columns = list(zip(*points, strict=True)) or [(), (), ()]
    times, steps = (np.array(column, np.int64) for column in columns[:2])
    return Series(steps, times, np.array(columns[2], np.float64))


def block(points: list[tuple[int, int, float]]) -> Block[Series]:
    part = series(points)
    first = Corner(int(part.timestamps.min()), int(part.steps.min()))
    return Block(first, Corner(int(part.timestamps.max()), int(part.steps.max())), len(part), part)


def places(part: Series) -> list[Place]:
    return [part.place(index) for index in range(len(part))]


def walked(blocks: list[Block[Series]], wanted: int, held_max: int) -> Iterator[Place]:
    after: Place | None = None
    while True:
        plan = window(sorted(blocks, key=lambda block: block.first), after, wanted)
        points, is_all = first_points(((b, b.source) for b in plan.blocks), after, plan.before, held_max)
        yield from places(points)
        assert len(points) or plan.before is None
        if plan.before is None and is_all:
            return
        after = points.place(-1)


def ordered(blocks: list[Block[Series]]) -> list[Place]:
    """Every distinct point by time, step and value; -0.0 before 0.0, and NaN last."""
    found = {place for block in blocks for place in places(block.source)}

    def key(place: Place) -> tuple[int, int, bool, float, int]:
        value = struct.unpack("<d", struct.pack("<q", place.bits))[0]
        is_nan = value != value
        return (place.timestamp, place.step, is_nan, 0.0 if is_nan else value, place.bits if not is_nan else 0)

    return sorted(found, key=key)


@given(BLOCKS, st.integers(1, 20), st.integers(2, 40))
def test_windows_give_every_point_once_in_order(
    lists: list[list[tuple[int, int, float]]], wanted: int, held: int
) -> None:
    blocks = [block(points) for points in lists]
    found, expected = list(walked(blocks, wanted, held)), ordered(blocks)
    assert len(found) == len(expected)
    assert set(found) == set(expected)
    # The order among NaN is ours.
    assert [place[:2] for place in found] == [place[:2] for place in expected]
    numbers = [place for place in found if not np.isnan(np.array(place.bits).view(np.float64))]
    assert numbers == [place for place in expected if place in set(numbers)]


@given(st.lists(DOUBLES | st.floats(), min_size=2, max_size=30))
def test_ranks_are_in_the_order_of_values_and_tell_bits_apart(values: list[float]) -> None:
    array = np.array(values)
    rank = rank_of(array)
    assert len(set(rank.tolist())) == len(set(array.view(np.int64).tolist()))
    in_order = array[np.argsort(rank)]
    nan = np.isnan(in_order)
    assert not np.any(nan[:-1] & ~nan[1:])
    assert np.all(in_order[~nan][1:] >= in_order[~nan][:-1])


def chunks(times: np.ndarray, size: int = 100) -> list[Block[Series]]:
    """Chunks as compaction makes them: some points each, in the order of steps."""
    parts = [times[start : start + size] for start in range(0, len(times), size)]
    return [block([(int(t), n * size + i, 1.0) for i, t in enumerate(part)]) for n, part in enumerate(parts)]


def read_for(blocks: list[Block[Series]], after: Place | None, wanted: int) -> int:
    return len(window(sorted(blocks, key=lambda block: block.first), after, wanted).blocks)


def test_a_window_reads_the_blocks_of_its_time() -> None:
    forth, back, same = np.arange(10_000), np.arange(10_000)[::-1], np.zeros(10_000, np.int64)
    middle = {"forth": Place(5_000, 5_000, 0), "back": Place(5_000, 4_999, 0), "same": Place(0, 5_000, 0)}
    for name, times in {"forth": forth, "back": back, "same": same}.items():
        blocks = chunks(times)
        assert read_for(blocks, None, 250) == 3, name
        assert read_for(blocks, middle[name], 250) <= 5, name
        assert read_for(blocks, None, 10**9) == 100, name


def test_what_is_held_is_bounded_where_all_is_of_one_time() -> None:
    times = np.random.default_rng(0).permutation(10_000)
    blocks = chunks(times)
    plan = window(sorted(blocks, key=lambda block: block.first), None, 50)
    points, is_all = first_points(((b, b.source) for b in plan.blocks), None, plan.before, 1_000)
    assert not is_all
    assert points.timestamps.tolist() == list(range(len(points)))
    assert 500 <= len(points) <= 1_000
