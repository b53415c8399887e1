"""The writing connection without SQLAlchemy in between, for the statements of every logging request.

SQLAlchemy takes longer for such a statement than the database. A table is written once for all jobs of a transaction,
its rows in the order of their keys, so that two writers never wait for each other's rows in a ring.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from minleaf_server.db.changes import Changes
from minleaf_server.db.read.summaries import COLUMNS, values_of

Row = tuple[Any, ...]
Numbers = Iterable[tuple[int, int]]
"""Runs with their new `seq`."""

RUN_COLUMNS = ("id", "uuid", "experiment_id", "name", "user_id", "status", "start_time", "lifecycle", "artifact_uri")
SUMMARY_COLUMNS = ("run_id", "key_id", *COLUMNS)
PUT_SUMMARY = "ON CONFLICT (run_id, key_id) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in COLUMNS
)
PUT_TAG = "ON CONFLICT (run_id, key_id) DO UPDATE SET value = excluded.value"


class Driver(Protocol):
    """What is asked of either database."""

    @property
    def error(self) -> type[Exception]:
        """What the driver raises."""
        ...

    def is_lost(self) -> bool:
        """Whether the connection is of no use any more."""
        ...

    def begin(self) -> bool:
        """Begin a transaction. Returns whether nobody else has written since the last one."""
        ...

    def roll_back(self) -> None:
        """Undo everything since `begin`."""
        ...

    def rows(self, statement: str, values: Sequence[Any]) -> list[Row]:
        """What a SELECT finds. Its placeholders are `?`; behind `IN` a `?` takes a sequence."""
        ...

    def many(self, statement: str, rows: Sequence[Row]) -> None:
        """Run a statement with `?` placeholders once for every row of values."""
        ...

    def add_names(self, experiment_id: int, kind: int, names: Sequence[str]) -> None:
        """Make the names of an experiment that nobody has made yet."""
        ...

    def new_run_id(self) -> int:
        """An id that no run has."""
        ...

    def next_change(self) -> int:
        """A number larger than that of every change committed before."""
        ...

    def store(self, changes: Changes) -> Numbers:
        """Write the changes."""
        ...

    def commit(self, changes: Changes) -> Numbers:
        """Write the changes and commit."""
        ...


@contextmanager
def errors_of(conn: Connection, driver: Driver) -> Generator[None]:
    """The errors of the driver become those that SQLAlchemy makes of them. A lost connection is invalidated."""
    try:
        yield
    except driver.error as error:
        is_lost = driver.is_lost()
        wrapped = DBAPIError.instance(None, None, error, driver.error, connection_invalidated=is_lost)
        if is_lost:
            conn.invalidate(wrapped)
        raise wrapped from error


def run_rows(changes: Changes) -> list[Row]:
    """The new runs, as RUN_COLUMNS."""
    rows = [
        (r.id, r.uuid, r.experiment_id, r.name, r.user, int(r.status), r.start_time, int(r.lifecycle), r.artifact_uri)
        for r in changes.runs
    ]
    return sorted(rows)


def segment_rows(changes: Changes) -> list[Row]:
    """Run, number of points, bytes; those of a run in the order in which they came."""
    return sorted(changes.segments, key=_first)


def summary_rows(changes: Changes) -> list[Row]:
    """As SUMMARY_COLUMNS."""
    return [(*place, *values_of(summary)) for place, summary in sorted(changes.summaries.items(), key=_first)]


def param_rows(changes: Changes) -> list[Row]:
    """Run, key, value, number."""
    return [(*place, *value) for place, value in sorted(changes.params.items(), key=_first)]


def tag_rows(changes: Changes) -> list[Row]:
    """Run, key, value."""
    return [(*place, value) for place, value in sorted(changes.tags.items())]


def changed_rows(changes: Changes) -> list[Row]:
    """Run, new status, new end time, new name."""
    return [(run_id, *new) for run_id, new in sorted(changes.changed.items())]


def _first(row: tuple[Any, ...]) -> Any:
    return row[0]
