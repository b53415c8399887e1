"""The floor: a bare ASGI answer under uvicorn, and the bare database doing what a logging request makes it do."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import cpu
from benchmarks.data import START, SUMMARY, insert, post
from benchmarks.load import ROOT, Job
from benchmarks.measure import Plan
from benchmarks.servers import Postgres, Target
from benchmarks.workloads import CONNECTIONS, KEYS
from minleaf_server.db.store import Store
from minleaf_server.points.codec import PointRow, encode_segment

Row = tuple[Any, ...]


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An ASGI application that reads the body and answers `{}`."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


class BareAnswer(Target):
    """uvicorn with that application. Nothing it is sent can be read back."""

    name = "bare answer"

    def command(self) -> list[str]:
        program = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT), "--loop", "uvloop", "--http", "httptools"]
        return [
            *program,
            "--no-access-log",
            "--log-level",
            "warning",
            "--port",
            str(self.port),
            "benchmarks.floor:answer",
        ]


def bare_requests(target: Target) -> Plan:
    """Points one by one, as in the workload of that name, to a run that nobody made."""
    point = {"run_id": "0" * 32, "key": "loss", "value": 0.25, "timestamp": START, "step": 1}
    lane = [post("/runs/log-metric", point)] * 500
    return Plan(Job(target.port, [lane] * CONNECTIONS), CONNECTIONS * len(lane))


def bare_database(folder: Path, postgres: Postgres | None, jobs: int, points: int, commits: int) -> float:
    """CPU in ms of one batch of `points` points, with `jobs` batches of as many runs in each commit, which syncs.

    The tables, the statements and the bytes are those that Minleaf writes; client and database together.
    """
    name = f"bare_{jobs}_{points}"
    uri = postgres.database(name) if postgres else f"sqlite:///{folder}/{name}.db"
    Store.open(uri).close()  # makes the tables
    columns = ["id", "uuid", "experiment_id", "name", "user_id", "status", "lifecycle", "artifact_uri", "seq"]
    insert(uri, "run", columns, [(n, f"{n:032x}", 0, "bare", "ana", 1, 1, "x", n) for n in range(1, jobs + 1)])
    # Only the size of the bytes counts.
    rows = [PointRow(1 + n % KEYS, n, START + n, n / 7) for n in range(points)]
    groups = [_group(group, jobs, points, encode_segment(rows)) for group in range(commits)]
    with _connection(uri) as commit:
        begin = _spent(postgres)
        for group in groups:
            commit(group)
        return 1000 * (_spent(postgres) - begin) / (commits * jobs)


def _group(group: int, jobs: int, points: int, data: bytes) -> list[tuple[str, list[Row]]]:
    """The statements of one commit with their rows."""
    metrics = min(points, KEYS)
    segments, summaries, changes = [], [], []
    for run in range(1, jobs + 1):
        seq = group * jobs + run
        segments.append((run, seq, points, data))
        step = group * points
        summaries += [(run, key, 0.5, step, START, 0.1, step, 0.9, step, points, 0) for key in range(1, metrics + 1)]
        changes.append((seq, run))
    return [(_PUT_SEGMENT, segments), (_PUT_SUMMARY, summaries), (_PUT_CHANGE, changes)]


_PUT_SEGMENT = "INSERT INTO segment (run_id, seq, n, data) VALUES (?, ?, ?, ?)"
_PUT_SUMMARY = (
    f"INSERT INTO metric_summary (run_id, key_id, {', '.join(SUMMARY)}) VALUES (?, ?{', ?' * len(SUMMARY)}) "
    f"ON CONFLICT (run_id, key_id) DO UPDATE SET {', '.join(f'{column} = excluded.{column}' for column in SUMMARY)}"
)
_PUT_CHANGE = "UPDATE run SET seq = ? WHERE id = ?"


@contextmanager
def _connection(uri: str) -> Iterator[Callable[[list[tuple[str, list[Row]]]], None]]:
    """A connection as a function that writes one group in one transaction."""
    if uri.startswith("sqlite"):
        lite = sqlite3.connect(uri.removeprefix("sqlite:///"), isolation_level=None)
        lite.execute("PRAGMA synchronous=FULL")

        def commit(group: list[tuple[str, list[Row]]]) -> None:
            lite.execute("BEGIN IMMEDIATE")
            for statement, rows in group:
                lite.executemany(statement, rows)
            lite.execute("COMMIT")

        yield commit
        lite.close()
        return
    with psycopg.connect(uri, prepare_threshold=1, autocommit=True) as pg:

        def commit_pg(group: list[tuple[str, list[Row]]]) -> None:
            with pg.transaction(), pg.pipeline(), pg.cursor() as cursor:
                for statement, rows in group:
                    cursor.executemany(statement.replace("?", "%s"), rows)

        yield commit_pg


def _spent(postgres: Postgres | None) -> float:
    """CPU seconds so far of this process and of Postgres."""
    return time.process_time() + (cpu.seconds(postgres.pid) if postgres else 0.0)
