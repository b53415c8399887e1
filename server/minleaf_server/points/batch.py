"""The points of one request, as the writer needs them: without repetitions, as bytes, as summaries.

A few points are handled one by one, many as arrays: an array costs more to make than a few points take. Both give the
same, which a property test holds them to.
"""

import struct
from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from minleaf_server.entities import MetricSummary
from minleaf_server.entities.summary import is_behind, merged, of_point
from minleaf_server.points.codec import PointRow, encode_columns, encode_segment

Identity = tuple[int, int, int, int]
"""What makes a point itself: the id of its metric's name, its step, its time and the bits of its value."""

Summaries = dict[int, MetricSummary]
Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

MANY = 48
"""From so many points on arrays are quicker."""

_DOUBLE = struct.Struct("<d")
_BITS = struct.Struct("<q")


class Batch(Protocol):
    """Points in the order in which they came."""

    def __len__(self) -> int: ...

    def distinct(self) -> "Batch":
        """Without repetitions: the first of each stays."""
        ...

    def without(self, stored: Set[Identity]) -> "Batch":
        """Without these."""
        ...

    def is_behind(self, known: Mapping[int, MetricSummary]) -> bool:
        """Whether one of them is not later than the latest of its metric, so that it may be a repetition."""
        ...

    def encoded(self) -> bytes:
        """As a segment."""
        ...

    def added_to(self, known: Mapping[int, MetricSummary]) -> Summaries:
        """The new summaries of the metrics that the points are of, by the ids of their names."""
        ...


def batch_of(key_ids: Sequence[int], steps: Sequence[int], timestamps: Sequence[int], values: Sequence[float]) -> Batch:
    """The points of these columns."""
    if len(key_ids) < MANY:
        return Few([PointRow(*row) for row in zip(key_ids, steps, timestamps, values, strict=True)])
    return Many(
        np.array(key_ids, np.int64),
        np.array(steps, np.int64),
        np.array(timestamps, np.int64),
        np.array(values, np.float64),
    )


