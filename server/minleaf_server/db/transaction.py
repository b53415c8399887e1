"""One transaction of the writer, with what its jobs need: the runs they lock, the ids of names, what they change."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult

from minleaf_server.db.changes import UNCHANGED, Changes
from minleaf_server.db.dialect import Dialect
from minleaf_server.db.driver import Driver, Row, errors_of
from minleaf_server.db.known_points import KnownPoints
from minleaf_server.db.memory import Memory, RunRow
from minleaf_server.db.tables import KeyKind
from minleaf_server.entities import MetricSummary, RunStatus
from minleaf_server.errors import NotFound

__all__ = ["RunRow", "Transaction"]

_LOCKED = (
    "SELECT id, uuid, experiment_id, name, user_id, status, start_time, end_time, lifecycle, artifact_uri, seq "
    "FROM run WHERE uuid IN ? ORDER BY id"
)
_KEYS = "SELECT name, id FROM key WHERE experiment_id = ? AND kind = ? AND name IN ?"


class Transaction:
    """Handed to each job. What it learns reaches the writer's memory only when it is committed.

    What every logging request does (points, params, tags, the state of a run) is gathered in `changes` and sent at the
    end, a table at a time. Everything else goes through `conn` or `execute`, before which the gathered is sent.
    """

    def __init__(self, conn: Connection, driver: Driver, dialect: Dialect, memory: Memory) -> None:
        self.dialect = dialect
        self.changes = Changes()
        self.segments: dict[str, int] = {}
        self.steps = 0
        """Grows with everything that may have changed the database: a job that leaves it alone left nothing behind."""
        self._conn = conn
        self._driver = driver
        self._is_alone = False
        self._touches_others = False
        self._memory = memory
        self._runs: dict[str, RunRow] = {}
        self._by_id: dict[int, RunRow] = {}
        self._stale: set[str] = set()
        self._new_names: dict[tuple[int, KeyKind], dict[str, int]] = {}

    @property
    def conn(self) -> Connection:
        """The connection, for statements of SQLAlchemy."""
        self._send()
        self.steps += 1
        return self._conn

    @property
    def known_points(self) -> KnownPoints:
        return self._memory.known_points

    def execute(self, statement: str, values: Sequence[Any] = ()) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement with `?` placeholders."""
        return self.conn.exec_driver_sql(self.dialect.sql(statement), tuple(values))

    def execute_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for every row of values."""
        if rows:
            self._send()
            self.steps += 1
            self._driver.many(statement, [tuple(row) for row in rows])

    def rows(self, statement: str, values: Sequence[Any]) -> list[Row]:
        """What a plain SELECT finds, without SQLAlchemy and without what is in `changes`; see `Driver.rows`."""
        return self._driver.rows(statement, values)

    def begin(self) -> None:
        """Before anything else."""
        self._is_alone = self._driver.begin()

    def lock_runs(self, uuids: Iterable[str]) -> None:
        """Read the runs, locked in the order of their ids, so that two writers never wait for each other in a ring."""
        wanted = sorted(set(uuids))
        if self._is_alone:
            for uuid in wanted:
                if (row := self._memory.runs.take(uuid)) is not None:
                    self._runs[uuid] = self._by_id[row.id] = row
            wanted = [uuid for uuid in wanted if uuid not in self._runs]
        if not wanted:
            return
        for found in self.rows(self.dialect.lock_runs(_LOCKED), (wanted,)):
            uuid, seq = found[1], found[-1]
            row = self._memory.runs.take(uuid, seq) or RunRow(*found)
            self._runs[uuid] = self._by_id[row.id] = row

    def run(self, uuid: str) -> RunRow:
        """The run with this id, which the job has named in `runs`. Raises NotFound."""
        if uuid in self._stale:
            self._stale.remove(uuid)
            self.lock_runs((uuid,))
        try:
            return self._runs[uuid]
        except KeyError:
            raise NotFound(f"Run with id={uuid} not found") from None

    def forget_runs(self, run_ids: Iterable[int]) -> None:
        """Note that the rows of these runs are not as they were read: who needs one of them gets it read anew."""
        for run_id in run_ids:
            if (row := self._by_id.pop(run_id, None)) is not None:
                del self._runs[row.uuid]
                self._stale.add(row.uuid)

    def new_run_id(self) -> int:
        """An id for a run that is to be made."""
        return self._driver.new_run_id()

    def add_run(self, row: RunRow) -> None:
        """Store a new run."""
        row.is_whole = True
        self.steps += 1
        self.changes.runs.append(row)
        self._runs[row.uuid] = self._by_id[row.id] = row

    def touch(self, run_id: int) -> None:
        """Note that the run changed: it gets a new `seq` when the transaction ends."""
        self.steps += 1
        self.changes.changed.setdefault(run_id, UNCHANGED)
        if run_id not in self._by_id:
            self._touches_others = True

    def change_run(
        self, row: RunRow, status: RunStatus | None = None, end_time: int | None = None, name: str | None = None
    ) -> None:
        """Set what is not None."""
        self.touch(row.id)
        self.changes.change(row.id, status and int(status), end_time, name)
        row.status = status or row.status
        row.end_time = row.end_time if end_time is None else end_time
        row.name = name or row.name

    def append(self, row: RunRow, count: int, segment: bytes, summaries: dict[int, MetricSummary]) -> None:
        """Store points, so many, of a run as a segment, with the new summaries of their metrics."""
        self.changes.segments.append((row.id, count, segment))
        self.changes.summaries.update({(row.id, key_id): summary for key_id, summary in summaries.items()})
        row.summaries.update(summaries)
        self.segments[row.uuid] = self.segments.get(row.uuid, 0) + 1
        self.touch(row.id)

    def next_change(self) -> int:
        """A number larger than that of every change committed before."""
        return self._driver.next_change()

    def keys(self, experiment_id: int, kind: KeyKind, names: Iterable[str]) -> dict[str, int]:
        """The ids of these names in the experiment, made where they are new."""
        known = self._memory.names.of(experiment_id, kind)
        new = self._new_names.get((experiment_id, kind), {})
        found: dict[str, int] = {}
        unknown: list[str] = []
        for name in names:
            identity = known.get(name) or new.get(name)
            if identity is None:
                unknown.append(name)
            else:
                found[name] = identity
        if unknown:
            made = self._make_keys(experiment_id, kind, sorted(set(unknown)))
            self._new_names.setdefault((experiment_id, kind), {}).update(made)
            found.update(made)
        return found

    def key_id(self, experiment_id: int, kind: KeyKind, name: str) -> int:
        """The id of one name, made where it is new."""
        return self.keys(experiment_id, kind, (name,))[name]

    @contextmanager
    def savepoint(self, uuids: Sequence[str]) -> Generator[None]:
        """Undo what the block did, and what the transaction learned from it, when the block raises.

        `uuids` are the runs that the block may change. What it did is sent when it ends.
        """
        names = {place: dict(ids) for place, ids in self._new_names.items()}
        segments = dict(self.segments)
        try:
            with self._conn.begin_nested(), errors_of(self._conn, self._driver):
                yield
                self._send()
        except BaseException:
            self.changes = Changes()
            self._new_names, self.segments = names, segments
            self.forget_runs([self._runs[uuid].id for uuid in uuids if uuid in self._runs])
            self.known_points.forget_all()
            raise

    def commit(self) -> None:
        """Send what is gathered, commit, and remember what was learned."""
        self._learn(self._driver.commit(self.changes))
        self._conn.commit()  # SQLAlchemy's part, where a job used it.
        if self._touches_others:
            self._memory.runs.forget_all()
        for row in self._runs.values():
            self._memory.runs.keep(row)
        for (experiment_id, kind), ids in self._new_names.items():
            self._memory.names.keep(experiment_id, kind, ids)

    def roll_back(self) -> None:
        """Nothing happened: forget the points that were read while it seemed to."""
        self.known_points.forget_all()
        with errors_of(self._conn, self._driver):
            if not self._driver.is_lost():
                self._driver.roll_back()
            self._conn.rollback()

    def _send(self) -> None:
        """Let the database know what is gathered."""
        if self.changes:
            changes, self.changes = self.changes, Changes()
            self._learn(self._driver.store(changes))

    def _learn(self, numbers: Iterable[tuple[int, int]]) -> None:
        """Note the new `seq` of runs."""
        for run_id, seq in numbers:
            if (row := self._by_id.get(run_id)) is not None:
                row.seq = seq

    def _make_keys(self, experiment_id: int, kind: KeyKind, names: list[str]) -> dict[str, int]:
        query = (experiment_id, int(kind), names)
        found: dict[str, int] = dict(self.rows(_KEYS, query))
        missing = [name for name in names if name not in found]
        if missing:
            self.dialect.lock_keys(self._conn)
            self.steps += 1
            self._driver.add_names(experiment_id, int(kind), missing)
            found.update(self.rows(_KEYS, (experiment_id, int(kind), missing)))
        return found
