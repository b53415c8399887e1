"""The columns of one experiment that are in memory, as one snapshot of the database has them."""

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from minleaf_server.columns import Integers, Numbers, Texts, Vocabulary, Wanted
from minleaf_server.db.columns import statements
from minleaf_server.db.columns.statements import UUID_BYTES, Unfit
from minleaf_server.db.columns.view import View
from minleaf_server.db.dialect import Dialect
from minleaf_server.filters.tree import Aggregate, Kind

Column: TypeAlias = Numbers | Integers | Texts
Places: TypeAlias = NDArray[np.intp]
Reserve: TypeAlias = Callable[[int], None]
"""Called with the bytes that loading will take. Raises Unfit where there is no room for them."""

START_TIME = Wanted(Kind.ATTRIBUTE, "start_time")
RUN_BYTES = 8 + UUID_BYTES + 1 + 8 + 4
"""Of a run itself: its id, uuid, lifecycle, `seq` and when it changed."""
_NUMBER_BYTES = 8 + 1
# What Python takes, however few runs there are.
_TABLE_BYTES = 4_000
_COLUMN_BYTES = 1_000
_TEXT_BYTES = 80
# No change has a larger number.
_NO_MARK = 2**63 - 1
_STALE_MIN = 500
_STALE_SHARE = 16


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """When a snapshot was taken: a later one sees everything that an earlier one sees."""

    latest: int
    settled: int


@dataclass(slots=True)
class _Kept:
    """A column and the version of the table that it belongs to."""

    column: Column
    version: int


