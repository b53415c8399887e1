"""How a metric's summary stands in its row."""

import math
from collections.abc import Sequence
from typing import Any

from minleaf_server.entities import LatestPoint, MetricSummary

LATEST_COLUMNS = ("last_value", "last_step", "last_timestamp")
COLUMNS = (
    *LATEST_COLUMNS,
    "min_value",
    "min_step",
    "max_value",
    "max_step",
    "count",
    "nan_count",
)


def latest_of(row: Sequence[Any]) -> LatestPoint:
    """The point in a row that begins with LATEST_COLUMNS. A NULL last value is NaN."""
    last = row[0]
    return LatestPoint(math.nan if last is None else last, row[1], row[2])


def summary_of(row: Sequence[Any]) -> MetricSummary:
    """The summary in a row that begins with COLUMNS. A NULL last value is NaN."""
    last = row[0]
    return MetricSummary(math.nan if last is None else last, *row[1 : len(COLUMNS)])


def values_of(summary: MetricSummary) -> tuple[Any, ...]:
    """The row of COLUMNS for a summary."""
    return (
        None if math.isnan(summary.last) else summary.last,
        summary.last_step,
        summary.last_timestamp,
        summary.min,
        summary.min_step,
        summary.max,
        summary.max_step,
        summary.count,
        summary.nan_count,
    )
