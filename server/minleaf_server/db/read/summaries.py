"""How a metric's summary stands in its row."""

import math
from collections.abc import Sequence
from typing import Any

from minleaf_server.entities import MetricSummary

COLUMNS = (
    "last_value",
    "last_step",
    "last_timestamp",
    "min_value",
    "min_step",
    "max_value",
    "max_step",
    "count",
    "nan_count",
)


def summary_of(row: Sequence[Any]) -> MetricSummary:
    """The summary in a row of COLUMNS. A NULL last value is NaN."""
    last, *others = row
    return MetricSummary(math.nan if last is None else last, *others)


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
