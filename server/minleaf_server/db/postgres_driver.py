"""The writing connection to Postgres; see `db.driver`. Imported where Postgres is used: its driver is an extra."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import psycopg

from minleaf_server.db import driver, postgres_arrays
from minleaf_server.db.changes import Changes
from minleaf_server.db.driver import PUT_SUMMARY, PUT_TAG, RUN_COLUMNS, SUMMARY_COLUMNS, Numbers, Row
from minleaf_server.db.postgres_arrays import Blobs, Column, Doubles, Integers, Texts
from minleaf_server.db.tables.base import CURRENT_XID

_RUN_IDS_AT_ONCE = 32
_SENT_AT_ONCE = 8 * 1024
"""Bytes that every socket takes in one go.

Nothing larger may go through psycopg's pipelines, which wait for the answer to what has been sent in part (3.3.9).
"""
_NEW_NAMES = (
    "INSERT INTO key (experiment_id, kind, name) SELECT %s::bigint, %s::smallint, unnest(%b::text[]) "
    "ON CONFLICT DO NOTHING"
)
_ARRAYS: dict[str, type[Column]] = {
    "bigint": Integers,
    "integer": Integers,
    "smallint": Integers,
    "float8": Doubles,
    "text": Texts,
    "bytea": Blobs,
}
_TYPES = {
    "run": ("bigint", "text", "bigint", "text", "text", "smallint", "bigint", "smallint", "text"),
    "segment": ("bigint", "integer", "bytea"),
    "metric_summary": tuple("float8" if name.endswith("_value") else "bigint" for name in SUMMARY_COLUMNS),
    "param": ("bigint", "bigint", "text", "float8"),
    "tag": ("bigint", "bigint", "text"),
    "changed": ("bigint", "smallint", "bigint", "text"),
}
"""What is written, and the types of its columns."""

_ROWS: dict[str, Callable[[Changes], list[Row]]] = {
    "run": driver.run_rows,
    "segment": driver.segment_rows,
    "metric_summary": driver.summary_rows,
    "param": driver.param_rows,
    "tag": driver.tag_rows,
    "changed": driver.changed_rows,
}


def _unnest(name: str) -> str:
    return f"unnest({', '.join(f'%b::{kind}[]' for kind in _TYPES[name])})"


_STEPS = {
    "run": f"INSERT INTO run ({', '.join(RUN_COLUMNS)}, seq) SELECT *, nextval('change') FROM {_unnest('run')} "
    "RETURNING id, seq",
    "segment": f"INSERT INTO segment (run_id, n, data, seq) SELECT *, nextval('change') FROM {_unnest('segment')}",
    "metric_summary": f"INSERT INTO metric_summary ({', '.join(SUMMARY_COLUMNS)}) "
    f"SELECT * FROM {_unnest('metric_summary')} {PUT_SUMMARY}",
    "param": f"INSERT INTO param (run_id, key_id, value, number) SELECT * FROM {_unnest('param')}",
    "tag": f"INSERT INTO tag (run_id, key_id, value) SELECT * FROM {_unnest('tag')} {PUT_TAG}",
    "changed": f"UPDATE run SET seq = nextval('change'), xid = {CURRENT_XID}, "
    "status = coalesce(new.status, run.status), end_time = coalesce(new.end_time, run.end_time), "
    f"name = coalesce(new.name, run.name) FROM {_unnest('changed')} AS new (id, status, end_time, name) "
    "WHERE run.id = new.id RETURNING run.id, run.seq",
}


class PostgresDriver:
    """All changes are one statement, sent together with the COMMIT where that is short.

    Numbers come from the sequence `change`.
    """

    error = psycopg.Error

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        postgres_arrays.register(raw)
        self._raw = raw
        self._run_ids: list[int] = []

    def is_lost(self) -> bool:
        return self._raw.closed

    def begin(self) -> bool:
        return False

    def roll_back(self) -> None:
        self._raw.rollback()

    def rows(self, statement: str, values: Sequence[Any]) -> list[Row]:
        return self._execute(_percent_style(statement), [_bound(value) for value in values]).fetchall()

    def many(self, statement: str, rows: Sequence[Row]) -> None:
        statement = _percent_style(statement)
        if sum(map(_size_max, rows)) <= _SENT_AT_ONCE:
            with self._raw.cursor() as cursor:
                cursor.executemany(statement, rows)
        else:
            for row in rows:
                self._raw.execute(statement, row, prepare=True)

    def add_names(self, experiment_id: int, kind: int, names: Sequence[str]) -> None:
        self._execute(_NEW_NAMES, (experiment_id, kind, Texts(names)))

    def new_run_id(self) -> int:
        if not self._run_ids:
            query = "SELECT nextval(pg_get_serial_sequence('run', 'id')) FROM generate_series(1, %s::int)"
            self._run_ids = [row[0] for row in reversed(self._execute(query, (_RUN_IDS_AT_ONCE,)).fetchall())]
        return self._run_ids.pop()

    def next_change(self) -> int:
        return int(self._execute("SELECT nextval('change')", ()).fetchall()[0][0])

    def store(self, changes: Changes) -> Numbers:
        return self._execute(*_statement(changes)).fetchall() if changes else ()

    def commit(self, changes: Changes) -> Numbers:
        if not changes:
            self._raw.commit()
            return ()
        statement, columns = _statement(changes)
        if sum(column.size_max() for column in columns) > _SENT_AT_ONCE:
            numbers = self._execute(statement, columns).fetchall()
            self._raw.commit()
            return numbers
        with self._raw.pipeline():
            cursor = self._execute(statement, columns)
            self._raw.commit()
        return cursor.fetchall()

    def _execute(self, statement: str, values: Sequence[Any]) -> psycopg.Cursor[Row]:
        return self._raw.execute(statement, values, prepare=True, binary=True)


def _statement(changes: Changes) -> tuple[str, list[Column]]:
    """The statement for these changes, and its values: an array for every column."""
    parts = [(name, rows) for name, rows_of in _ROWS.items() if (rows := rows_of(changes))]
    columns = [
        _ARRAYS[kind](column)
        for name, rows in parts
        for kind, column in zip(_TYPES[name], zip(*rows, strict=True), strict=True)
    ]
    return _joined(tuple(name for name, _ in parts)), columns


@lru_cache(maxsize=64)
def _joined(parts: tuple[str, ...]) -> str:
    """One statement that does these steps. It returns the new and changed runs with their `seq`."""
    made = " UNION ALL ".join(f"SELECT id, seq FROM made_{name}" for name in parts if name in ("run", "changed"))
    steps = ", ".join(f"made_{name} AS ({_STEPS[name]})" for name in parts)
    return f"WITH {steps} {made}"


def _size_max(row: Row) -> int:
    """Bytes that the values of a row take at most."""
    return sum(4 * len(value) if isinstance(value, str | bytes) else 12 for value in row)


def _bound(value: Any) -> Any:
    """A list as a column."""
    if not isinstance(value, list):
        return value
    return Texts(value) if isinstance(value[0], str) else Integers(value)


@lru_cache(maxsize=256)
def _percent_style(statement: str) -> str:
    return statement.replace("%", "%%").replace("IN ?", "= ANY(%b)").replace("?", "%s")
