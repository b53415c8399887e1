"""Statements that read columns: whole ones of an experiment, and the values of a few runs."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Integer, Select, Table, case, func, select

from minleaf_server.columns import Wanted
from minleaf_server.db.columns import packing
from minleaf_server.db.integers import one_of
from minleaf_server.db.rows import METRIC_COLUMNS
from minleaf_server.db.tables import KeyKind, key, metric_summary, param, run, tag
from minleaf_server.entities import RunStatus
from minleaf_server.filters.tree import Aggregate, Kind

Ids: TypeAlias = NDArray[np.int64]

TIMES = {"start_time": run.c.start_time, "end_time": run.c.end_time}
_TEXTS = {"run_name": run.c.name, "user_id": run.c.user_id, "artifact_uri": run.c.artifact_uri}
_TABLES = {Kind.PARAM: param, Kind.TAG: tag}
_KINDS = {Kind.METRIC: KeyKind.METRIC, Kind.PARAM: KeyKind.PARAM, Kind.TAG: KeyKind.TAG}
_STEPS = (Aggregate.ARGMIN, Aggregate.ARGMAX)
_ROWS_AT_ONCE = 10_000
# To look a metric of a run up takes as long as to read so many.
_ROWS_A_LOOKUP = 30
# With fewer runs it makes no difference.
_SCAN_MIN = 10_000

UUID_BYTES = 32


class Unfit(Exception):
    """Columns cannot answer this search now, so SQL has to."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of an experiment, in no order."""

    ids: Ids
    uuids: NDArray[np.bytes_]
    lifecycles: NDArray[np.int8]
    starts: "Values"


@dataclass(frozen=True, slots=True)
class Values:
    """What some runs have in a column: `ids` of those that have anything, and for each its value.

    The value of a text is its place among the distinct `texts`.
    """

    ids: Ids
    values: NDArray[Any]
    texts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment and how many runs it has."""

    id: int
    runs: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How many distinct texts a column has, and how many characters they have together."""

    texts: int
    characters: int


def count(conn: Connection, experiment_id: int) -> int:
    """How many runs the experiment has, deleted ones included."""
    return conn.execute(select(func.count()).where(run.c.experiment_id == experiment_id)).scalar_one()


def runs(conn: Connection, experiment_id: int) -> Runs:
    """All runs of the experiment, with the only column that every search reads. An index has all of it.

    Raises Unfit where a uuid is not as every server makes them.
    """
    columns = [packing.packed_integers(run.c.id), packing.packed_integers(run.c.lifecycle)]
    columns += [func.aggregate_strings(run.c.uuid, "\n"), *_time(run.c.start_time)]
    query = select(*columns).where(run.c.experiment_id == experiment_id)
    ids, lifecycles, uuids, *starts = conn.execute(query).one()
    return Runs(
        packing.integers(ids),
        _uuids(uuids),
        packing.integers(lifecycles).astype(np.int8),
        _times(starts),
    )


def key_ids(conn: Connection, experiment_id: int, fields: Iterable[Wanted]) -> dict[tuple[Kind, str], int]:
    """The ids of the names of these metrics, params and tags, of those that the experiment has."""
    kinds = {kind.value: field_kind for field_kind, kind in _KINDS.items()}
    names = {field.name for field in fields}
    query = select(key.c.kind, key.c.name, key.c.id).where(
        key.c.experiment_id == experiment_id, key.c.name.in_(sorted(names))
    )
    return {(kinds[row.kind], row.name): row.id for row in conn.execute(query)}


def extent(conn: Connection, of: Experiment, field: Wanted, key_id: int | None) -> Extent:
    """How large a column of texts is. Of an attribute the texts count as distinct."""
    if key_id is None:
        if field.name == "status":
            return Extent(len(RunStatus), 0)
        texts = _of_experiment(conn, of, _TEXTS[field.name].label("value")).subquery()
    else:
        table = _TABLES[_kind(field)]
        texts = select(table.c.value).where(table.c.key_id == key_id).group_by(table.c.value).subquery()
    length = func.coalesce(func.sum(func.length(texts.c.value)), 0)
    return Extent(*map(int, conn.execute(select(func.count(), length).select_from(texts)).one()))


def attribute(conn: Connection, of: Experiment, name: str) -> Values:
    """The column of an attribute."""
    if name in TIMES:
        return _times(conn.execute(_of_experiment(conn, of, *_time(TIMES[name]))).one())
    if name == "status":
        columns = packing.packed_integers(run.c.id), packing.packed_integers(run.c.status)
        ids, statuses = conn.execute(_of_experiment(conn, of, *columns)).one()
        return _statuses(packing.integers(ids), packing.integers(statuses))
    columns = packing.packed_integers(run.c.id), packing.packed_texts(_TEXTS[name])
    ids, texts = conn.execute(_of_experiment(conn, of, *columns)).one()
    return _texts(packing.integers(ids), packing.texts(texts))


