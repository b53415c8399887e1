"""The summary of a metric, however its points arrive."""

import math
from functools import reduce
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.entities import MetricSummary
from minleaf_server.entities.summary import is_behind, merged, of_point


class Logged(NamedTuple):
    step: int
    timestamp: int
    value: float


values = st.sampled_from([0.0, 1.0, -1.5, 2.5, math.inf, -math.inf, math.nan])
points = st.lists(st.builds(Logged, st.integers(-3, 3), st.integers(0, 3), values), min_size=1, max_size=20)


def summary_of(logged: list[Logged]) -> MetricSummary:
    return reduce(merged, (of_point(*point) for point in logged))


@given(points, st.integers(1, 19))
def test_it_does_not_matter_in_which_batches_points_arrive(logged: list[Logged], cut: int) -> None:
    parts = [summary_of(batch) for batch in (logged[:cut], logged[cut:]) if batch]
    assert repr(reduce(merged, parts)) == repr(summary_of(logged))


@given(points)
def test_it_says_what_the_points_say(logged: list[Logged]) -> None:
    summary = summary_of(logged)
    latest = max(logged, key=lambda p: (p.step, p.timestamp, 0.0 if math.isnan(p.value) else p.value))
    numbers = [p for p in logged if not math.isnan(p.value)]
    assert (summary.last_step, summary.last_timestamp) == (latest.step, latest.timestamp)
    assert summary.count == len(logged)
    assert summary.nan_count == len(logged) - len(numbers)
    if not numbers:
        assert summary.min is summary.max is summary.min_step is summary.max_step is None
        return
    assert summary.min == min(p.value for p in numbers)
    assert summary.max == max(p.value for p in numbers)
    assert summary.min_step == min(p.step for p in numbers if p.value == summary.min)
    assert summary.max_step == min(p.step for p in numbers if p.value == summary.max)


def test_of_equals_the_first_stands() -> None:
    for first, second in ((0.0, -0.0), (-0.0, 0.0)):
        summary = merged(of_point(1, 1, first), of_point(1, 1, second))
        assert repr((summary.last, summary.min, summary.max)) == repr((first, first, first))
    assert math.isnan(merged(of_point(1, 1, math.nan), of_point(1, 1, 0.0)).last)
    assert merged(of_point(1, 1, 0.0), of_point(1, 1, math.nan)).last == 0.0


def test_only_a_point_beyond_the_latest_is_surely_new() -> None:
    summary = of_point(3, 10, 1.0)
    for later in (Logged(4, 0, 0.0), Logged(3, 11, 0.0), Logged(3, 10, 1.5)):
        assert not is_behind(summary, *later)
    for earlier in (Logged(3, 10, 1.0), Logged(2, 99, 9.0)):
        assert is_behind(summary, *earlier)
