"""The runs and series that the reading workloads read, and how they get into each server's database.

Each run has 20 params, 20 metrics and 5 tags, all worked out from its number, so that the right answer to a search can
be worked out too. Over the wire a million runs would take hours: they are inserted as rows.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import Any

import numpy as np
import psycopg

from benchmarks.load import Job, Request, send
from benchmarks.servers import API, Minleaf, MLflow, Target
from minleaf_server.db.tables import KeyKind
from minleaf_server.entities import Lifecycle, RunStatus
from minleaf_server.entities.number import number_of
from minleaf_server.points.codec import PointRow, encode_segment

START = 1_760_000_000_000
PARAMS = ("depth", "optimizer", "lr", *(f"p{n:02}" for n in range(3, 20)))
METRICS = ("acc", "loss", *(f"m{n:02}" for n in range(2, 20)))
TAGS = ("stage", "team", "t2", "t3", "mlflow.runName")
SUMMARY: tuple[str, ...] = ("last_value", "last_step", "last_timestamp", "min_value", "min_step")
SUMMARY += ("max_value", "max_step", "count", "nan_count")

_LR = tuple(repr(10.0 ** -(1 + n)) for n in range(5))
_CONTEXT = 1
"""FastTrackML's context without a name."""
_number_of = lru_cache(number_of)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class NewRun:
    """What is stored of the run with this number."""

    number: int

    @property
    def uuid(self) -> str:
        return f"{self.number:032x}"

    @property
    def name(self) -> str:
        return f"run-{self.number}"

    @property
    def start(self) -> int:
        return START + self.number * 1000

    @property
    def params(self) -> dict[str, str]:
        number = self.number
        first = {"depth": str(number % 10), "optimizer": ("adam", "sgd", "lamb")[number % 3], "lr": _LR[number % 5]}
        return first | {key: f"value {number % (17 + place)}" for place, key in enumerate(PARAMS[3:])}

    @property
    def metrics(self) -> dict[str, float]:
        return {key: shuffled(self.number, salt) for salt, key in enumerate(METRICS)}

    @property
    def tags(self) -> dict[str, str]:
        number = self.number
        first = {"stage": ("debug", "train", "final")[number % 7 % 3], "team": f"team-{number % 23}", "t2": "same"}
        return first | {"t3": f"unique {number}", "mlflow.runName": self.name}


def shuffled(number: int, salt: int) -> float:
    """A number from 0 to below 1 that looks random; distinct for distinct numbers below 2^32 and the same salt."""
    return (number * 2_654_435_761 + salt * 40_503) % 2**32 / 2**32


def new_runs(count: int) -> Iterator[NewRun]:
    """The first `count` runs."""
    return map(NewRun, range(1, count + 1))


def load_runs(target: Target, count: int) -> str:
    """Put the runs into an experiment of their own. Returns its id. The server is running before and after."""
    experiment = target.experiment("search")
    if isinstance(target, Minleaf):
        target.stop()  # its writer counts the changes by itself
        _load_minleaf(target.uri, int(experiment), count)
        target.start()
    else:
        tables = _mlflow_tables if isinstance(target, MLflow) else _fasttrackml_tables
        with inserting(target.uri) as insert_into:
            for table, (columns, of_run) in tables(experiment).items():
                insert_into(table, columns, chain.from_iterable(map(of_run, new_runs(count))))
    return experiment


def _load_minleaf(uri: str, experiment: int, count: int) -> None:
    names = [(KeyKind.METRIC, METRICS), (KeyKind.PARAM, PARAMS), (KeyKind.TAG, TAGS)]
    keys = [(experiment, int(kind), name) for kind, group in names for name in group]
    insert(uri, "key", ("experiment_id", "kind", "name"), keys)
    known = f"SELECT id, kind, name FROM key WHERE experiment_id = {experiment}"
    ids = {(kind, name): key_id for key_id, kind, name in query(uri, known)}
    first = query(uri, "SELECT coalesce(max(id), 0), coalesce(max(seq), 0) FROM run")[0]
    rows = _MinleafRows(experiment, ids, *first)
    with without_indexes(uri, rows.tables()), inserting(uri, alone=True) as insert_into:
        for table, (columns, of_run) in rows.tables().items():
            insert_into(table, columns, chain.from_iterable(map(of_run, new_runs(count))))
    if not uri.startswith("sqlite"):
        query(uri, f"SELECT setval('change', {first[1] + count}), setval('run_id_seq', {first[0] + count})")
        query(uri, "VACUUM ANALYZE")


