"""Use cases of metric histories and of the curves drawn from them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minleaf_server.db.read import points, runs
from minleaf_server.db.store import Connection, Store
from minleaf_server.entities import Page, Point, token
from minleaf_server.entities.curve import Axis, Curve
from minleaf_server.entities.limits import INT64_MAX, INT64_MIN
from minleaf_server.errors import InvalidParameter
from minleaf_server.points import downsample
from minleaf_server.points.series import Series

ROWS_PER_RUN_MAX = 25_000

RunPoint = tuple[str, Point]


class Place(NamedTuple):
    """Where a page of a history ended: its last point, by the bits of the value."""

    timestamp: int
    step: int
    bits: int


async def history(
    store: Store, run_id: str, key: str, *, max_results: int | None = None, page_token: str | None = None
) -> Page[Point]:
    """Every point of the metric, each once, sorted by timestamp, step and value as MLflow's; a page of it on demand.

    An unknown key is an empty page. Raises NotFound for the run, InvalidParameter for a bad token.
    """
    if max_results is not None and max_results < 1:
        raise InvalidParameter(
            f"Invalid value {max_results} for parameter 'max_results' supplied. It must be a positive integer."
        )
    found = await _series(store, [run_id], key)
    series = found[run_id].by_time()
    start = 0 if not page_token else _after(series, page_token)
    end = len(series) if max_results is None else min(len(series), start + max_results)
    following = token.encode(_place(series, end - 1)) if end < len(series) else None
    return Page(_points(key, _slice(series, np.arange(start, end))), following)


async def history_bulk(store: Store, run_ids: Sequence[str], key: str, max_results: int) -> list[RunPoint]:
    """The first `max_results` points of several runs, sorted by run, timestamp, step, value. Raises NotFound."""
    found = await _series(store, run_ids, key)
    rows: list[RunPoint] = []
    for run_id in sorted(found):
        missing = max_results - len(rows)
        series = found[run_id].by_time()
        rows += [(run_id, point) for point in _points(key, _slice(series, np.arange(min(missing, len(series)))))]
    return rows


async def history_interval(
    store: Store, run_ids: Sequence[str], key: str, *, start_step: int | None, end_step: int | None, max_results: int
) -> list[RunPoint]:
    """The points at `max_results` evenly chosen steps of the range, and at the first and last step of every run in it.

    The runs come in the order asked, and have their points at the same steps, as MLflow's until version 3.6. This
    thins by position and can miss a spike; `curves` cannot. At most 25,000 points a run. Raises NotFound.
    """
    found = {run_id: series.by_step() for run_id, series in (await _series(store, run_ids, key)).items()}
    low = INT64_MIN if start_step is None else start_step
    high = INT64_MAX if end_step is None else end_step
    within = [series.steps[(series.steps >= low) & (series.steps <= high)] for series in found.values()]
    steps = _sampled(within, max_results)
    rows: list[RunPoint] = []
    for run_id in run_ids:
        (kept,) = np.nonzero(np.isin(found[run_id].steps, steps))
        if len(kept) > ROWS_PER_RUN_MAX:
            kept = kept[np.linspace(0, len(kept) - 1, ROWS_PER_RUN_MAX).astype(np.intp)]
        rows += [(run_id, point) for point in _points(key, _slice(found[run_id], kept))]
    return rows


def _sampled(steps_of_runs: Sequence[np.ndarray], size: int) -> np.ndarray:
    """`size` of all the steps, evenly chosen, besides the first and the last of each run. Steps come sorted."""
    steps = np.unique(np.concatenate(steps_of_runs))
    if len(steps) <= size:
        return steps
    ends = [steps_of_run[[0, -1]] for steps_of_run in steps_of_runs if len(steps_of_run)]
    return np.unique(np.concatenate([steps[np.arange(size) * len(steps) // size], *ends]))


async def curves(
    store: Store,
    run_ids: Sequence[str],
    key: str,
    *,
    axis: Axis,
    start: float | None = None,
    end: float | None = None,
    buckets: int,
) -> list[Curve]:
    """One curve per run that has the metric, in the order asked, thinned as `points.downsample` says.

    `start` and `end` bound the axis. Raises NotFound for an unknown run.
    """

    def read(conn: Connection) -> list[Curve]:
        found = _read(conn, run_ids, key)
        made = []
        for run_id in run_ids:
            if len(found[run_id]):
                series = found[run_id].by_step()
                x, y = downsample.along(axis, series.steps, series.timestamps, series.values)
                made.append(downsample.curve(run_id, x, y, start=start, end=end, buckets=buckets))
        return made

    return await store.read(read)


async def _series(store: Store, run_ids: Sequence[str], key: str) -> dict[str, Series]:
    return await store.read(lambda conn: _read(conn, run_ids, key))


def _read(conn: Connection, run_ids: Sequence[str], key: str) -> dict[str, Series]:
    """The series of every run asked for, empty where the run lacks the metric. Raises NotFound."""
    ids = dict(zip(run_ids, runs.row_ids(conn, run_ids), strict=True))
    found = points.series(conn, list(ids.values()), key)
    nothing = Series(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
    return {run_id: found.get(row_id, nothing) for run_id, row_id in ids.items()}


def _slice(series: Series, chosen: np.ndarray) -> Series:
    return Series(series.steps[chosen], series.timestamps[chosen], series.values[chosen])


def _points(key: str, series: Series) -> list[Point]:
    columns = (series.values.tolist(), series.timestamps.tolist(), series.steps.tolist())
    return [Point(key, value, timestamp, step) for value, timestamp, step in zip(*columns, strict=True)]


def _place(series: Series, index: int) -> Place:
    bits = series.values.view(np.int64)
    return Place(int(series.timestamps[index]), int(series.steps[index]), int(bits[index]))


def _after(series: Series, page_token: str) -> int:
    """Where the page after the point named by the token starts. Points are never removed, so it is still there."""
    place = token.decode(page_token, Place)
    if not all(INT64_MIN <= number <= INT64_MAX for number in place):
        raise token.invalid()
    bits = series.values.view(np.int64)
    same = (series.timestamps == place.timestamp) & (series.steps == place.step) & (bits == place.bits)
    (found,) = np.nonzero(same)
    if len(found) != 1:
        raise token.invalid()
    return int(found[0]) + 1
