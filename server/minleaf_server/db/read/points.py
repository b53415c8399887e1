"""Whole series of one metric, a run at a time."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from sqlalchemy import Connection, Row, Select, select

from minleaf_server.db.integers import one_of
from minleaf_server.db.read.blocks import of_metric
from minleaf_server.db.tables import KeyKind, chunk, key, metric_summary, run, segment
from minleaf_server.points.codec import decode_chunks, decode_segments
from minleaf_server.points.series import Series

# Most rows are a chunk of some 20 kB each.
_BUFFERED_ROWS = 64
_SEGMENTS_AT_ONCE = 256


def series(conn: Connection, row_ids: Sequence[int], name: str) -> Iterator[tuple[int, Series]]:
    """The points of the metric `name` of each of these runs that has it, by internal id, sorted by step, each once.

    The runs come in any order. One is held at a time, and few statements are made however many there are.
    """
    owners = (
        select(key.c.id, run.c.id.label("run_id"))
        .join(run, run.c.experiment_id == key.c.experiment_id)
        .join(metric_summary, (metric_summary.c.run_id == run.c.id) & (metric_summary.c.key_id == key.c.id))
        .where(key.c.kind == int(KeyKind.METRIC), key.c.name == name, one_of(run.c.id, row_ids))
        .order_by(key.c.id)
    )
    for key_id, rows in groupby(conn.execute(owners).all(), key=itemgetter(0)):
        yield from _of_key(conn, sorted(row.run_id for row in rows), key_id)


def _of_key(conn: Connection, row_ids: Sequence[int], key_id: int) -> Iterator[tuple[int, Series]]:
    of_chunks, of_segments = one_of(chunk.c.run_id, row_ids), one_of(segment.c.run_id, row_ids)
    chunks = select(chunk.c.run_id, chunk.c.first_step, chunk.c.data).where(of_chunks, chunk.c.key_id == key_id)
    segments = select(segment.c.run_id, segment.c.seq, segment.c.data).where(of_segments)
    compacted = _Rows(conn, chunks.order_by(chunk.c.run_id, chunk.c.seq))
    fresh = _Rows(conn, segments.order_by(segment.c.run_id, segment.c.seq))
    for row_id in row_ids:
        # In the order of their steps they are mostly one behind the other, and nothing is left to be sorted.
        parts = [decode_chunks([row.data for row in sorted(compacted.of(row_id), key=itemgetter(1))])]
        blobs = fresh.of(row_id)
        while some := list(islice(blobs, _SEGMENTS_AT_ONCE)):
            parts.append(of_metric(decode_segments(row.data for row in some), key_id))
        points = Series.joined(part for part in parts if len(part))
        if len(points):
            yield row_id, points.by_step()


class _Rows:
    """The rows of a query of runs, sorted by run. They are fetched as they are needed."""

    def __init__(self, conn: Connection, query: Select[int, int, bytes]) -> None:
        options = {"stream_results": True, "max_row_buffer": _BUFFERED_ROWS}
        self._groups = groupby(conn.execute(query, execution_options=options), key=itemgetter(0))
        self._next = next(self._groups, None)

    def of(self, row_id: int) -> Iterator[Row[int, int, bytes]]:
        """The rows of the run. The runs have to be asked for in their order, each once and to its end."""
        if self._next is not None and self._next[0] == row_id:
            yield from self._next[1]
            self._next = next(self._groups, None)
