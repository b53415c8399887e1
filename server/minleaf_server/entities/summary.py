"""How the summary of a metric grows with its points."""

import math

from minleaf_server.entities.metric import MetricSummary

Rank = tuple[int, int, float]


def rank(step: int, timestamp: int, value: float) -> Rank:
    """The order in which points are the latest, as MLflow's: by step, timestamp, value, with NaN counted as zero."""
    return (step, timestamp, 0.0 if value != value else value)


def is_behind(summary: MetricSummary, step: int, timestamp: int, value: float) -> bool:
    """Whether the point is not later than the latest, so that it may already be among the points summarised."""
    if step != summary.last_step:
        return step < summary.last_step
    return rank(step, timestamp, value) <= rank(step, summary.last_timestamp, summary.last)


def of_point(step: int, timestamp: int, value: float) -> MetricSummary:
    """The summary of a single point."""
    if value != value:
        return MetricSummary(math.nan, step, timestamp, None, None, None, None, 1, 1)
    return MetricSummary(value, step, timestamp, value, step, value, step, 1, 0)


def merged(summary: MetricSummary, later: MetricSummary) -> MetricSummary:
    """The summary of what both cover, no point of which they share. Of equals that of the first stands.

    Equals are the zeros of both signs, and as the latest point a NaN too, where step and time are the same.
    """
    last = summary if is_behind(summary, later.last_step, later.last_timestamp, later.last) else later
    lowest = later if _is_lower(later.min, later.min_step, summary.min, summary.min_step) else summary
    highest = later if _is_lower(_minus(later.max), later.max_step, _minus(summary.max), summary.max_step) else summary
    return MetricSummary(
        last.last,
        last.last_step,
        last.last_timestamp,
        lowest.min,
        lowest.min_step,
        highest.max,
        highest.max_step,
        summary.count + later.count,
        summary.nan_count + later.nan_count,
    )


def _is_lower(value: float | None, step: int | None, than: float | None, than_step: int | None) -> bool:
    """Whether the value is lower, or the same at a lower step. None, of points that are all NaN, is above all."""
    if value is None or step is None:
        return False
    if than is None or than_step is None:
        return True
    return value < than or (value == than and step < than_step)


def _minus(value: float | None) -> float | None:
    return None if value is None else -value
