"""Reads of runs: a fixed number of queries, however many runs."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, select

from minleaf_server.db.integers import one_of
from minleaf_server.db.read import inputs as read_inputs
from minleaf_server.db.read.summaries import COLUMNS, summary_of
from minleaf_server.db.tables import key, metric_summary, param, run, tag
from minleaf_server.entities import Lifecycle, MetricSummary, Run, RunInfo, RunStatus
from minleaf_server.errors import NotFound

T = TypeVar("T")

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
    return load_infos(conn, [row_id])[row_id]


def load_infos(conn: Connection, ids: Sequence[int]) -> dict[int, RunInfo]:
    """The runs with these internal ids, by id, without their data. Unknown ids are left out."""
    return {row.id: _info(row) for row in conn.execute(select(*_INFO).where(one_of(run.c.id, ids)))}


def load(conn: Connection, ids: Sequence[int], *, inputs: bool = False) -> list[Run]:
    """The runs with these internal ids, in this order, with their data in key order. Unknown ids are left out.

    With `inputs` they have their inputs and outputs too, for one or two more queries.
    """
    infos = load_infos(conn, ids)
    params = _data(conn, param, [param.c.value], ids)
    tags = _data(conn, tag, [tag.c.value], ids)
    metrics = _data(conn, metric_summary, [metric_summary.c[name] for name in COLUMNS], ids)
    names = _names(conn, {row[1] for rows in (params, tags, metrics) for row in rows})
    # Joining and sorting the names here takes a third of the time that it takes in the database.
    params_of = _by_run(params, names, _text)
    tags_of = _by_run(tags, names, _text)
    metrics_of = _by_run(metrics, names, _summary)
    of_runs = read_inputs.of_runs(conn, ids) if inputs else {}
    return [
        Run(infos[i], params_of.get(i, {}), metrics_of.get(i, {}), tags_of.get(i, {}), *of_runs.get(i, ()))
        for i in ids
        if i in infos
    ]


def _data(
    conn: Connection, table: Table, columns: Sequence[Any], ids: Sequence[int]
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Rows of (run id, key id, columns…)."""
    return conn.execute(select(table.c.run_id, table.c.key_id, *columns).where(one_of(table.c.run_id, ids))).all()


def _names(conn: Connection, key_ids: Collection[int]) -> dict[int, str]:
    """The names of these keys by id, in the order of the names."""
    query = select(key.c.id, key.c.name).where(one_of(key.c.id, sorted(key_ids))).order_by(key.c.name)
    return {row.id: row.name for row in conn.execute(query)}


def _by_run(
    rows: Sequence[Row[*tuple[Any, ...]]], names: dict[int, str], value: Callable[[Row[*tuple[Any, ...]]], T]
) -> dict[int, dict[str, T]]:
    """The values of the rows by run and name, the names in order."""
    position = {key_id: index for index, key_id in enumerate(names)}
    found: dict[int, dict[str, T]] = {}
    for row in sorted(rows, key=lambda row: position[row[1]]):
        found.setdefault(row[0], {})[names[row[1]]] = value(row)
    return found


def _text(row: Row[*tuple[Any, ...]]) -> str:
    text: str = row[2]
    return text


def _summary(row: Row[*tuple[Any, ...]]) -> MetricSummary:
    return summary_of(row[2:])


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
