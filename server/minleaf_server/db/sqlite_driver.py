"""The writing connection to SQLite; see `db.driver`."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from minleaf_server.db import driver
from minleaf_server.db.changes import Changes
from minleaf_server.db.driver import PUT_SUMMARY, PUT_TAG, RUN_COLUMNS, SUMMARY_COLUMNS, Numbers, Row

# Numbers that stand on no run (of chunks and segments) may be larger than every number of a run.
_BEYOND = 2**32

_INSERT_KEY = "INSERT INTO key (experiment_id, kind, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_INSERT_RUN = f"INSERT INTO run ({', '.join(RUN_COLUMNS)}, seq) VALUES (?{', ?' * len(RUN_COLUMNS)})"
_INSERT_SEGMENT = "INSERT INTO segment (run_id, seq, n, data) VALUES (?, ?, ?, ?)"
_INSERT_SUMMARY = (
    f"INSERT INTO metric_summary ({', '.join(SUMMARY_COLUMNS)}) "
    f"VALUES (?{', ?' * (len(SUMMARY_COLUMNS) - 1)}) {PUT_SUMMARY}"
)
_INSERT_PARAM = "INSERT INTO param (run_id, key_id, value, number) VALUES (?, ?, ?, ?)"
_INSERT_TAG = f"INSERT INTO tag (run_id, key_id, value) VALUES (?, ?, ?) {PUT_TAG}"
_UPDATE_RUN = (
    "UPDATE run SET seq = ?, status = coalesce(?, status), end_time = coalesce(?, end_time), "
    "name = coalesce(?, name) WHERE id = ?"
)


class SQLiteDriver:
    """The only writer of the file, so it gives all numbers by counting."""

    error = sqlite3.Error

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self._version: int | None = None
        self._last_change: int | None = None
        self._last_run: int | None = None

    def is_lost(self) -> bool:
        return False

    def begin(self) -> bool:
        # A deferred BEGIN would fail under load instead of waiting for the lock.
        self._raw.execute("BEGIN IMMEDIATE")
        self._last_run = None
        (version,) = self._raw.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version, self._last_change = version, None
            return False
        return True

    def roll_back(self) -> None:
        self._raw.rollback()

    def rows(self, statement: str, values: Sequence[Any]) -> list[Row]:
        flat: list[Any] = []
        for value in values:
            if isinstance(value, list):
                statement = statement.replace("IN ?", f"IN ({', '.join('?' * len(value))})", 1)
                flat += value
            else:
                flat.append(value)
        return self._raw.execute(statement, flat).fetchall()

    def many(self, statement: str, rows: Sequence[Row]) -> None:
        self._raw.executemany(statement, rows)

    def add_names(self, experiment_id: int, kind: int, names: Sequence[str]) -> None:
        self._raw.executemany(_INSERT_KEY, [(experiment_id, kind, name) for name in names])

    def new_run_id(self) -> int:
        if self._last_run is None:
            self._last_run = self._raw.execute("SELECT max(id) FROM run").fetchone()[0] or 0
        self._last_run += 1
        return self._last_run

    def next_change(self) -> int:
        if self._last_change is None:
            self._last_change = (self._raw.execute("SELECT max(seq) FROM run").fetchone()[0] or 0) + _BEYOND
        self._last_change += 1
        return self._last_change

    def store(self, changes: Changes) -> Numbers:
        many, number = self._raw.executemany, self.next_change
        numbers: dict[int, int] = {}
        if changes.runs:
            numbers = {run.id: number() for run in changes.runs}
            many(_INSERT_RUN, [(*row, numbers[row[0]]) for row in driver.run_rows(changes)])
        if changes.segments:
            many(_INSERT_SEGMENT, [(run_id, number(), *rest) for run_id, *rest in driver.segment_rows(changes)])
        if changes.summaries:
            many(_INSERT_SUMMARY, driver.summary_rows(changes))
        if changes.params:
            many(_INSERT_PARAM, driver.param_rows(changes))
        if changes.tags:
            many(_INSERT_TAG, driver.tag_rows(changes))
        if changes.changed:
            changed = [(number(), *new, run_id) for run_id, *new in driver.changed_rows(changes)]
            many(_UPDATE_RUN, changed)
            numbers |= {row[-1]: row[0] for row in changed}
        return numbers.items()

    def commit(self, changes: Changes) -> Numbers:
        numbers = self.store(changes)
        self._raw.commit()
        return numbers