def texts(conn: Connection, field: Wanted, key_id: int) -> Values:
    """The column of a param or tag, whose name has this id."""
    table = _TABLES[_kind(field)]
    of_value = (
        select(table.c.value, func.count().label("runs"), packing.packed_integers(table.c.run_id).label("run_ids"))
        .where(table.c.key_id == key_id)
        .group_by(table.c.value)
        .subquery()
    )
    columns = packing.packed_texts(of_value.c.value), packing.packed_integers(of_value.c.runs)
    values, counts, ids = conn.execute(select(*columns, packing.joined(of_value.c.run_ids))).one()
    distinct = packing.texts(values)
    return Values(packing.integers(ids), np.repeat(np.arange(len(distinct)), packing.integers(counts)), distinct)


def metrics(conn: Connection, of: Experiment, fields: Mapping[Wanted, int]) -> dict[Wanted, Values]:
    """The columns of metrics, given with the ids of their names, in one statement."""
    key_ids = sorted(set(fields.values()))
    wanted = one_of(metric_summary.c.key_id, key_ids)
    if _is_scan_cheaper(conn, of, len(key_ids)):
        query = select(*_metric_columns(metric_summary.c.run_id, fields)).where(wanted)
    else:
        # As an outer join, so that SQLite looks the runs up one by one.
        source = run.outerjoin(metric_summary, (metric_summary.c.run_id == run.c.id) & wanted)
        columns = _metric_columns(run.c.id, fields)
        query = select(*columns).select_from(source).where(run.c.experiment_id == of.id)
    return _metrics(conn, query, fields)


def of_runs(conn: Connection, ids: Sequence[int], fields: Mapping[Wanted, int | None]) -> dict[Wanted, Values]:
    """What these runs have in columns that are given with the ids of their names, in one statement a table."""
    found: dict[Wanted, Values] = {}
    attributes = [field for field in fields if field.kind is Kind.ATTRIBUTE]
    if attributes:
        found |= _attributes_of(conn, ids, attributes)
    for kind, table in _TABLES.items():
        named = {field: key_id for field, key_id in fields.items() if field.kind is kind and key_id is not None}
        if named:
            found |= _texts_of(conn, ids, table, named)
    named = {field: key_id for field, key_id in fields.items() if field.kind is Kind.METRIC and key_id is not None}
    if named:
        here = one_of(metric_summary.c.run_id, ids), one_of(metric_summary.c.key_id, sorted(set(named.values())))
        found |= _metrics(conn, select(*_metric_columns(metric_summary.c.run_id, named)).where(*here), named)
    return found


def _is_scan_cheaper(conn: Connection, of: Experiment, wanted: int) -> bool:
    """Whether all metrics of all runs are read sooner than the wanted ones of the experiment's runs are looked up."""
    if of.runs < _SCAN_MIN:
        return False
    metrics = select(func.count()).where(key.c.experiment_id == of.id, key.c.kind == int(KeyKind.METRIC))
    return _all_runs(conn) * conn.execute(metrics).scalar_one() < _ROWS_A_LOOKUP * wanted * of.runs


def _all_runs(conn: Connection) -> int:
    return conn.execute(select(func.max(run.c.id))).scalar_one() or 0


def _of_experiment(conn: Connection, of: Experiment, *columns: ColumnElement[Any]) -> Select[Any]:
    query = select(*columns).where(run.c.experiment_id == of.id)
    if of.runs < _SCAN_MIN or 2 * of.runs < _all_runs(conn):
        return query
    # SQLite would look the runs of an index up, which takes longer where they are most of all.
    return query.with_hint(run, "NOT INDEXED", "sqlite")


def _kind(field: Wanted) -> Kind:
    assert field.kind is not None, "the checker qualifies fields first"
    return field.kind


def _time(column: ColumnElement[int]) -> list[ColumnElement[Any]]:
    return [packing.packed_integers(case((column.is_not(None), run.c.id))), packing.packed_integers(column)]


def _uuids(joined: str | None) -> NDArray[np.bytes_]:
    text = f"{joined}\n".encode() if joined else b""
    if len(text) % (UUID_BYTES + 1):
        raise Unfit
    lines = np.frombuffer(text, np.uint8).reshape(-1, UUID_BYTES + 1)
    if (lines[:, UUID_BYTES] != ord("\n")).any():
        raise Unfit
    return np.ascontiguousarray(lines[:, :UUID_BYTES]).view(f"S{UUID_BYTES}")[:, 0]


