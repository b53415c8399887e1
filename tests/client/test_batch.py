"""Splitting a log-batch: nothing lost, order kept, limits kept."""

from hypothesis import given
from hypothesis import strategies as st

from minleaf._batch import split
from minleaf.entities import Metric

COUNT = st.integers(0, 2500)


@given(COUNT, st.integers(0, 350), st.integers(0, 350))
def test_parts_keep_the_limits_and_everything_else(metrics: int, params: int, tags: int) -> None:
    points = [Metric("m", float(number), 0, number) for number in range(metrics)]
    some_params = {f"p{number}": str(number) for number in range(params)}
    some_tags = {f"t{number}": str(number) for number in range(tags)}
    parts = list(split(points, some_params, some_tags))
    for part in parts:
        assert len(part.params) <= 100
        assert len(part.tags) <= 100
        assert 1 <= len(part.metrics) + len(part.params) + len(part.tags) <= 1000
    assert [point for part in parts for point in part.metrics] == points
    assert [item for part in parts for item in part.params.items()] == list(some_params.items())
    assert [item for part in parts for item in part.tags.items()] == list(some_tags.items())