class Table:
    """All calls but the first need its `lock`, and no call changes an array that a view has."""

    def __init__(self, experiment_id: int) -> None:
        self.experiment_id = experiment_id
        self.lock = threading.Lock()
        self.counted = 0
        """How many runs there were when they were to be loaded, or 0."""
        self._columns: dict[Wanted, _Kept] = {}
        self._keys: dict[tuple[Kind, str], int] = {}
        # The version in which a name was looked for in vain.
        self._absent: dict[Wanted, int] = {}
        # By column, the number of runs when its bytes were estimated, and these.
        self._estimates: dict[Wanted, tuple[int, int]] = {}
        self._moment: Moment | None = None
        # What has a larger mark may be unknown; see Dialect.changed_runs.
        self._mark = 0
        self._version = 0
        self._ids = np.empty(0, np.int64)
        self._uuids = np.empty(0, f"S{UUID_BYTES}")
        self._lifecycles = np.empty(0, np.int8)
        # The last known `seq` of each run, or 0, and the version in which it changed last.
        self._seqs = np.empty(0, np.int64)
        self._changed = np.empty(0, np.int32)
        # Places in the order of the ids, where they are not in order.
        self._order: Places | None = None

    @property
    def size(self) -> int:
        """How many runs there are."""
        return len(self._ids)

    @property
    def _experiment(self) -> statements.Experiment:
        return statements.Experiment(self.experiment_id, self.size)

    @property
    def columns(self) -> Collection[Wanted]:
        """What is loaded."""
        return self._columns.keys()

    def nbytes(self, field: Wanted | None) -> int:
        """Bytes of a column, or of what is kept besides the columns."""
        if field is None:
            return _TABLE_BYTES + RUN_BYTES * self.size
        return _COLUMN_BYTES + self._columns[field].column.nbytes

    def drop(self, field: Wanted) -> None:
        """Forget a column."""
        del self._columns[field]

    def refresh(self, conn: Connection, dialect: Dialect, reserve: Reserve) -> None:
        """Bring what is known of the runs to the snapshot of the connection, and load it if it is not.

        Raises Unfit where the snapshot is older than what is known already.
        """
        statement = dialect.sql(dialect.changed_runs)
        is_new = self._moment is None
        mark = _NO_MARK if is_new else self._mark
        rows = conn.exec_driver_sql(statement, (mark, self.experiment_id)).all()
        mark, latest, settled = rows[0][:3]
        moment = Moment(latest, settled)
        if self._moment is not None and moment < self._moment:
            raise Unfit
        if is_new:
            dialect.prolong(conn)
            # Once is enough for an experiment that does not fit: no run ever leaves it.
            self.counted = self.counted or statements.count(conn, self.experiment_id)
            reserve(_TABLE_BYTES + _COLUMN_BYTES + (RUN_BYTES + _NUMBER_BYTES) * self.counted)
            self._set_runs(statements.runs(conn, self.experiment_id))
        elif rows[0][3] is not None:
            self._apply([row[3:] for row in rows])
        self._mark, self._moment = mark, moment

    def load(self, conn: Connection, dialect: Dialect, wanted: Iterable[Wanted], reserve: Reserve) -> None:
        """Load these columns or bring them up to date. The table has been refreshed by this connection."""
        wanted = list(wanted)
        self._find_keys(conn, wanted)
        present = [field for field in wanted if self._exists(field)]
        self._update(conn, [field for field in present if field in self._columns])
        missing = [field for field in present if field not in self._columns]
        if not missing:
            return
        dialect.prolong(conn)
        reserve(sum(_COLUMN_BYTES + self._estimate(conn, field) for field in missing))
        for field, values in self._loaded(conn, missing).items():
            self._columns[field] = _Kept(self._new(field, values), self._version)

    def view(self, wanted: Iterable[Wanted]) -> View:
        """These columns, which are loaded."""
        columns = {
            field: self._columns[field].column if field in self._columns else _nothing(field, self.size)
            for field in wanted
        }
        return View(self._ids, self._uuids, self._lifecycles, columns)

    def _set_runs(self, runs: statements.Runs) -> None:
        order = np.argsort(runs.ids, kind="stable")
        self._ids, self._uuids, self._lifecycles = runs.ids[order], runs.uuids[order], runs.lifecycles[order]
        self._seqs, self._changed = np.zeros(len(order), np.int64), np.zeros(len(order), np.int32)
        self._columns[START_TIME] = _Kept(self._new(START_TIME, runs.starts), self._version)

    def _apply(self, rows: Sequence[Sequence[Any]]) -> None:
        """Take over what changed: rows of id, uuid, lifecycle and seq."""
        ids, seqs = (np.array([row[column] for row in rows], np.int64) for column in (0, 3))
        places = self._places(ids)
        known = places >= 0
        known[known] = self._seqs[places[known]] == seqs[known]
        if known.all():
            return
        fresh = np.flatnonzero(places < 0)
        self._append(ids[fresh], [rows[index][1] for index in fresh.tolist()])
        changed = np.flatnonzero(~known)
        places = self._places(ids[changed])
        self._version += 1
        self._seqs[places], self._changed[places] = seqs[changed], self._version
        self._lifecycles = self._lifecycles.copy()
        self._lifecycles[places] = [rows[index][2] for index in changed.tolist()]

    def _append(self, ids: NDArray[np.int64], uuids: Sequence[str]) -> None:
        if not len(ids):
            return
        if any(len(uuid.encode()) != UUID_BYTES for uuid in uuids):
            raise Unfit
        self._ids = np.concatenate([self._ids, ids])
        self._uuids = np.concatenate([self._uuids, np.array(uuids, f"S{UUID_BYTES}")])
        more = len(ids)
        self._lifecycles = np.concatenate([self._lifecycles, np.zeros(more, np.int8)])
        self._seqs = np.concatenate([self._seqs, np.zeros(more, np.int64)])
        self._changed = np.concatenate([self._changed, np.zeros(more, np.int32)])
        ascending = bool((self._ids[1:] > self._ids[:-1]).all())
        self._order = None if ascending else np.argsort(self._ids, kind="stable")

    def _places(self, ids: NDArray[np.int64]) -> Places:
        """Where these runs stand, -1 for one that is not there."""
        if not self.size:
            return np.full(len(ids), -1)
        places = np.searchsorted(self._ids, ids, sorter=self._order)
        np.minimum(places, self.size - 1, out=places)
        if self._order is not None:
            places = self._order[places]
        places[self._ids[places] != ids] = -1
        return places

    def _exists(self, field: Wanted) -> bool:
        return field.kind is Kind.ATTRIBUTE or (field.kind, field.name) in self._keys

    def _find_keys(self, conn: Connection, wanted: Iterable[Wanted]) -> None:
        unknown = [field for field in wanted if not self._exists(field)]
        unknown = [field for field in unknown if self._absent.get(field) != self._version]
        if unknown:
            self._keys |= statements.key_ids(conn, self.experiment_id, unknown)
            # A name appears together with a run that has it, so that the version grows.
            self._absent = {field: self._version for field in unknown if not self._exists(field)}

    def _key_id(self, field: Wanted) -> int | None:
        assert field.kind is not None, "the checker qualifies fields first"
        return self._keys.get((field.kind, field.name))

    def _estimate(self, conn: Connection, field: Wanted) -> int:
        """About how many bytes a column will have."""
        if field.kind is Kind.METRIC or field.name in statements.TIMES:
            return _NUMBER_BYTES * self.size
        size, estimate = self._estimates.get(field, (0, 0))
        if size < self.size - self.size // _STALE_SHARE:
            extent = statements.extent(conn, self._experiment, field, self._key_id(field))
            estimate = _TEXT_BYTES * extent.texts + extent.characters
            self._estimates[field] = (self.size, estimate)
        return 4 * self.size + estimate

    def _loaded(self, conn: Connection, fields: Sequence[Wanted]) -> dict[Wanted, statements.Values]:
        found: dict[Wanted, statements.Values] = {}
        metrics: dict[Wanted, int] = {}
        for field in fields:
            key_id = self._key_id(field)
            if key_id is None:
                found[field] = statements.attribute(conn, self._experiment, field.name)
            elif field.kind is Kind.METRIC:
                metrics[field] = key_id
            else:
                found[field] = statements.texts(conn, field, key_id)
        return found | (statements.metrics(conn, self._experiment, metrics) if metrics else {})

    def _update(self, conn: Connection, fields: Sequence[Wanted]) -> None:
        """Read again what changed since; a column of which much changed is dropped."""
        behind = {field: kept for field in fields if (kept := self._columns[field]).version < self._version}
        if not behind:
            return
        stale = np.flatnonzero(self._changed > min(kept.version for kept in behind.values()))
        if len(stale) > _STALE_MIN + self.size // _STALE_SHARE:
            for field in behind:
                self.drop(field)
            return
        keys = {field: self._key_id(field) for field in behind}
        for field, values in statements.of_runs(conn, self._ids[stale].tolist(), keys).items():
            column = behind[field].column
            if isinstance(column, Texts) and len(column.texts) > _STALE_MIN + 2 * self.size:
                self.drop(field)  # Most of its texts are those of no run any more.
            else:
                self._columns[field] = _Kept(self._changed_column(column, stale, values), self._version)

    def _new(self, field: Wanted, values: statements.Values) -> Column:
        nothing = _nothing(field, 0)
        if isinstance(nothing, Texts):
            nothing = Texts(nothing.codes, Vocabulary.of_distinct(values.texts))
        return self._filled(nothing, np.arange(self.size), values.ids, values.values)

    def _changed_column(self, column: Column, replaced: Places, values: statements.Values) -> Column:
        found = values.values
        if isinstance(column, Texts):
            found = column.vocabulary.codes_of(values.texts)[found]
        return self._filled(column, replaced, values.ids, found)

    def _filled(self, column: Column, replaced: Places, ids: statements.Ids, found: NDArray[Any]) -> Column:
        """The column with these values, and with nothing else at the places that are replaced."""
        places = self._places(ids)
        # A value without its run cannot be: nothing deletes runs. If it were, it would be no run's.
        there = places >= 0
        places, found = places[there], found[there]
        if isinstance(column, Texts):
            codes = self._longer(column.codes, -1, replaced)
            codes[places] = found
            return Texts(codes, column.vocabulary)
        present = self._longer(column.present, False, replaced)
        present[places] = True
        if isinstance(column, Integers):
            integers = self._longer(column.values, 0, replaced)
            integers[places] = found
            return Integers(integers, present)
        numbers = self._longer(column.values, np.nan, replaced)
        numbers[places] = found
        return Numbers(numbers, present)

    def _longer(self, array: NDArray[Any], nothing: float, replaced: Places) -> NDArray[Any]:
        longer = np.full(self.size, nothing, array.dtype)
        longer[: len(array)] = array
        longer[replaced] = nothing
        return longer


def _nothing(field: Wanted, size: int) -> Column:
    """A column in which no run has anything."""
    if field.kind in (Kind.PARAM, Kind.TAG) or (field.kind is Kind.ATTRIBUTE and field.name not in statements.TIMES):
        return Texts(np.broadcast_to(np.int32(-1), size), Vocabulary())
    absent = np.broadcast_to(np.bool_(False), size)
    if field.kind is Kind.ATTRIBUTE or field.aggregate in (Aggregate.COUNT, Aggregate.ARGMIN, Aggregate.ARGMAX):
        return Integers(np.broadcast_to(np.int64(0), size), absent)
    return Numbers(np.broadcast_to(np.nan, size), absent)