def _times(packed: Sequence[Any]) -> Values:
    ids, times = map(packing.integers, packed)
    return Values(ids, times)


def _texts(ids: Ids, texts: Sequence[str]) -> Values:
    distinct = dict.fromkeys(texts)
    if len(distinct) == len(texts):
        return Values(ids, np.arange(len(texts)), texts)
    places = {text: place for place, text in enumerate(distinct)}
    return Values(ids, np.fromiter(map(places.__getitem__, texts), np.int64, len(texts)), list(distinct))


def _statuses(ids: Ids, statuses: Ids) -> Values:
    distinct, places = np.unique(statuses, return_inverse=True)
    return Values(ids, places, [RunStatus(status).name for status in distinct.tolist()])


def _attributes_of(conn: Connection, ids: Sequence[int], fields: Sequence[Wanted]) -> dict[Wanted, Values]:
    columns = [TIMES.get(field.name, _TEXTS.get(field.name, run.c.status)) for field in fields]
    rows = conn.execute(select(run.c.id, *columns).where(one_of(run.c.id, ids))).all()
    found: dict[Wanted, Values] = {}
    for place, field in enumerate(fields, start=1):
        present = [(row[0], row[place]) for row in rows if row[place] is not None]
        row_ids = np.array([row_id for row_id, _ in present], np.int64)
        values = [value for _, value in present]
        if field.name in TIMES:
            found[field] = Values(row_ids, np.array(values, np.int64))
        elif field.name == "status":
            found[field] = _statuses(row_ids, np.array(values, np.int64))
        else:
            found[field] = _texts(row_ids, values)
    return found


def _texts_of(conn: Connection, ids: Sequence[int], table: Table, fields: Mapping[Wanted, int]) -> dict[Wanted, Values]:
    here = one_of(table.c.run_id, ids), one_of(table.c.key_id, sorted(fields.values()))
    rows = conn.execute(select(table.c.key_id, table.c.run_id, table.c.value).where(*here)).all()
    found: dict[Wanted, Values] = {}
    for field, key_id in fields.items():
        mine = [row for row in rows if row[0] == key_id]
        found[field] = _texts(np.array([row[1] for row in mine], np.int64), [row[2] for row in mine])
    return found


def _metric_columns(run_id: ColumnElement[int], fields: Collection[Wanted]) -> Iterator[ColumnElement[Any]]:
    """The run, the key or 0 where the run has none of them, and for each aggregate its value."""
    yield run_id.label("run_id")
    yield func.coalesce(metric_summary.c.key_id, 0).label("key_id")
    for aggregate in _aggregates(fields):
        value: ColumnElement[Any] = METRIC_COLUMNS[aggregate]
        if aggregate in _STEPS:
            yield case((value.is_not(None), 1), else_=0).label(f"has_{aggregate.value}")
        if isinstance(value.type, Integer):
            value = func.coalesce(value, 0)
        yield value.label(aggregate.value)


def _aggregates(fields: Collection[Wanted]) -> list[Aggregate]:
    return sorted({field.aggregate or Aggregate.LAST for field in fields}, key=lambda aggregate: aggregate.value)


def _metrics(conn: Connection, query: Select[Any], fields: Mapping[Wanted, int]) -> dict[Wanted, Values]:
    rows = _fetched(conn, query)
    found: dict[Wanted, Values] = {}
    for field, key_id in fields.items():
        name = (field.aggregate or Aggregate.LAST).value
        mine = rows["key_id"] == key_id
        if field.aggregate in _STEPS:
            mine &= rows[f"has_{name}"] != 0
        found[field] = Values(rows["run_id"][mine], rows[name][mine])
    return found


def _fetched(conn: Connection, query: Select[Any]) -> NDArray[Any]:
    """The rows of numbers, each an element with a field for each column. A NULL is NaN.

    SQLite cannot give doubles as anything but objects, a row at a time: as text some of them are others.
    """
    integer = [isinstance(column.type, Integer) for column in query.selected_columns]
    names = query.selected_columns.keys()
    dtype = np.dtype([(name, "i8" if whole else "f8") for name, whole in zip(names, integer, strict=True)])
    pieces = []
    with conn.execute(query) as result:
        # The driver's own rows: SQLAlchemy would make another of each.
        cursor: Any = result.cursor
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            pieces.append(np.fromiter(rows, dtype, len(rows)))
    return np.concatenate(pieces) if pieces else np.empty(0, dtype)
