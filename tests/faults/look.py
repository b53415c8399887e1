"""What a server and its database hold, read from outside."""

import math
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from tests.faults.ledger import Ledger, Mark, Stored, Summary, bits

_TIMEOUT = 60


def faults(url: str, database_uri: str, ledger: Ledger) -> list[str]:
    """Every fault of every run of the ledger, asked of the server; the summaries' extremes come from the database."""
    found: list[str] = []
    with httpx.Client(base_url=f"{url}/api/2.0/mlflow", timeout=_TIMEOUT) as client:
        summaries = _summaries(database_uri)
        for run_id in ledger.runs():
            stored = stored_run(client, run_id, summaries.get(run_id, {}))
            found += [f"run {run_id}: {fault}" for fault in ledger.faults(run_id, stored)]
            found += [f"run {run_id}: {fault}" for fault in _search_faults(client, run_id, stored)]
    return found


def stored_run(client: httpx.Client, run_id: str, rows: dict[str, dict[str, Any]]) -> Stored:
    """The run as the server answers it. `rows` are its rows of metric_summary, by name."""
    data = _ok(client.get("/runs/get", params={"run_id": run_id}))["run"]["data"]
    shown = {metric["key"]: _mark(metric) for metric in data.get("metrics", [])}
    summaries = {
        key: Summary(row["count"], shown[key], _number(row["min_value"]), _number(row["max_value"]))
        for key, row in rows.items()
        if key in shown
    }
    assert summaries.keys() == shown.keys() == rows.keys()
    return Stored(
        {key: _history(client, run_id, key) for key in shown},
        summaries,
        {pair["key"]: pair["value"] for pair in data.get("params", [])},
        {pair["key"]: pair["value"] for pair in data.get("tags", []) if not pair["key"].startswith("mlflow.")},
    )


def _search_faults(client: httpx.Client, run_id: str, stored: Stored) -> Iterator[str]:
    """A search has to find the run by what its summaries say."""
    for key, summary in stored.summaries.items():
        wanted = f"attributes.run_id = '{run_id}' and count({key}) = {summary.count}"
        if math.isfinite(summary.max):
            wanted += f" and max({key}) = {summary.max!r}"
        found = _ok(client.post("/runs/search", json={"experiment_ids": ["0"], "filter": wanted}))
        if len(found.get("runs", [])) != 1:
            yield f"{key}: a search does not find it by {wanted}"


def _history(client: httpx.Client, run_id: str, key: str) -> list[Mark]:
    query = {"run_id": run_id, "metric_key": key}
    return [_mark(point) for point in _ok(client.get("/metrics/get-history", params=query)).get("metrics", [])]


def _mark(point: dict[str, Any]) -> Mark:
    return int(point["step"]), int(point["timestamp"]), bits(float(point["value"]))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _ok(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def _rows(database_uri: str, statement: str) -> list[dict[str, Any]]:
    engine = create_engine(database_uri.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as conn:
            return [dict(row._mapping) for row in conn.execute(text(statement))]
    finally:
        engine.dispose()


def _summaries(database_uri: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The rows of metric_summary by run id and by name."""
    tables = "metric_summary s JOIN run ON run.id = s.run_id JOIN key ON key.id = s.key_id"
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in _rows(database_uri, f"SELECT run.uuid, key.name, s.* FROM {tables}"):
        found.setdefault(row["uuid"], {})[row["name"]] = row
    return found


def segments_and_chunks(database_uri: str) -> tuple[int, int]:
    """How many segments and how many chunks there are."""
    statement = "SELECT (SELECT count(*) FROM segment) AS segments, (SELECT count(*) FROM chunk) AS chunks"
    (row,) = _rows(database_uri, statement)
    return row["segments"], row["chunks"]


def damage(database_uri: str) -> list[str]:
    """What SQLite finds wrong with its own file; nothing for Postgres, which has no such check."""
    if not database_uri.startswith("sqlite:///"):
        return []
    conn = sqlite3.connect(f"file:{database_uri.removeprefix('sqlite:///')}?mode=ro", uri=True)
    try:
        found = [row[0] for row in conn.execute("PRAGMA integrity_check")]
        broken = conn.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        conn.close()
    return [line for line in found if line != "ok"] + [f"a foreign key is broken: {row}" for row in broken]


def deadlocks(database_uri: str) -> int:
    """How many deadlocks Postgres has had to break in this database."""
    (row,) = _rows(database_uri, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(row["deadlocks"])
