"""How the summary of a metric grows with its points."""

import math
from collections.abc import Iterable
from typing import Protocol

from minleaf_server.entities.metric import MetricSummary


class Logged(Protocol):
    """Anything with the step, timestamp (ms) and value of a point."""

    @property
    def step(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def value(self) -> float: ...


Rank = tuple[int, int, float]


def rank(step: int, timestamp: int, value: float) -> Rank:
    """The order in which points are the latest, as MLflow's: by step, timestamp, value, with NaN counted as zero."""
    return (step, timestamp, 0.0 if math.isnan(value) else value)


def is_behind(summary: MetricSummary, point: Logged) -> bool:
    """Whether the point is not later than the latest, so that it may already be among the points summarised."""
    latest = rank(summary.last_step, summary.last_timestamp, summary.last)
    return rank(point.step, point.timestamp, point.value) <= latest


def extended(summary: MetricSummary | None, points: Iterable[Logged]) -> MetricSummary:
    """The summary of what `summary` covers and of these points, at least one, none of them covered before."""
    points = list(points)
    last = max(points, key=lambda point: rank(point.step, point.timestamp, point.value))
    # The least step of the extreme: minima compare (value, step), maxima (value, -step).
    numbers = [(point.value, point.step) for point in points if not math.isnan(point.value)]
    lowest = min(numbers, default=None)
    highest = max(numbers, key=lambda pair: (pair[0], -pair[1]), default=None)
    count, nan_count = len(points), len(points) - len(numbers)
    if summary is not None:
        if is_behind(summary, last):
            last = _Latest(summary)
        lowest = min((pair for pair in (_pair(summary.min, summary.min_step), lowest) if pair), default=None)
        highest = max(
            (pair for pair in (_pair(summary.max, summary.max_step), highest) if pair),
            key=lambda pair: (pair[0], -pair[1]),
            default=None,
        )
        count, nan_count = count + summary.count, nan_count + summary.nan_count
    low, low_step = lowest or (None, None)
    high, high_step = highest or (None, None)
    return MetricSummary(last.value, last.step, last.timestamp, low, low_step, high, high_step, count, nan_count)


class _Latest:
    """The latest point of a summary, as a point."""

    def __init__(self, summary: MetricSummary) -> None:
        self.step, self.timestamp, self.value = summary.last_step, summary.last_timestamp, summary.last


def _pair(value: float | None, step: int | None) -> tuple[float, int] | None:
    return None if value is None or step is None else (value, step)
