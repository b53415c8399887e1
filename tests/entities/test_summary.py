"""The summary of a metric, however its points arrive."""

import math
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.entities.summary import extended, is_behind


class Logged(NamedTuple):
    step: int
    timestamp: int
    value: float


values = st.sampled_from([0.0, 1.0, -1.5, 2.5, math.inf, -math.inf, math.nan])
points = st.lists(st.builds(Logged, st.integers(-3, 3), st.integers(0, 3), values), min_size=1, max_size=20)


@given(points, st.integers(0, 19))
def test_it_does_not_matter_in_which_batches_points_arrive(logged: list[Logged], cut: int) -> None:
    whole = extended(None, logged)
    first, second = logged[:cut], logged[cut:]
    parts = None
    for batch in (first, second):
        if batch:
            parts = extended(parts, batch)
    assert parts is not None
    assert repr(parts) == repr(whole)


@given(points)
def test_it_says_what_the_points_say(logged: list[Logged]) -> None:
    summary = extended(None, logged)
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


def test_only_a_point_beyond_the_latest_is_surely_new() -> None:
    summary = extended(None, [Logged(3, 10, 1.0)])
    assert not is_behind(summary, Logged(4, 0, 0.0))
    assert not is_behind(summary, Logged(3, 11, 0.0))
    assert not is_behind(summary, Logged(3, 10, 1.5))
    assert is_behind(summary, Logged(3, 10, 1.0))
    assert is_behind(summary, Logged(2, 99, 9.0))
