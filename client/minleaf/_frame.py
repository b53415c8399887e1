"""Runs as a pandas table with MLflow's column names."""

import importlib
from collections.abc import Sequence
from typing import Any

from minleaf.entities import Run
from minleaf.exceptions import MinleafException


def runs_frame(runs: Sequence[Run]) -> Any:
    """A DataFrame with a row per run: its attributes, then `metrics.*`, `params.*` and `tags.*`.

    What a run does not have is NaN among the metrics and None among params and tags. Raises MinleafException where
    pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        raise MinleafException(
            'output_format="pandas" needs pandas, which is not installed: run `pip install pandas`, or take '
            'output_format="list".'
        ) from error
    columns: dict[str, Any] = {
        name: [getattr(run.info, name) for run in runs]
        for name in ("run_id", "experiment_id", "status", "artifact_uri")
    }
    for name in ("start_time", "end_time"):
        times = pandas.Series([getattr(run.info, name) for run in runs], dtype="Int64")
        columns[name] = pandas.to_datetime(times, unit="ms", utc=True)
    for kind, absent in (("metrics", float("nan")), ("params", None), ("tags", None)):
        columns |= _columns(runs, kind, absent)
    return pandas.DataFrame(columns)


def _columns(runs: Sequence[Run], kind: str, absent: float | None) -> dict[str, list[Any]]:
    keys = dict.fromkeys(key for run in runs for key in getattr(run.data, kind))
    return {f"{kind}.{key}": [getattr(run.data, kind).get(key, absent) for run in runs] for key in keys}
