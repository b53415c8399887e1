"""Writes of metric points: one segment a batch, and the summary of each of its metrics."""

from collections.abc import Iterable

from minleaf_server.db.memory import RunRow
from minleaf_server.db.read.summaries import COLUMNS, summary_of
from minleaf_server.db.tables import KeyKind
from minleaf_server.db.transaction import Transaction
from minleaf_server.entities import PointColumns
from minleaf_server.points.batch import batch_of

_SUMMARIES = f"SELECT key_id, {', '.join(COLUMNS)} FROM metric_summary WHERE run_id = ? AND key_id IN ?"


def append(tx: Transaction, row: RunRow, points: PointColumns) -> None:
    """Store the points that the run does not have yet: same metric, step, timestamp and bits of the value."""
    if not points:
        return
    ids = tx.keys(row.experiment_id, KeyKind.METRIC, set(points.keys))
    _load_summaries(tx, row, ids.values())
    key_ids = [ids[key] for key in points.keys]
    batch = batch_of(key_ids, points.steps, points.timestamps, points.values).distinct()
    # A point beyond the latest of its metric is new. Any other may be a repetition: then the stored ones are read.
    if batch.is_behind(row.summaries):
        batch = batch.without(tx.known_points.of_run(tx, row.id))
    if len(batch):
        tx.append(row, len(batch), batch.encoded(), batch.added_to(row.summaries))


def _load_summaries(tx: Transaction, row: RunRow, key_ids: Iterable[int]) -> None:
    """Let the row have the summaries of these metrics, where there are any."""
    if row.is_whole:
        return
    unknown = [key_id for key_id in key_ids if key_id not in row.summaries]
    if unknown:
        found = tx.rows(_SUMMARIES, (row.id, unknown))
        row.summaries.update({key_id: summary_of(columns) for key_id, *columns in found})
