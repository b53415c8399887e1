"""One transaction of the writer, with what its jobs need to know: the runs they lock, the ids of names, the changes."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, CursorResult, select
from sqlalchemy.sql import func

from minleaf_server.db import tables
from minleaf_server.db.dialect import Dialect
from minleaf_server.db.known_points import KnownPoints
from minleaf_server.db.tables import KeyKind
from minleaf_server.entities import Lifecycle
from minleaf_server.errors import NotFound

KeyName = tuple[int, int, str]  # experiment, kind, name

_RUN_COLUMNS = "id, uuid, experiment_id, name, lifecycle"


@dataclass(slots=True)
class RunRow:
    """What the writer knows of a run it has locked."""

    id: int
    uuid: str
    experiment_id: int
    name: str
    lifecycle: Lifecycle


@dataclass(slots=True)
class Memory:
    """What the writer remembers from one committed transaction to the next."""

    keys: dict[KeyName, int] = field(default_factory=dict)
    last_change: int | None = None
    known_points: KnownPoints = field(default_factory=KnownPoints)


class Transaction:
    """Handed to each job. What it learns reaches the writer's memory only when it is committed."""

    def __init__(self, conn: Connection, dialect: Dialect, memory: Memory) -> None:
        self.conn = conn
        self.dialect = dialect
        self._memory = memory
        self._runs: dict[str, RunRow] = {}
        self._new_keys: dict[KeyName, int] = {}
        self._touched: dict[int, None] = {}
        self.segments: dict[str, int] = {}
        self._last_change = memory.last_change

    @property
    def known_points(self) -> KnownPoints:
        return self._memory.known_points

    def execute(self, statement: str, values: Sequence[Any] = ()) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement with `?` placeholders. The hot path: SQLAlchemy's compiler takes longer than the database."""
        return self.conn.exec_driver_sql(self.dialect.sql(statement), tuple(values))

    def execute_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for every row of values."""
        if rows:
            self.conn.exec_driver_sql(self.dialect.sql(statement), [tuple(row) for row in rows])

    def lock_runs(self, uuids: Iterable[str]) -> None:
        """Read the runs, locked in the order of their ids, so that two writers never wait for each other in a ring."""
        wanted = sorted(set(uuids))
        if not wanted:
            return
        marks = ", ".join("?" * len(wanted))
        query = f"SELECT {_RUN_COLUMNS} FROM run WHERE uuid IN ({marks}) ORDER BY id"
        for row_id, uuid, experiment_id, name, lifecycle in self.execute(self.dialect.lock_runs(query), wanted):
            self._runs[uuid] = RunRow(row_id, uuid, experiment_id, name, Lifecycle(lifecycle))

    def run(self, uuid: str) -> RunRow:
        """The run with this id, which the job has named in `runs`. Raises NotFound."""
        try:
            return self._runs[uuid]
        except KeyError:
            raise NotFound(f"Run with id={uuid} not found") from None

    def touch(self, run_id: int) -> None:
        """Note that the run changed: it gets a new `seq` when the transaction ends."""
        self._touched[run_id] = None

    def appended(self, row: RunRow) -> None:
        """Note that the run got a segment; see `db.compactor`."""
        self.segments[row.uuid] = self.segments.get(row.uuid, 0) + 1

    def next_change(self) -> int:
        """A number larger than that of every change committed before."""
        number = self.dialect.next_change(self.conn)
        if number is not None:
            return number
        if self._last_change is None:
            self._last_change = self.conn.execute(select(func.max(tables.run.c.seq))).scalar() or 0
        self._last_change += 1
        return self._last_change

    def keys(self, experiment_id: int, kind: KeyKind, names: Iterable[str]) -> dict[str, int]:
        """The ids of these names in the experiment, made where they are new."""
        found: dict[str, int] = {}
        unknown: list[str] = []
        for name in names:
            key = (experiment_id, int(kind), name)
            known = self._memory.keys.get(key) or self._new_keys.get(key)
            if known is None:
                unknown.append(name)
            else:
                found[name] = known
        if unknown:
            for name, identity in self._make_keys(experiment_id, kind, unknown).items():
                self._new_keys[experiment_id, int(kind), name] = found[name] = identity
        return found

    def key_id(self, experiment_id: int, kind: KeyKind, name: str) -> int:
        """The id of one name, made where it is new."""
        return self.keys(experiment_id, kind, (name,))[name]

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """Undo what the block did, and what the transaction learned from it, when the block raises."""
        keys, touched = dict(self._new_keys), dict(self._touched)
        runs = {uuid: RunRow(r.id, r.uuid, r.experiment_id, r.name, r.lifecycle) for uuid, r in self._runs.items()}
        try:
            with self.conn.begin_nested():
                yield
        except BaseException:
            self._new_keys, self._touched, self._runs = keys, touched, runs
            self.known_points.forget_all()
            raise

    def finish(self) -> None:
        """Give every changed run its new seq, in the order of the runs."""
        rows = [(self.next_change(), run_id) for run_id in sorted(self._touched)]
        self.execute_many("UPDATE run SET seq = ? WHERE id = ?", rows)

    def committed(self) -> None:
        """What was learned is now true."""
        self._memory.keys.update(self._new_keys)
        self._memory.last_change = self._last_change

    def rolled_back(self) -> None:
        """Nothing happened: forget the points that were read while it seemed to."""
        self.known_points.forget_all()

    def _make_keys(self, experiment_id: int, kind: KeyKind, names: list[str]) -> dict[str, int]:
        found = self._find_keys(experiment_id, kind, names)
        missing = sorted(set(names) - set(found))
        if missing:
            self.dialect.lock_keys(self.conn)
            insert = "INSERT INTO key (experiment_id, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            self.execute_many(insert, [(experiment_id, int(kind), name) for name in missing])
            found |= self._find_keys(experiment_id, kind, missing)
        return found

    def _find_keys(self, experiment_id: int, kind: KeyKind, names: list[str]) -> dict[str, int]:
        key = tables.key.c
        query = select(key.name, key.id).where(
            key.experiment_id == experiment_id, key.kind == int(kind), key.name.in_(names)
        )
        return {row.name: row.id for row in self.conn.execute(query)}