class _MinleafRows:
    """The rows of one run in each of Minleaf's tables."""

    def __init__(self, experiment: int, ids: dict[tuple[int, str], int], last_id: int, last_seq: int) -> None:
        self.experiment, self.ids, self.last_id, self.last_seq = experiment, ids, last_id, last_seq

    def tables(self) -> dict[str, tuple[Sequence[str], Callable[[NewRun], Iterable[Row]]]]:
        run = ["id", "uuid", "experiment_id", "name", "user_id", "status"]
        run += ["start_time", "end_time", "lifecycle", "artifact_uri", "seq"]
        return {
            "run": (run, self.run),
            "param": (("run_id", "key_id", "value", "number"), self.params),
            "tag": (("run_id", "key_id", "value"), self.tags),
            "metric_summary": (("run_id", "key_id", *SUMMARY), self.summaries),
            "segment": (("run_id", "seq", "n", "data"), self.segment),
        }

    def run(self, new: NewRun) -> Iterator[Row]:
        state = (int(RunStatus.FINISHED), new.start, new.start + 60_000, int(Lifecycle.ACTIVE))
        uri = f"mlflow-artifacts:/{self.experiment}/{new.uuid}/artifacts"
        yield (self._id(new), new.uuid, self.experiment, new.name, "ana", *state, uri, self.last_seq + new.number)

    def params(self, new: NewRun) -> list[Row]:
        run, ids, kind = self._id(new), self.ids, KeyKind.PARAM
        return [(run, ids[kind, key], value, _number_of(value)) for key, value in new.params.items()]

    def tags(self, new: NewRun) -> list[Row]:
        run, ids, kind = self._id(new), self.ids, KeyKind.TAG
        return [(run, ids[kind, key], value) for key, value in new.tags.items()]

    def summaries(self, new: NewRun) -> list[Row]:
        run, ids, kind, start = self._id(new), self.ids, KeyKind.METRIC, new.start
        return [(run, ids[kind, key], value, 0, start, value, 0, value, 0, 1, 0) for key, value in new.metrics.items()]

    def segment(self, new: NewRun) -> Iterator[Row]:
        rows = [PointRow(self.ids[KeyKind.METRIC, key], 0, new.start, value) for key, value in new.metrics.items()]
        yield (self._id(new), self.last_seq + new.number, len(rows), encode_segment(rows))

    def _id(self, new: NewRun) -> int:
        return self.last_id + new.number


Tables = dict[str, tuple[Sequence[str], Callable[[NewRun], Iterable[Row]]]]


def _mlflow_tables(experiment: str) -> Tables:
    run = ["run_uuid", "name", "source_type", "user_id", "status"]
    run += ["start_time", "end_time", "lifecycle_stage", "artifact_uri", "experiment_id"]
    state = ("UNKNOWN", "ana", "FINISHED")
    place = ("active", "mlflow-artifacts:/x", int(experiment))
    point = ("run_uuid", "key", "value", "timestamp", "step", "is_nan")
    metrics = (point, lambda n: [(n.uuid, *pair, n.start, 0, False) for pair in n.metrics.items()])
    return {
        "runs": (run, lambda n: [(n.uuid, n.name, *state, n.start, n.start + 60_000, *place)]),
        "params": (("run_uuid", "key", "value"), lambda n: [(n.uuid, *pair) for pair in n.params.items()]),
        "tags": (("run_uuid", "key", "value"), lambda n: [(n.uuid, *pair) for pair in n.tags.items()]),
        "metrics": metrics,
        "latest_metrics": metrics,
    }


def _fasttrackml_tables(experiment: str) -> Tables:
    """As MLflow's, whose tables they once were: runs are numbered, points too, and each belongs to a context."""
    theirs = _mlflow_tables(experiment)
    columns, run = theirs["runs"]
    point = ("run_uuid", "key", "value", "timestamp", "step", "is_nan")

    def numbered(new: NewRun) -> list[Row]:
        return [(*row, new.number) for row in run(new)]

    def metrics(new: NewRun) -> list[Row]:
        return [(new.uuid, *pair, new.start, 0, False, 1, _CONTEXT) for pair in new.metrics.items()]

    return {
        "runs": ((*columns, "row_num"), numbered),
        "params": (("run_uuid", "key", "value_str"), theirs["params"][1]),
        "tags": theirs["tags"],
        "metrics": ((*point, "iter", "context_id"), metrics),
        "latest_metrics": ((*point, "last_iter", "context_id"), metrics),
    }


