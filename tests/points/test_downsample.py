"""Thinning a series loses nothing that a chart of it would show."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minleaf_server.entities.curve import Axis, Curve
from minleaf_server.points.downsample import POINTS_PER_BUCKET, along, curve

INT64 = st.integers(min_value=-(2**63), max_value=2**63 - 1)
STEPS = st.one_of(st.integers(-20, 20), st.integers(2**53 - 3, 2**53 + 30), INT64)
VALUES = st.one_of(
    st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0]), st.floats(-1, 1, width=16)
)
SERIES = st.lists(st.tuples(STEPS, VALUES), max_size=120).map(lambda points: sorted(points, key=lambda p: p[0]))


def arrays(points):
    x = np.array([p[0] for p in points], dtype=np.int64)
    return x, np.array([p[1] for p in points], dtype=np.float64)


def whole(points, buckets, start=None, end=None) -> Curve:
    return curve("r", *arrays(points), start=start, end=end, buckets=buckets)


def bits(values) -> list[int]:
    return np.array(values, dtype=np.float64).view(np.int64).tolist()


def bucket_of(x: int, first: int, last: int, buckets: int) -> int:
    """The bucket of x by the definition: the largest i whose edge does not lie right of x."""
    span = last - first + 1
    return max(i for i in range(buckets) if first + span * i // buckets <= x)


@given(SERIES, st.integers(1, 12))
def test_each_bucket_keeps_its_outline_and_its_marks(points, buckets):
    answer = whole(points, buckets)
    if not points:
        assert (answer.x, answer.total) == ([], 0)
        return
    first, last = points[0][0], points[-1][0]
    grouped: dict[int, list] = {}
    for x, y in points:
        grouped.setdefault(bucket_of(x, first, last, buckets), []).append((x, y))
    kept = list(zip(answer.x, answer.y, strict=True))
    for bucket, inside in grouped.items():
        here = [(x, y) for x, y in kept if bucket_of(x, first, last, buckets) == bucket]
        raw = [y for _, y in inside if math.isfinite(y)]
        drawn = [y for _, y in here if math.isfinite(y)]
        if raw:
            assert (min(drawn), max(drawn), drawn[0], drawn[-1]) == (min(raw), max(raw), raw[0], raw[-1])
        for kind in (math.isnan, lambda y: y == math.inf, lambda y: y == -math.inf):
            marks = [x for x, y in inside if kind(y)]
            drawn_marks = [x for x, y in here if kind(y)]
            assert drawn_marks[:1] + drawn_marks[-1:] == marks[:1] + marks[-1:]


@given(SERIES, st.integers(1, 12))
def test_the_answer_is_a_subsequence_of_the_series_bit_for_bit(points, buckets):
    answer = whole(points, buckets)
    raw = iter(zip([p[0] for p in points], bits([p[1] for p in points]), strict=True))
    assert all(point in raw for point in zip(answer.x, bits(answer.y), strict=True))
    assert len(answer.x) <= 10 * buckets or len(points) <= POINTS_PER_BUCKET * buckets


@given(SERIES, st.integers(1, 12))
def test_few_points_come_back_whole(points, buckets):
    points = points[: POINTS_PER_BUCKET * buckets]
    answer = whole(points, buckets)
    assert answer.x == [p[0] for p in points]
    assert bits(answer.y) == bits([p[1] for p in points])


BOUNDS = st.one_of(st.none(), STEPS, st.floats(allow_nan=False))


@given(SERIES, BOUNDS, BOUNDS)
def test_a_range_holds_exactly_its_points_and_knows_its_neighbours(points, start, end):
    answer = whole(points, 100, start, end)
    inside = [p for p in points if (start is None or p[0] >= start) and (end is None or p[0] <= end)]
    assert answer.x == [p[0] for p in inside]
    assert bits(answer.y) == bits([p[1] for p in inside])
    assert (answer.total, answer.in_range) == (len(points), len(inside))
    assert answer.nan_count == sum(math.isnan(y) for _, y in inside)
    assert answer.inf_count == sum(math.isinf(y) for _, y in inside)
    if answer.before is not None and start is not None:
        assert answer.before[0] == max(x for x, _ in points if x < start)
    if inside and answer.after is not None:
        assert answer.after[0] > inside[-1][0]


@given(st.lists(st.integers(0, 99_999), min_size=1, max_size=20, unique=True), st.integers(1, 400))
def test_every_planted_spike_is_drawn_when_no_two_share_a_bucket(places, buckets):
    y = np.zeros(100_000)
    y[places] = np.arange(1, len(places) + 1)
    x = np.arange(100_000, dtype=np.int64)
    answer = curve("r", x, y, start=None, end=None, buckets=buckets)
    tallest = {}
    for place in sorted(places):
        bucket = bucket_of(place, 0, 99_999, buckets)
        tallest[bucket] = max(tallest.get(bucket, 0), y[place])
    assert set(tallest.values()) <= set(answer.y)


def test_zooming_in_reaches_every_point():
    x = np.arange(50_000, dtype=np.int64)
    y = np.sin(x / 100)
    seen = set()
    for start in range(0, 50_000, 500):
        part = curve("r", x, y, start=start, end=start + 499, buckets=125)
        assert part.in_range == len(part.x) == 500
        seen.update(part.x)
    assert seen == set(range(50_000))


def test_steps_at_both_ends_of_int64_fall_in_their_own_buckets():
    steps = [-(2**63), -(2**63) + 1, 0, 1, 2**63 - 2, 2**63 - 1]
    answer = whole([(step, float(i)) for i, step in enumerate(steps)], 1)
    assert (answer.x, answer.in_range) == ([steps[0], steps[-1]], 6)


def test_buckets_of_consecutive_long_steps_have_the_same_size():
    x = 2**60 + np.arange(100, dtype=np.int64)
    answer = curve("r", x, np.zeros(100), start=None, end=None, buckets=5)
    ends = [step for start in range(0, 100, 20) for step in (start, start + 19)]
    assert answer.x == [2**60 + step for step in ends]


@given(st.lists(st.tuples(INT64, INT64, VALUES), max_size=60), st.sampled_from(Axis))
@example([(0, -(2**63), 1.0), (1, 2**63 - 1, 2.0)], Axis.RELATIVE)
def test_along_sorts_by_the_axis_and_moves_the_start_of_relative_time_to_zero(points, axis):
    steps = np.array([p[0] for p in points], dtype=np.int64)
    times = np.array([p[1] for p in points], dtype=np.int64)
    values = np.array([p[2] for p in points], dtype=np.float64)
    x, y = along(axis, steps, times, values)
    main, other = (0, 1) if axis is Axis.STEP else (1, 0)
    expected = sorted(points, key=lambda p: (p[main], p[other]))
    zero = expected[0][main] if expected and axis is Axis.RELATIVE else 0
    assert x.tolist() == [p[main] - zero for p in expected]
    assert bits(y) == bits([p[2] for p in expected])
    assert curve("r", x, y, start=None, end=None, buckets=3).total == len(points)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [({"buckets": 0}, "at least 1"), ({"start": math.nan}, "number"), ({"end": math.nan}, "number")],
)
def test_impossible_requests_are_refused(arguments, reason):
    request = {"start": None, "end": None, "buckets": 5} | arguments
    with pytest.raises(ValueError, match=reason):
        curve("r", *arrays([(1, 1.0)]), **request)
