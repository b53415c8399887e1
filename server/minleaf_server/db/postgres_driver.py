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
    """All changes are one statement, sent together with the COMMIT. Numbers come from the sequence `change`."""

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
        with self._raw.cursor() as cursor:
            cursor.executemany(_percent_style(statement), rows)

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
        with self._raw.pipeline():
            cursor = self._execute(*_statement(changes))
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


def _bound(value: Any) -> Any:
    """A list as a column."""
    if not isinstance(value, list):
        return value
    return Texts(value) if isinstance(value[0], str) else Integers(value)


@lru_cache(maxsize=256)
def _percent_style(statement: str) -> str:
    return statement.replace("%", "%%").replace("IN ?", "= ANY(%b)").replace("?", "%s")
