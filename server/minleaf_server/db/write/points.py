"""Writes of metric points: one segment a batch, and the summary of each of its metrics."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from minleaf_server.db.known_points import identity
from minleaf_server.db.read.summaries import COLUMNS, summary_of, values_of
from minleaf_server.db.tables import KeyKind
from minleaf_server.db.transaction import RunRow, Transaction
from minleaf_server.entities import MetricSummary, PointColumns
from minleaf_server.entities.summary import extended, is_behind
from minleaf_server.points.codec import PointRow, encode_segment

_PUT_SUMMARY = (
    f"INSERT INTO metric_summary (run_id, key_id, {', '.join(COLUMNS)}) "
    f"VALUES (?, ?, {', '.join('?' * len(COLUMNS))}) ON CONFLICT (run_id, key_id) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in COLUMNS)
)


def append(tx: Transaction, row: RunRow, points: PointColumns) -> None:
    """Store the points that the run does not have yet: same metric, step, timestamp and bits of the value."""
    if not points:
        return
    ids = tx.keys(row.experiment_id, KeyKind.METRIC, set(points.keys))
    columns = (points.keys, points.steps, points.timestamps, points.values)
    rows = [PointRow(ids[key], step, timestamp, value) for key, step, timestamp, value in zip(*columns, strict=True)]
    old = _summaries(tx, row.id, ids.values())
    fresh = _without_repeated(tx, row.id, rows, old)
    if not fresh:
        return
    segment = (row.id, tx.next_change(), len(fresh), encode_segment(fresh))
    tx.execute("INSERT INTO segment (run_id, seq, n, data) VALUES (?, ?, ?, ?)", segment)
    tx.appended(row)
    by_key = sorted(fresh, key=attrgetter("key_id"))
    summaries = [
        (row.id, key_id, *values_of(extended(old.get(key_id), group)))
        for key_id, group in groupby(by_key, attrgetter("key_id"))
    ]
    tx.execute_many(_PUT_SUMMARY, summaries)
    tx.touch(row.id)


def _summaries(tx: Transaction, run_id: int, key_ids: Iterable[int]) -> dict[int, MetricSummary]:
    wanted = sorted(key_ids)
    marks = ", ".join("?" * len(wanted))
    query = f"SELECT key_id, {', '.join(COLUMNS)} FROM metric_summary WHERE run_id = ? AND key_id IN ({marks})"
    return {found[0]: summary_of(found[1:]) for found in tx.execute(query, (run_id, *wanted))}


def _without_repeated(
    tx: Transaction, run_id: int, rows: Sequence[PointRow], old: dict[int, MetricSummary]
) -> list[PointRow]:
    """The rows without repetitions, of each other or of stored ones."""
    distinct = list({identity(row): row for row in rows}.items())
    # A point beyond the latest of its metric is new. Any other may be a repetition: then the stored ones are read.
    if not any(row.key_id in old and is_behind(old[row.key_id], row) for _, row in distinct):
        return [row for _, row in distinct]
    stored = tx.known_points.of_run(tx, run_id)
    return [row for mark, row in distinct if mark not in stored]
