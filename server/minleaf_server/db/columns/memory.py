"""Columns within a limit of memory, shared by all searches of a process."""

import logging
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock

from sqlalchemy import Connection

from minleaf_server.columns import Wanted
from minleaf_server.db.columns.statements import Unfit
from minleaf_server.db.columns.table import Table
from minleaf_server.db.columns.view import View
from minleaf_server.db.dialect import READ_SECONDS_MAX, Dialect

log = logging.getLogger(__name__)

EXPERIMENTS_MAX = 50
"""How many experiments one search of columns may be of: each takes a statement."""

_Entry = tuple[int, Wanted | None]


class Held:
    """The tables of one search, locked from before its snapshot begins until they are as the snapshot has them."""

    def __init__(self, columns: "Columns", tables: Sequence[Table]) -> None:
        self._columns = columns
        self._tables = tables
        self._is_locked = True

    def views(self, conn: Connection, wanted: Collection[Wanted]) -> list[View] | None:
        """These columns of each experiment as the snapshot of the connection has them, or None where SQL has to answer.

        Others may search the same experiments from then on.
        """
        try:
            return self._columns.read(conn, self._tables, wanted) if self._tables else None
        finally:
            self.release()

    def release(self) -> None:
        """Let others search the same experiments."""
        if self._is_locked:
            self._is_locked = False
            self._columns.release(self._tables)


class Columns:
    """The columns in memory, of `limit` bytes at most; with 0 there are none. The least recently used make room."""

    def __init__(self, dialect: Dialect, limit: int) -> None:
        self.limit = limit
        self._dialect = dialect
        self._lock = Lock()
        self._tables: dict[int, Table] = {}
        # In the order of their last use. An entry without a field is what a table takes besides its columns.
        self._sizes: dict[_Entry, int] = {}
        self._reserved = 0
        self._told: set[int] = set()

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        with self._lock:
            return sum(self._sizes.values())

    @contextmanager
    def hold(self, experiment_ids: Collection[int]) -> Generator[Held]:
        """Keep others from searching these experiments until it is known what the search reads.

        The snapshot has to begin inside the block: no statement may have been made on its connection before.
        """
        held = Held(self, self._locked(experiment_ids))
        try:
            yield held
        finally:
            held.release()
            self._settle(experiment_ids)

    def read(self, conn: Connection, tables: Sequence[Table], wanted: Collection[Wanted]) -> list[View] | None:
        """As `Held.views`, of tables that the caller has locked."""
        reserved: list[int] = []
        reserve = partial(self._reserve, tables, wanted, reserved)
        try:
            for table in tables:
                table.refresh(conn, self._dialect, reserve)
                table.load(conn, self._dialect, wanted, reserve)
                self._measure(table, wanted, reserved)
            return [table.view(wanted) for table in tables]
        except Unfit:
            return None
        except BaseException:
            # It may be half way between two snapshots.
            self._forget(tables)
            raise
        finally:
            self._unreserve(reserved)

    def release(self, tables: Sequence[Table]) -> None:
        """Unlock tables; those of experiments without runs are forgotten."""
        for table in tables:
            if not table.counted:
                self._forget([table])
            table.lock.release()

    def _settle(self, experiment_ids: Collection[int]) -> None:
        """Count what the search has remembered of its columns, and keep to the limit."""
        for table in self._known(experiment_ids):
            if table.lock.acquire(blocking=False):
                try:
                    self._measure(table, (), [])
                finally:
                    table.lock.release()
        with self._lock:
            self._make_room(0, (), ())

    def _known(self, experiment_ids: Collection[int]) -> list[Table]:
        with self._lock:
            return [self._tables[number] for number in experiment_ids if number in self._tables]

    def _locked(self, experiment_ids: Collection[int]) -> list[Table]:
        """The tables of these experiments in the order of their ids, or none where that takes too long."""
        tables: list[Table] = []
        if self.limit == 0 or len(experiment_ids) > EXPERIMENTS_MAX:
            return tables
        for number in sorted(set(experiment_ids)):
            table = self._lock_one(number)
            if table is None:
                self.release(tables)
                return []
            tables.append(table)
        return tables

    def _lock_one(self, experiment_id: int) -> Table | None:
        while True:
            with self._lock:
                table = self._tables.setdefault(experiment_id, Table(experiment_id))
            if not table.lock.acquire(timeout=READ_SECONDS_MAX):
                return None
            with self._lock:
                if self._tables.get(experiment_id) is table:
                    return table
            # It was dropped while this thread waited.
            table.lock.release()

    def _forget(self, tables: Sequence[Table]) -> None:
        with self._lock:
            for table in tables:
                self._tables.pop(table.experiment_id, None)
                for entry in [entry for entry in self._sizes if entry[0] == table.experiment_id]:
                    del self._sizes[entry]

    def _measure(self, table: Table, used: Collection[Wanted], reserved: list[int]) -> None:
        """Count a locked table; what is used of it goes to the end of the order, and the table itself behind that."""
        self._unreserve(reserved)
        number = table.experiment_id
        with self._lock:
            if self._tables.get(number) is not table:
                return
            for entry in [entry for entry in self._sizes if entry[0] == number and entry[1] is not None]:
                if entry[1] not in table.columns:
                    del self._sizes[entry]
            for field in table.columns:
                if field in used:
                    self._sizes.pop((number, field), None)
                self._sizes[number, field] = table.nbytes(field)
            if used:
                self._sizes.pop((number, None), None)
            self._sizes[number, None] = table.nbytes(None)

    def _reserve(self, tables: Sequence[Table], wanted: Collection[Wanted], reserved: list[int], nbytes: int) -> None:
        """Make room for so many bytes more. Raises Unfit where what may not be dropped leaves none."""
        ours = {table.experiment_id for table in tables}
        with self._lock:
            kept = [
                size for (number, field), size in self._sizes.items() if number in ours and field in (None, *wanted)
            ]
            if sum(kept) + sum(reserved) + nbytes <= self.limit:
                if not self._make_room(nbytes, ours, wanted):
                    raise Unfit  # What others use now is too much besides.
                self._reserved += nbytes
                reserved.append(nbytes)
                return
            untold = ours - self._told
            self._told |= untold
        if untold:
            log.warning(
                "a search of the experiments %s needs more memory than the %d MB of --search-memory-mb: the database "
                "answers it and others like it, which takes longer",
                sorted(ours),
                self.limit >> 20,
            )
        raise Unfit

    def _unreserve(self, reserved: list[int]) -> None:
        with self._lock:
            self._reserved -= sum(reserved)
        reserved.clear()

    def _make_room(self, nbytes: int, ours: Collection[int], wanted: Collection[Wanted]) -> bool:
        """Drop the least recently used, but not what the search itself wants, until so many bytes are free."""
        too_many = self._reserved + sum(self._sizes.values()) + nbytes - self.limit
        for entry in list(self._sizes):
            if too_many <= 0:
                break
            number, field = entry
            if number in ours and (field is None or field in wanted):
                continue
            if self._drop(entry, is_locked=number in ours):
                too_many -= self._sizes.pop(entry)
        return too_many <= 0

    def _drop(self, entry: _Entry, is_locked: bool) -> bool:
        """Drop a column, or a table without columns. Returns whether that could be done at once."""
        number, field = entry
        table = self._tables[number]
        if not is_locked and not table.lock.acquire(blocking=False):
            return False
        try:
            if field is not None:
                table.drop(field)
            elif table.columns:
                return False
            else:
                del self._tables[number]
            return True
        finally:
            if not is_locked:
                table.lock.release()
