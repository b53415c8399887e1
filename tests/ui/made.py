"""Runs made for tests of the pages, without a database."""

import math
from collections.abc import Mapping, Sequence

from minleaf_server.entities import Lifecycle, MetricSummary, Run, RunInfo, RunStatus


def summary(values: Sequence[float]) -> MetricSummary:
    """The summary of values at steps 0, 1, …"""
    real = [(value, step) for step, value in enumerate(values) if not math.isnan(value)]
    least = min(real, default=(None, None))
    most = max(real, key=lambda pair: (pair[0], -pair[1]), default=(None, None))
    last = len(values) - 1
    return MetricSummary(values[-1], last, last, *least, *most, len(values), len(values) - len(real))


def run(
    number: int = 0,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, Sequence[float]] | None = None,
    tags: Mapping[str, str] | None = None,
    status: RunStatus = RunStatus.FINISHED,
) -> Run:
    """A run named `run-<number>`."""
    info = RunInfo(
        f"{number:032x}", 0, f"run-{number}", "ana", status, 1000, 61_000, Lifecycle.ACTIVE, "mlflow-artifacts:/0"
    )
    return Run(info, dict(params or {}), {key: summary(v) for key, v in (metrics or {}).items()}, dict(tags or {}))
