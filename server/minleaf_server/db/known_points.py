"""Which points of a run are already stored: asked only for points that may have been sent before.

A repeated request must add nothing, not even to a count. A point behind the latest of its metric may be a repetition,
so its run's points are read, once, and kept for the next such request.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Protocol

import numpy as np

from minleaf_server.points.batch import Identity
from minleaf_server.points.codec import Records, decode_chunk, decode_segments
from minleaf_server.points.series import Series

# Kept in memory between requests, over all runs; a point takes about 200 bytes.
KEPT_POINTS_MAX = 200_000


class Reading(Protocol):
    """The part of a Transaction that is needed here."""

    def execute(self, statement: str, values: Any = ()) -> Any: ...


@dataclass(slots=True)
class _Known:
    """The points of one run whose segments and chunks have a seq of at most `upto`."""

    upto: int = -1
    points: set[Identity] = field(default_factory=set)


class KnownPoints:
    """A cache by run. It reads only what is newer than what it has, so other replicas' writes are seen."""

    def __init__(self) -> None:
        self._runs: OrderedDict[int, _Known] = OrderedDict()
        self._count = 0

    def of_run(self, reading: Reading, run_id: int) -> set[Identity]:
        """The identities of every stored point of the run."""
        known = self._runs.pop(run_id, None) or _Known()
        self._count -= len(known.points)
        self._read_newer(reading, run_id, known)
        self._runs[run_id] = known
        self._count += len(known.points)
        while len(self._runs) > 1 and self._count > KEPT_POINTS_MAX:
            _, old = self._runs.popitem(last=False)
            self._count -= len(old.points)
        return known.points

    def forget_all(self) -> None:
        """After a rollback: what was read may never have been stored."""
        self._runs.clear()
        self._count = 0

    def _read_newer(self, reading: Reading, run_id: int, known: _Known) -> None:
        after = known.upto
        segments = reading.execute("SELECT seq, data FROM segment WHERE run_id = ? AND seq > ?", (run_id, after)).all()
        chunks = reading.execute("SELECT seq, key_id, data FROM chunk WHERE run_id = ? AND seq > ?", (run_id, after))
        known.points.update(_record_identities(decode_segments(row[1] for row in segments)))
        known.upto = max([after, *(row[0] for row in segments)])
        for seq, key_id, data in chunks.all():
            known.upto = max(known.upto, seq)
            known.points.update(_series_identities(key_id, decode_chunk(data)))


def _record_identities(records: Records) -> Iterator[Identity]:
    bits = records["value"].copy().view(np.int64)
    columns = records["key_id"], records["step"], records["timestamp"], bits
    return zip(*(column.tolist() for column in columns), strict=True)


def _series_identities(key_id: int, series: Series) -> Iterator[Identity]:
    columns = series.steps, series.timestamps, series.values.view(np.int64)
    return zip(repeat(key_id), *(column.tolist() for column in columns), strict=False)
