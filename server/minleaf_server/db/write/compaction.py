"""Turning a run's segments into chunks of one series each, a bounded part at a time.

A segment holds what one request brought, for any metrics; to read one series all segments of its run are decoded. A
chunk holds some thousands of points of one series, sorted and closely packed. A part is one job of the writer, so a
crash leaves all of it or nothing, and readers see either the segments or the chunks.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minleaf_server.db.transaction import Transaction
from minleaf_server.errors import NotFound
from minleaf_server.points.codec import PointRow, Records, decode_chunk, decode_segments, encode_chunk, encode_segment
from minleaf_server.points.series import Series

POINTS_AT_ONCE = 16_384
SEGMENTS_AT_ONCE = 1_024
"""The most of one part, which takes a few milliseconds of the writer."""

CHUNK_POINTS = 4_096
"""A chunk is filled up to this many points before the next one of its series is begun."""

CHUNK_POINTS_MIN = 64
"""A series of fewer points stays in segments: a chunk of its own would take more room than it saves."""

OfKey = tuple[int, Series]


def compact(tx: Transaction, uuid: str) -> bool:
    """Compact the oldest segments of a locked run. Returns whether more are waiting.

    The run itself does not change, so its `seq` stays.
    """
    try:
        run_id = tx.run(uuid).id
    except NotFound:
        return False
    chosen, waiting = _oldest(tx, run_id)
    if len(chosen) < 2 and not waiting:
        return False
    query = "SELECT data FROM segment WHERE run_id = ? AND seq <= ? ORDER BY seq"
    records = decode_segments(row[0] for row in tx.execute(query, (run_id, chosen[-1])))
    tx.execute("DELETE FROM segment WHERE run_id = ? AND seq <= ?", (run_id, chosen[-1]))
    tails = _tails(tx, run_id, np.unique(records["key_id"]).tolist())
    chunks: list[OfKey] = []
    small: list[OfKey] = []
    for key_id, part in _by_series(records):
        tail = tails.get(key_id)
        whole = Series.joined([part] if tail is None else [decode_chunk(tail.data), part]).by_step()
        if tail is None and len(whole) < CHUNK_POINTS_MIN:
            small.append((key_id, whole))
        else:
            pieces = range(0, len(whole), CHUNK_POINTS)
            chunks += [(key_id, whole[start : start + CHUNK_POINTS]) for start in pieces]
    _delete_chunks(tx, run_id, [(key_id, tail.seq) for key_id, tail in tails.items()])
    _insert_chunks(tx, run_id, chunks)
    _keep(tx, run_id, small)
    return waiting


def _oldest(tx: Transaction, run_id: int) -> tuple[list[int], bool]:
    """The seqs of the segments of one part, and whether there are more."""
    chosen: list[int] = []
    points = 0
    query = "SELECT seq, n FROM segment WHERE run_id = ? ORDER BY seq LIMIT ?"
    rows = tx.execute(query, (run_id, SEGMENTS_AT_ONCE + 1)).all()
    for seq, count in rows[:SEGMENTS_AT_ONCE]:
        if chosen and points + count > POINTS_AT_ONCE:
            break
        chosen.append(seq)
        points += count
    return chosen, len(chosen) < len(rows)


class _Tail:
    """The chunk of a series that has room for more points."""

    __slots__ = ("data", "seq")

    def __init__(self, seq: int, data: bytes) -> None:
        self.seq = seq
        self.data = data


def _tails(tx: Transaction, run_id: int, key_ids: list[int]) -> dict[int, _Tail]:
    marks = ", ".join("?" * len(key_ids))
    query = f"SELECT key_id, seq, data FROM chunk WHERE run_id = ? AND key_id IN ({marks}) AND n < ?"
    return {row[0]: _Tail(row[1], row[2]) for row in tx.execute(query, (run_id, *key_ids, CHUNK_POINTS))}


def _by_series(records: Records) -> Iterator[OfKey]:
    """The points of each metric."""
    ordered = records[np.argsort(records["key_id"], kind="stable")]
    borders = np.flatnonzero(np.diff(ordered["key_id"])) + 1
    for part in np.split(ordered, borders) if len(ordered) else ():
        yield int(part["key_id"][0]), Series(part["step"], part["timestamp"], part["value"])


def _delete_chunks(tx: Transaction, run_id: int, keys: list[tuple[int, int]]) -> None:
    rows = [(run_id, key_id, seq) for key_id, seq in keys]
    tx.execute_many("DELETE FROM chunk WHERE run_id = ? AND key_id = ? AND seq = ?", rows)


def _insert_chunks(tx: Transaction, run_id: int, chunks: list[OfKey]) -> None:
    rows: list[tuple[Any, ...]] = []
    seq = tx.next_change() if chunks else 0
    for position, (key_id, series) in enumerate(chunks):
        if position and chunks[position - 1][0] == key_id:
            seq = tx.next_change()  # The next chunk of the same series.
        steps, times = series.steps, series.timestamps
        ends = int(steps[0]), int(steps[-1]), int(times.min()), int(times.max())
        rows.append((run_id, key_id, seq, len(series), *ends, encode_chunk(series)))
    columns = "run_id, key_id, seq, n, first_step, last_step, first_timestamp, last_timestamp, data"
    tx.execute_many(f"INSERT INTO chunk ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def _keep(tx: Transaction, run_id: int, small: list[OfKey]) -> None:
    """Put the points of short series back, as one segment."""
    if not small:
        return
    points = Series.joined(series for _, series in small)
    key_ids = np.repeat([key_id for key_id, _ in small], [len(series) for _, series in small])
    columns = (key_ids, points.steps, points.timestamps, points.values)
    rows = [PointRow(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    segment = (run_id, tx.next_change(), len(rows), encode_segment(rows))
    tx.execute("INSERT INTO segment (run_id, seq, n, data) VALUES (?, ?, ?, ?)", segment)
