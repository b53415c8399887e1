"""Where the points of one series lie: its chunks, and those segments of its run that are not compacted yet."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from minleaf_server.db.tables import chunk, segment
from minleaf_server.points.codec import Records, decode_chunk, decode_segments
from minleaf_server.points.history import Block, Corner
from minleaf_server.points.series import Place, Series

CHUNKS_AT_ONCE = 16
POINTS_AT_ONCE = 16_384
_ROWS_AT_ONCE = 4_096

KEPT_MAX = 131_072
"""Points of segments that are kept once they were read: a segment does not say of what time its points are."""


class ChunkRow(NamedTuple):
    """A chunk, by its key in the database."""

    seq: int


class SegmentRows(NamedTuple):
    """The segments of the run from one seq to another."""

    first: int
    last: int


Source = ChunkRow | SegmentRows | Series
SomeBlock = Block[Source]


class Blocks:
    """The blocks of one series. Looking again reads only what is new."""

    def __init__(self, run_id: int, key_id: int) -> None:
        self._run_id = run_id
        self._key_id = key_id
        self._newest_chunk: int | None = None
        self._chunks: list[SomeBlock] = []
        self._newest_segment = -1
        self._segments: list[SomeBlock] = []

    def look(self, conn: Connection, after: Place | None) -> list[SomeBlock]:
        """The blocks that may hold points behind the place, sorted by their first corners.

        A block of segments may meanwhile have been compacted, and hold less than it says.
        """
        self._look_for_chunks(conn)
        self._look_for_segments(conn)
        if after is not None:
            start = Corner(after.timestamp, after.step)
            self._chunks = [block for block in self._chunks if block.last >= start]
            self._segments = [block for block in self._segments if block.last >= start]
        return sorted(self._chunks + self._segments, key=_first)

    def read(self, conn: Connection, blocks: Sequence[SomeBlock]) -> Iterator[tuple[SomeBlock, Series]]:
        """The points of the blocks, a block at a time."""
        chunks: dict[int, SomeBlock] = {}
        for block in blocks:
            match block.source:
                case ChunkRow(seq):
                    chunks[seq] = block
                case SegmentRows() as rows:
                    yield block, self._read_segments(conn, rows)
                case Series() as points:
                    yield block, points
        seqs = list(chunks)
        for start in range(0, len(seqs), CHUNKS_AT_ONCE):
            query = select(chunk.c.seq, chunk.c.data).where(
                chunk.c.run_id == self._run_id,
                chunk.c.key_id == self._key_id,
                chunk.c.seq.in_(seqs[start : start + CHUNKS_AT_ONCE]),
            )
            for seq, data in conn.execute(query):
                yield chunks[seq], decode_chunk(data)

    def _look_for_chunks(self, conn: Connection) -> None:
        of_series = (chunk.c.run_id == self._run_id) & (chunk.c.key_id == self._key_id)
        # Whatever changes the chunks of a series adds one that is newer than all.
        newest = conn.execute(select(func.max(chunk.c.seq)).where(of_series)).scalar()
        if newest == self._newest_chunk:
            return
        self._newest_chunk = newest
        columns = (chunk.c.first_timestamp, chunk.c.first_step, chunk.c.last_timestamp, chunk.c.last_step)
        rows = conn.execute(select(*columns, chunk.c.n, chunk.c.seq).where(of_series))
        self._chunks = [Block(Corner(row[0], row[1]), Corner(row[2], row[3]), row[4], ChunkRow(row[5])) for row in rows]

    def _look_for_segments(self, conn: Connection) -> None:
        kept = sum(block.points for block in self._segments if isinstance(block.source, Series))
        for rows in self._new_segments(conn):
            points = self._read_segments(conn, rows)
            self._newest_segment = rows.last
            if not len(points):
                continue
            kept += len(points)
            first = Corner(int(points.timestamps.min()), int(points.steps.min()))
            last = Corner(int(points.timestamps.max()), int(points.steps.max()))
            self._segments.append(Block(first, last, len(points), points if kept <= KEPT_MAX else rows))

    def _new_segments(self, conn: Connection) -> Iterator[SegmentRows]:
        """The segments that were not looked at yet, so many at a time as can be read at once."""
        while True:
            query = (
                select(segment.c.seq, segment.c.n)
                .where(segment.c.run_id == self._run_id, segment.c.seq > self._newest_segment)
                .order_by(segment.c.seq)
                .limit(_ROWS_AT_ONCE)
            )
            rows = conn.execute(query).all()
            first, points = None, 0
            for seq, count in rows:
                first, points = seq if first is None else first, points + count
                if points >= POINTS_AT_ONCE:
                    yield SegmentRows(first, seq)
                    first, points = None, 0
            if first is not None:
                yield SegmentRows(first, rows[-1].seq)
            if len(rows) < _ROWS_AT_ONCE:
                return

    def _read_segments(self, conn: Connection, rows: SegmentRows) -> Series:
        here = segment.c.seq.between(rows.first, rows.last)
        query = select(segment.c.data).where(segment.c.run_id == self._run_id, here).order_by(segment.c.seq)
        return of_metric(decode_segments(conn.execute(query).scalars()), self._key_id)


def of_metric(records: Records, key_id: int) -> Series:
    """The points of one metric among those of a run."""
    (chosen,) = (records["key_id"] == key_id).nonzero()
    return Series(records["step"][chosen], records["timestamp"][chosen], records["value"][chosen])


def _first(block: SomeBlock) -> Corner:
    return block.first
