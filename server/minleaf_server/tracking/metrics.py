"""Use cases of metric histories and of the curves drawn from them."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from minleaf_server.db.read import points, runs
from minleaf_server.db.read.history import History
from minleaf_server.db.store import Connection, Store
from minleaf_server.entities import Point, token
from minleaf_server.entities.curve import Axis, Curve
from minleaf_server.entities.limits import INT64_MAX, INT64_MIN
from minleaf_server.errors import InvalidParameter
from minleaf_server.points import downsample
from minleaf_server.points.series import Place, Series

T = TypeVar("T")

ROWS_PER_RUN_MAX = 25_000

PART = 16_384
"""Points that are read at a time while a history is sent."""

RENDERED = 8_192
"""Points that are rendered at a time, so that no other thread waits for long."""

RunPoint = tuple[str, Point]


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What some of a history's points became, and on the last part of a page the token of the next page."""

    rendered: list[T]
    next_token: str | None = None


async def history(
    store: Store,
    run_id: str,
    key: str,
    render: Callable[[Series], T],
    *,
    max_results: int | None = None,
    page_token: str | None = None,
) -> AsyncIterator[Part[T]]:
    """Every point of the metric, each once, sorted by timestamp, step and value as MLflow's; a page of it on demand.

    The points come in parts, each read and rendered in another thread; `render` is given some thousands at a time.
    An unknown key has no points. Raises NotFound for the run, InvalidParameter for a bad token, with the first part.
    """
    if max_results is not None and max_results < 1:
        raise InvalidParameter(
            f"Invalid value {max_results} for parameter 'max_results' supplied. It must be a positive integer."
        )
    after = _place(page_token) if page_token else None
    opened: History | None = None
    left = max_results

    def read(conn: Connection) -> tuple[History, Part[T], int]:
        found = opened or _opened(conn, run_id, key, after)
        taken = found.take(conn, PART if left is None else min(left, PART))
        place = found.rest(conn) if left == len(taken) else None
        rendered = [render(taken[start : start + RENDERED]) for start in range(0, len(taken), RENDERED)]
        return found, Part(rendered, None if place is None else token.encode(place)), len(taken)

    while True:
        opened, part, count = await store.long_read(read, resumed=opened is not None)
        if count:
            yield part
        left = None if left is None else left - count
        if not count or left == 0:
            return


def _opened(conn: Connection, run_id: str, key: str, after: Place | None) -> History:
    found = History(conn, runs.row_ids(conn, [run_id])[0], key, after)
    # Points are never removed: the one that ended a page is still there.
    if not found.starts_at_a_point(conn):
        raise token.invalid()
    return found


def _place(page_token: str) -> Place:
    place = token.decode(page_token, Place)
    if not all(INT64_MIN <= number <= INT64_MAX for number in place):
        raise token.invalid()
    return place


async def history_bulk(store: Store, run_ids: Sequence[str], key: str, max_results: int) -> list[RunPoint]:
    """The first `max_results` points of several runs, sorted by run, timestamp, step, value. Raises NotFound."""
    ordered = sorted(run_ids)

    def read(conn: Connection) -> list[RunPoint]:
        rows: list[RunPoint] = []
        for run_id, row_id in zip(ordered, runs.row_ids(conn, ordered), strict=True):
            found = History(conn, row_id, key)
            while len(rows) < max_results and len(taken := found.take(conn, max_results - len(rows))):
                rows += [(run_id, point) for point in _points(key, taken)]
        return rows

    return await store.long_read(read)


async def history_interval(
    store: Store, run_ids: Sequence[str], key: str, *, start_step: int | None, end_step: int | None, max_results: int
) -> list[RunPoint]:
    """The points at `max_results` evenly chosen steps of the range, and at the first and last step of every run in it.

    The runs come in the order asked, and have their points at the same steps, as MLflow's until version 3.6. This
    thins by position and can miss a spike; `curves` cannot. At most 25,000 points a run. Raises NotFound.
    """
    low = INT64_MIN if start_step is None else start_step
    high = INT64_MAX if end_step is None else end_step

    def read(conn: Connection) -> list[RunPoint]:
        row_ids = runs.row_ids(conn, run_ids)
        found = {
            row_id: series[(series.steps >= low) & (series.steps <= high)]
            for row_id, series in points.series(conn, row_ids, key)
        }
        steps = _sampled([series.steps for series in found.values()], max_results)
        rows: list[RunPoint] = []
        for run_id, row_id in zip(run_ids, row_ids, strict=True):
            if row_id in found:
                rows += [(run_id, point) for point in _points(key, _at(found[row_id], steps))]
        return rows

    return await store.long_read(read)


def _at(series: Series, steps: np.ndarray) -> Series:
    """The points at these steps, thinned by position where they are too many."""
    (kept,) = np.nonzero(np.isin(series.steps, steps))
    if len(kept) > ROWS_PER_RUN_MAX:
        kept = kept[np.linspace(0, len(kept) - 1, ROWS_PER_RUN_MAX).astype(np.intp)]
    return series[kept]


def _sampled(steps_of_runs: Sequence[np.ndarray], size: int) -> np.ndarray:
    """`size` of all the steps, evenly chosen, besides the first and the last of each run. Steps come sorted."""
    steps = np.unique(np.concatenate([np.empty(0, np.int64), *steps_of_runs]))
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
        row_ids = runs.row_ids(conn, run_ids)
        uuids = dict(zip(row_ids, run_ids, strict=True))
        made: dict[int, Curve] = {}
        for row_id, series in points.series(conn, row_ids, key):
            x, y = downsample.along(axis, series.steps, series.timestamps, series.values)
            made[row_id] = downsample.curve(uuids[row_id], x, y, start=start, end=end, buckets=buckets)
        return [made[row_id] for row_id in row_ids if row_id in made]

    return await store.long_read(read)


def _points(key: str, series: Series) -> list[Point]:
    columns = (series.values.tolist(), series.timestamps.tolist(), series.steps.tolist())
    return [Point(key, value, timestamp, step) for value, timestamp, step in zip(*columns, strict=True)]
