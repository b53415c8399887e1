"""Reads of runs: a fixed number of queries, however many runs.

Statements are made once, and params and tags come as one row for each run: to take a row from the driver costs more
than what is in it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select, Table, bindparam, literal_column, select, union_all

from minleaf_server.db.integers import one_of_given
from minleaf_server.db.read import inputs as read_inputs
from minleaf_server.db.read.summaries import COLUMNS, LATEST_COLUMNS, latest_of, summary_of
from minleaf_server.db.tables import key, metric_summary, param, run, tag
from minleaf_server.db.text_objects import text_object
from minleaf_server.entities import LatestPoint, Lifecycle, Run, RunInfo, RunStatus, SummarizedRun
from minleaf_server.errors import NotFound

Value = TypeVar("Value")
Latest = TypeVar("Latest", bound=LatestPoint)

_PARAMS, _TAGS = 0, 1
_INFO = select(
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
).where(one_of_given(run.c.id, "ids"))
_VERSION = select(run.c.id, run.c.seq).where(run.c.uuid == bindparam("uuid"))
_VERSIONS = select(run.c.id, run.c.seq).where(one_of_given(run.c.id, "ids"))
_NAMES = select(key.c.id, key.c.name).where(one_of_given(key.c.id, "ids"))
_STATUSES = {int(status): status for status in RunStatus}
_LIFECYCLES = {int(lifecycle): lifecycle for lifecycle in Lifecycle}
_texts = msgspec.json.Decoder(dict[int, str])


def _texts_of(kind: int, table: Table) -> Select[Any]:
    texts = text_object(table.c.key_id, table.c.value)
    of_runs = select(literal_column(str(kind)), table.c.run_id, texts).where(one_of_given(table.c.run_id, "ids"))
    return of_runs.group_by(table.c.run_id)


def _points(columns: Sequence[str]) -> Select[Any]:
    table = metric_summary.c
    of_runs = select(*(table[name] for name in columns), table.run_id, table.key_id)
    return of_runs.where(one_of_given(table.run_id, "ids"))


_TEXTS = union_all(_texts_of(_PARAMS, param), _texts_of(_TAGS, tag))
_LATEST = _points(LATEST_COLUMNS)
_SUMMARIES = _points(COLUMNS)


def row_ids(conn: Connection, uuids: Sequence[str]) -> list[int]:
    """The internal ids of the runs, in the order asked. Raises NotFound for the first that does not exist."""
    found = {row.uuid: row.id for row in conn.execute(select(run.c.uuid, run.c.id).where(run.c.uuid.in_(uuids)))}
    for uuid in uuids:
        if uuid not in found:
            raise _not_found(uuid)
    return [found[uuid] for uuid in uuids]


def version(conn: Connection, uuid: str) -> tuple[int, int]:
    """The internal id of the run and its `seq`, which is another whenever the run is. Raises NotFound."""
    found = conn.execute(_VERSION, {"uuid": uuid}).first()
    if found is None:
        raise _not_found(uuid)
    row_id, seq = found
    return row_id, seq


def versions(conn: Connection, ids: Sequence[int]) -> dict[int, int]:
    """The `seq` of each of these runs by internal id. Unknown ids are left out."""
    return dict(_rows(conn, _VERSIONS, ids))


def load_infos(conn: Connection, ids: Sequence[int]) -> dict[int, RunInfo]:
    """The runs with these internal ids, by id, without their data. Unknown ids are left out."""
    return {row[0]: _info(*row[1:]) for row in _rows(conn, _INFO, ids)}


def load(conn: Connection, ids: Sequence[int], *, inputs: bool = False) -> list[Run]:
    """The runs with these internal ids, in this order, with their data in key order. Unknown ids are left out.

    With `inputs` they have their inputs and outputs too, for one or two more queries. Four queries without.
    """
    return _load(conn, ids, _LATEST, latest_of, Run, inputs=inputs)


def load_summarized(conn: Connection, ids: Sequence[int], *, inputs: bool = False) -> list[SummarizedRun]:
    """As `load`, with all that is known of each metric without reading its points."""
    return _load(conn, ids, _SUMMARIES, summary_of, SummarizedRun, inputs=inputs)


def _load(
    conn: Connection,
    ids: Sequence[int],
    points: Select[Any],
    point_of: Callable[[Sequence[Any]], Latest],
    made: Callable[..., Value],
    *,
    inputs: bool,
) -> list[Value]:
    infos = load_infos(conn, ids)
    texts = {(kind, row_id): _texts.decode(text) for kind, row_id, text in _rows(conn, _TEXTS, ids)}
    metrics: dict[int, dict[int, Latest]] = defaultdict(dict)
    for row in _rows(conn, points, ids):
        metrics[row[-2]][row[-1]] = point_of(row)
    names = _Names(conn, {key_id for found in (texts, metrics) for by_key in found.values() for key_id in by_key})
    of_runs = read_inputs.of_runs(conn, ids) if inputs else {}
    return [
        made(
            infos[i],
            names.by_name(texts.get((_PARAMS, i), {})),
            names.by_name(metrics.get(i, {})),
            names.by_name(texts.get((_TAGS, i), {})),
            *of_runs.get(i, ()),
        )
        for i in ids
        if i in infos
    ]


class _Names:
    """The names of some keys.

    Runs of one experiment mostly have the same keys: so these are put in the order of their names once for all of
    them. To join and to sort in the database would take longer.
    """

    def __init__(self, conn: Connection, key_ids: Collection[int]) -> None:
        self._names: dict[int, str] = dict(_rows(conn, _NAMES, sorted(key_ids)) if key_ids else ())
        self._sorted: dict[tuple[int, ...], list[tuple[str, int]]] = {}

    def by_name(self, by_key: Mapping[int, Value]) -> dict[str, Value]:
        """The values by name, the names in order."""
        key_ids = tuple(by_key)
        order = self._sorted.get(key_ids)
        if order is None:
            order = self._sorted[key_ids] = sorted((self._names[key_id], key_id) for key_id in key_ids)
        return {name: by_key[key_id] for name, key_id in order}


def _rows(conn: Connection, statement: Any, ids: Iterable[int]) -> Sequence[Any]:
    """The rows for these ids as the driver makes them: a page holds tens of thousands."""
    return conn.execute(statement, {"ids": ids}).cursor.fetchall()


def _info(
    uuid: str,
    experiment_id: int,
    name: str,
    user: str,
    status: int,
    start_time: int | None,
    end_time: int | None,
    lifecycle: int,
    artifact_uri: str,
) -> RunInfo:
    return RunInfo(
        uuid,
        experiment_id,
        name,
        user,
        _STATUSES[status],
        start_time,
        end_time,
        _LIFECYCLES[lifecycle],
        artifact_uri,
    )


def _not_found(uuid: str) -> NotFound:
    return NotFound(f"Run with id={uuid} not found")
