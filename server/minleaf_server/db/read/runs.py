"""Reads of runs: a fixed number of queries, however many runs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, select

from minleaf_server.db.read.summaries import COLUMNS, summary_of
from minleaf_server.db.tables import key, metric_summary, param, run, tag
from minleaf_server.entities import Lifecycle, MetricSummary, Run, RunInfo, RunStatus
from minleaf_server.errors import NotFound

_INFO = (
    run.c.id,
    run.c.uuid,
    run.c.experiment_id,
    run.c.name,
    run.c.user_id,
    run.c.status,
    run.c.start_time,
    run.c.end_time,
    run.c.lifecycle,
    run.c.artifact_uri,
)


def row_ids(conn: Connection, uuids: Sequence[str]) -> list[int]:
    """The internal ids of the runs, in the order asked. Raises NotFound for the first that does not exist."""
    found = {row.uuid: row.id for row in conn.execute(select(run.c.uuid, run.c.id).where(run.c.uuid.in_(uuids)))}
    for uuid in uuids:
        if uuid not in found:
            raise NotFound(f"Run with id={uuid} not found")
    return [found[uuid] for uuid in uuids]


def load_info(conn: Connection, row_id: int) -> RunInfo:
    """One run without its data."""
    return _info(conn.execute(select(*_INFO).where(run.c.id == row_id)).one())


def load(conn: Connection, ids: Sequence[int]) -> list[Run]:
    """The runs with these internal ids, in this order, with their data in key order. Unknown ids are left out."""
    infos = {row.id: _info(row) for row in conn.execute(select(*_INFO).where(run.c.id.in_(ids)))}
    params: dict[int, dict[str, str]] = {identity: {} for identity in infos}
    tags: dict[int, dict[str, str]] = {identity: {} for identity in infos}
    metrics: dict[int, dict[str, MetricSummary]] = {identity: {} for identity in infos}
    for row in _data(conn, param, (param.c.value,), ids):
        params[row[0]][row[1]] = row[2]
    for row in _data(conn, tag, (tag.c.value,), ids):
        tags[row[0]][row[1]] = row[2]
    for row in _data(conn, metric_summary, tuple(metric_summary.c[name] for name in COLUMNS), ids):
        metrics[row[0]][row[1]] = summary_of(row[2:])
    return [Run(infos[i], params[i], metrics[i], tags[i]) for i in ids if i in infos]


def _data(conn: Connection, table: Table, columns: Sequence[Any], ids: Sequence[int]) -> Sequence[Any]:
    """Rows of (run id, name, columns…), by name. The names of an experiment are few, so they are joined here."""
    query = select(table.c.run_id, key.c.name, *columns).join(key, key.c.id == table.c.key_id)
    return conn.execute(query.where(table.c.run_id.in_(ids)).order_by(key.c.name)).all()


def _info(row: Any) -> RunInfo:
    return RunInfo(
        row.uuid,
        row.experiment_id,
        row.name,
        row.user_id,
        RunStatus(row.status),
        row.start_time,
        row.end_time,
        Lifecycle(row.lifecycle),
        row.artifact_uri,
    )