class Few:
    """Points as rows."""

    def __init__(self, rows: list[PointRow]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def distinct(self) -> "Few":
        if len(self._rows) == 1:
            return self
        first: dict[Identity, PointRow] = {}
        for row in self._rows:
            first.setdefault(identity(row), row)
        return self if len(first) == len(self._rows) else Few(list(first.values()))

    def without(self, stored: Set[Identity]) -> "Few":
        return Few([row for row in self._rows if identity(row) not in stored])

    def is_behind(self, known: Mapping[int, MetricSummary]) -> bool:
        for key_id, step, timestamp, value in self._rows:
            summary = known.get(key_id)
            if summary is not None and is_behind(summary, step, timestamp, value):
                return True
        return False

    def encoded(self) -> bytes:
        return encode_segment(self._rows)

    def added_to(self, known: Mapping[int, MetricSummary]) -> Summaries:
        found: Summaries = {}
        for key_id, step, timestamp, value in self._rows:
            summary = found.get(key_id) or known.get(key_id)
            point = of_point(step, timestamp, value)
            found[key_id] = point if summary is None else merged(summary, point)
        return found


class _ByKey(NamedTuple):
    """The places of points by metric, in the order in which they came, and where each metric begins there.

    `is_rising` says that the steps of each metric rise, as they mostly do: then none is a repetition, and the last is
    the latest.
    """

    order: Integers
    starts: Integers
    is_rising: bool


class Many:
    """Points as columns."""

    def __init__(self, key_ids: Integers, steps: Integers, timestamps: Integers, values: Doubles) -> None:
        self._columns = (key_ids, steps, timestamps, values)

    def __len__(self) -> int:
        return len(self._columns[0])

    def distinct(self) -> "Many":
        if self._by_key.is_rising:
            return self
        key_ids, steps, timestamps, values = self._columns
        columns = (values.view(np.int64), timestamps, steps, key_ids)
        order = np.lexsort(columns)
        repeated = np.ones(len(self) - 1, dtype=bool)
        for column in columns:
            ordered = column[order]
            repeated &= ordered[1:] == ordered[:-1]
        if not repeated.any():
            return self
        fresh = np.ones(len(self), dtype=bool)
        fresh[order[1:][repeated]] = False
        return self._where(fresh)

    def without(self, stored: Set[Identity]) -> "Many":
        key_ids, steps, timestamps, values = self._columns
        identities = zip(*[c.tolist() for c in (key_ids, steps, timestamps, values.view(np.int64))], strict=True)
        return self._where(np.array([one not in stored for one in identities], dtype=bool))

    def is_behind(self, known: Mapping[int, MetricSummary]) -> bool:
        _, earliest = self._ends
        return any(
            is_behind(known[key_id], step, timestamp, value)
            for key_id, step, timestamp, value in self._picked(earliest)
            if key_id in known
        )

    def encoded(self) -> bytes:
        if len(self) < MANY:  # Others were repetitions.
            return encode_segment([PointRow(*row) for row in self._picked(slice(None))])
        return encode_columns(self._columns)

    def added_to(self, known: Mapping[int, MetricSummary]) -> Summaries:
        if not len(self):
            return {}
        key_ids, steps, _, values = self._columns
        starts = self._by_key.starts
        latest, _ = self._ends
        # The first of each metric: the least value at its least step. NaN stands last.
        lowest = np.lexsort((steps, values, key_ids))[starts]
        highest = np.lexsort((steps, -values, key_ids))[starts]
        nans = np.add.reduceat(np.isnan(values[self._by_key.order]), starts, dtype=np.int64)
        counts = np.diff(starts, append=len(self))
        found: Summaries = {}
        picked = (self._picked(places) for places in (latest, lowest, highest))
        for last, low, high, count, nan_count in zip(*picked, counts.tolist(), nans.tolist(), strict=True):
            key_id, step, timestamp, value = last
            if count > nan_count:
                own = MetricSummary(value, step, timestamp, low[3], low[1], high[3], high[1], count, nan_count)
            else:
                own = MetricSummary(value, step, timestamp, None, None, None, None, count, nan_count)
            found[key_id] = merged(known[key_id], own) if key_id in known else own
        return found

    @cached_property
    def _by_key(self) -> _ByKey:
        key_ids, steps, _, _ = self._columns
        order = np.argsort(key_ids, kind="stable")
        ordered, steps = key_ids[order], steps[order]
        is_new = ordered[1:] != ordered[:-1]
        starts = np.concatenate(([0], np.flatnonzero(is_new) + 1))
        return _ByKey(order, starts, bool((is_new | (steps[1:] > steps[:-1])).all()))

    @cached_property
    def _ends(self) -> tuple[Integers, Integers]:
        """The places of the latest and of the earliest point of each metric."""
        key_ids, steps, timestamps, values = self._columns
        order, starts, is_rising = self._by_key
        ends = np.append(starts[1:], len(order)) - 1
        if is_rising:
            return order[ends], order[starts]
        # A NaN counts as zero. The complement turns the order of integers around without overflow.
        order = np.lexsort((-np.where(np.isnan(values), 0.0, values), ~timestamps, ~steps, key_ids))
        return order[starts], order[ends]

    def _picked(self, places: Any) -> Any:
        """The points at these places as tuples."""
        return zip(*[column[places].tolist() for column in self._columns], strict=True)

    def _where(self, mask: npt.NDArray[np.bool_]) -> "Many":
        key_ids, steps, timestamps, values = self._columns
        return Many(key_ids[mask], steps[mask], timestamps[mask], values[mask])


def identity(row: PointRow) -> Identity:
    """What makes a point itself."""
    return (row[0], row[1], row[2], *_BITS.unpack(_DOUBLE.pack(row[3])))