def losses(count: int, seed: int) -> list[float]:
    """A falling, noisy loss that was a float32 where it was computed, with one spike."""
    noise = np.random.default_rng(seed).normal(0, 0.02, count)
    values = (2.3 * np.exp(-np.arange(count) / (count / 4)) + 0.3 + noise).astype(np.float32).astype(np.float64)
    values[count // 3] = 50.0 + seed
    found: list[float] = values.tolist()
    return found


def load_series(target: Target, key: str, lengths: Sequence[int]) -> list[str]:
    """A run for every length, with so many points of the metric. Returns the ids of the runs."""
    runs = [created(target) for _ in lengths]
    for seed, (run, length) in enumerate(zip(runs, lengths, strict=True)):
        values = losses(length, seed)
        if isinstance(target, Minleaf):
            points = (
                {"key": key, "value": value, "timestamp": START + step * 250, "step": step}
                for step, value in enumerate(values)
            )
            lane = []
            while batch := list(islice(points, 1000)):
                lane.append(post("/runs/log-batch", {"run_id": run, "metrics": batch}))
            _send_all(target, [lane])
        else:
            _insert_series(target, run, key, values)
    return runs


def _insert_series(target: Target, run: str, key: str, values: list[float]) -> None:
    last = len(values) - 1
    columns = ("run_uuid", "key", "value", "timestamp", "step", "is_nan")
    rows: Iterator[Row] = ((run, key, value, START + step * 250, step, False) for step, value in enumerate(values))
    latest: Row = (run, key, values[-1], START + last * 250, last, False)
    if isinstance(target, MLflow):
        insert(target.uri, "metrics", columns, rows)
        insert(target.uri, "latest_metrics", columns, [latest])
        return
    numbered = ((*row, number, _CONTEXT) for number, row in enumerate(rows, 1))
    insert(target.uri, "metrics", (*columns, "iter", "context_id"), numbered)
    insert(target.uri, "latest_metrics", (*columns, "last_iter", "context_id"), [(*latest, len(values), _CONTEXT)])


def created(target: Target) -> str:
    """The id of a new run in the default experiment."""
    body = {"experiment_id": "0", "start_time": START, "run_name": "bench"}
    run: str = target.call("POST", "/runs/create", body)["run"]["info"]["run_id"]
    return run


def post(path: str, body: dict[str, Any]) -> Request:
    """A request to MLflow's API."""
    return Request("POST", API + path, json.dumps(body).encode())


def _send_all(target: Target, lanes: list[list[Request]]) -> None:
    failures = send(Job(target.port, lanes)).failures
    if failures:
        raise RuntimeError(f"{target} did not take the data: {failures[0]}")


def insert(uri: str, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Insert rows into a table of a database, in one transaction."""
    with inserting(uri) as insert_into:
        insert_into(table, columns, rows)


@contextmanager
def inserting(uri: str, alone: bool = False) -> Iterator[Callable[[str, Sequence[str], Iterable[Row]], None]]:
    """A function that inserts rows into the columns of a table, all of them in one transaction.

    `alone` says that nobody else has the database open: then SQLite writes neither a journal nor syncs.
    """
    if not uri.startswith("sqlite"):
        with psycopg.connect(uri) as pg:

            def copy(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
                with pg.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as into:
                    for row in rows:
                        into.write_row(row)

            yield copy
        return
    conn = sqlite3.connect(uri.removeprefix("sqlite:///"), timeout=60)
    if alone:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-200000"):
            conn.execute(f"PRAGMA {pragma}")

    def put(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        places = ", ".join("?" * len(columns))
        conn.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)

    with conn:
        yield put
    conn.close()


@contextmanager
def without_indexes(uri: str, tables: Iterable[str]) -> Iterator[None]:
    """Drop the indexes of the tables, and make them again afterwards: sorted, they are made in a fraction of the time.

    Those that stand for a constraint stay.
    """
    names = ", ".join(f"'{table}'" for table in tables)
    statement = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql > '' AND tbl_name IN ({names})"
    if not uri.startswith("sqlite"):
        statement = (
            f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({names}) "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        )
    indexes = query(uri, statement)
    for name, _ in indexes:
        query(uri, f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        query(uri, definition)


def query(uri: str, statement: str) -> list[Row]:
    """The rows of a statement, run by itself."""
    if uri.startswith("sqlite"):
        conn = sqlite3.connect(uri.removeprefix("sqlite:///"), timeout=60)
        found: list[Row] = conn.execute(statement).fetchall()
        conn.close()
        return found
    with psycopg.connect(uri, autocommit=True) as pg:
        cursor = pg.execute(statement)
        return cursor.fetchall() if cursor.description else []
