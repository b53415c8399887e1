"""Thins a series to what a chart can show without losing what a reader would see.

The x axis is cut into buckets of equal width, as a screen is into columns of pixels. Of every bucket the lowest and
the highest value stay, and the first and the last, so the drawn line covers the same pixels as the whole series
would, and no spike is lost however short. NaN and the infinities are kept apart: the first and last of each kind in a
bucket stay, so that a chart can mark them and break its line there.
"""

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minleaf_server.entities.curve import Axis, Curve

#: int64, or uint64 for relative times: the distance of two int64 timestamps may not fit an int64.
Positions: TypeAlias = NDArray[np.int64] | NDArray[np.uint64]
Values: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.intp]
Flags: TypeAlias = NDArray[np.bool_]

#: A bucket that has at most this many points is not thinned.
POINTS_PER_BUCKET = 4


def along(
    axis: Axis, steps: NDArray[np.int64], timestamps: NDArray[np.int64], values: Values
) -> tuple[Positions, Values]:
    """The series' x along `axis` and its y, sorted by x; points at one x are ordered by the other column.

    The three arrays are one series' columns in any order. Nothing is copied when they are sorted already.
    """
    main, other = (steps, timestamps) if axis is Axis.STEP else (timestamps, steps)
    if not _is_sorted(main, other):
        order = np.lexsort((other, main))
        main, values = main[order], values[order]
    if axis is not Axis.RELATIVE or not main.size:
        return main, values
    return main.view(np.uint64) - main.view(np.uint64)[0], values


def curve(run_id: str, x: Positions, y: Values, *, start: float | None, end: float | None, buckets: int) -> Curve:
    """The part of a series with `start <= x <= end`, thinned to `buckets` buckets.

    `x` (ascending; equal neighbours are fine) and `y` are the whole series. A missing bound is open. A range of at
    most `4 * buckets` points is returned whole; of a longer one each bucket keeps its first, lowest, highest and last
    finite value (of equals the earliest) and the first and last of its NaN, +inf and -inf.

    Raises ValueError when `buckets` is below 1 or a bound is NaN.
    """
    if buckets < 1:
        raise ValueError("buckets must be at least 1")
    low = 0 if start is None else int(np.searchsorted(x, *_bound(x, start, "left")))
    high = len(x) if end is None else int(np.searchsorted(x, *_bound(x, end, "right")))
    high = max(low, high)
    inside_x, inside_y = x[low:high], y[low:high]
    is_finite = np.isfinite(inside_y)
    odd = inside_y[~is_finite]
    nan_count = int(np.count_nonzero(np.isnan(odd)))
    if len(inside_x) > POINTS_PER_BUCKET * buckets:
        kept = thin(inside_x, inside_y, is_finite, buckets)
        inside_x, inside_y = inside_x[kept], inside_y[kept]
    return Curve(
        run_id=run_id,
        x=inside_x.tolist(),
        y=inside_y.tolist(),
        total=len(x),
        in_range=high - low,
        nan_count=nan_count,
        inf_count=len(odd) - nan_count,
        before=_point(x, y, low - 1),
        after=_point(x, y, high),
    )


def thin(x: Positions, y: Values, is_finite: Flags, buckets: int) -> Indices:
    """The ascending indices of the points to keep. `x` is ascending and not empty, `buckets` at least 1."""
    starts = _bucket_starts(x, buckets)
    kept = np.zeros(len(x), dtype=bool)
    if is_finite.all():
        for indices in _outline(y, starts):
            kept[indices] = True
        return np.flatnonzero(kept)
    at = np.flatnonzero(is_finite)
    for indices in _outline(y[at], _within(at, starts)):
        kept[at[indices]] = True
    for kind in _kinds(y):
        for ends in _ends(np.flatnonzero(kind), starts):
            kept[ends] = True
    return np.flatnonzero(kept)


def _outline(y: Values, starts: Indices) -> Iterator[Indices]:
    """First, last, lowest and highest of each bucket of finite values; bucket i is `y[starts[i]:starts[i + 1]]`."""
    if not y.size:
        return
    yield starts
    yield np.append(starts[1:], len(y)) - 1
    sizes = np.diff(np.append(starts, len(y)))
    for extremes in (np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)):
        hits = np.flatnonzero(y == np.repeat(extremes, sizes))
        yield hits[np.searchsorted(hits, starts)]


def _kinds(y: Values) -> tuple[Flags, Flags, Flags]:
    return np.isnan(y), np.isposinf(y), np.isneginf(y)


def _ends(at: Indices, starts: Indices) -> tuple[Indices, Indices]:
    """Of the ascending indices `at`, the first and last in each bucket."""
    inner = _within(at, starts)
    return at[inner], at[np.append(inner[1:], len(at)) - 1 if at.size else inner]


def _within(at: Indices, starts: Indices) -> Indices:
    """Where the buckets start within the ascending indices `at`; buckets without any of them are left out."""
    inner = np.unique(np.searchsorted(at, starts))
    return inner[inner < len(at)]


def _bucket_starts(x: Positions, buckets: int) -> Indices:
    """The index at which each bucket that is not empty starts."""
    first, last = int(x[0]), int(x[-1])
    span = last - first + 1  # Python integers: the span of two int64 may need 65 bits
    if span * buckets <= np.iinfo(np.int64).max:
        edges = x[0] + (np.arange(buckets) * span // buckets).astype(x.dtype)
    else:
        edges = np.array([first + span * i // buckets for i in range(buckets)], dtype=x.dtype)
    starts: Indices = np.searchsorted(x, edges)
    # The edges ascend, and those with nothing between them start at the same place.
    is_new: Flags = np.diff(starts, prepend=-1) > 0
    return starts[is_new]


def _bound(x: Positions, bound: float, side: str) -> tuple[Any, Any]:
    """`bound` as a value of x's own type and the side to search it: a float would lose the low bits of a long step."""
    if math.isnan(bound):
        raise ValueError("a bound of the range must be a number")
    limits = np.iinfo(x.dtype)
    if bound > limits.max:
        return limits.max, "right"
    if bound < limits.min:
        return limits.min, "left"
    whole = math.ceil(bound) if side == "left" else math.floor(bound)
    return x.dtype.type(whole), side


def _point(x: Positions, y: Values, index: int) -> tuple[int, float] | None:
    return (int(x[index]), float(y[index])) if 0 <= index < len(x) else None


def _is_sorted(main: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    ahead = main[1:] > main[:-1]
    return bool(np.all(ahead | ((main[1:] == main[:-1]) & (other[1:] >= other[:-1]))))
