"""The runs and series that the reading workloads read, and how they get into each server's database.

Each run has 20 params, 20 metrics and 5 tags, all worked out from its number, so that the right answer to a search can
be worked out too. Over the wire a million runs would take hours: they are inserted as rows, except into FastTrackML.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import psycopg

from benchmarks.load import RUN, Job, Request, send
from benchmarks.servers import API, Minleaf, MLflow, Target
from minleaf_server.db.read.summaries import COLUMNS, values_of
from minleaf_server.db.tables import KeyKind
from minleaf_server.entities import Lifecycle, Point, RunStatus
from minleaf_server.entities.number import number_of
from minleaf_server.entities.summary import extended
from minleaf_server.points.codec import PointRow, encode_segment

START = 1_760_000_000_000
PARAMS = ("depth", "optimizer", "lr", *(f"p{n:02}" for n in range(3, 20)))
METRICS = ("acc", "loss", *(f"m{n:02}" for n in range(2, 20)))
TAGS = ("stage", "team", "t2", "t3", "mlflow.runName")

Row = tuple[Any, ...]


@dataclass(frozen=True)
class NewRun:
    """What is stored of one run."""

    number: int
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]

    @property
    def uuid(self) -> str:
        return f"{self.number:032x}"

    @property
    def name(self) -> str:
        return f"run-{self.number}"

    @property
    def start(self) -> int:
        return START + self.number * 1000


def shuffled(number: int, salt: int) -> float:
    """A number from 0 to below 1 that looks random; distinct for distinct numbers below 2^32 and the same salt."""
    return (number * 2_654_435_761 + salt * 40_503) % 2**32 / 2**32


def new_run(number: int) -> NewRun:
    """The run with this number."""
    optimizer, stage = ("adam", "sgd", "lamb")[number % 3], ("debug", "train", "final")[number % 7 % 3]
    params = {"depth": str(number % 10), "optimizer": optimizer, "lr": repr(10.0 ** -(1 + number % 5))}
    params |= {key: f"value {number % (17 + place)}" for place, key in enumerate(PARAMS[3:])}
    metrics = {key: shuffled(number, salt) for salt, key in enumerate(METRICS)}
    tags = {"stage": stage, "team": f"team-{number % 23}", "t2": "same", "t3": f"unique {number}"}
    return NewRun(number, params, metrics, tags | {"mlflow.runName": f"run-{number}"})


def new_runs(count: int) -> Iterator[NewRun]:
    """The first `count` runs."""
    return map(new_run, range(1, count + 1))


def load_runs(target: Target, count: int) -> str:
    """Put the runs into an experiment of their own. Returns its id. The server is running before and after."""
    experiment = target.experiment("search")
    if isinstance(target, MLflow):
        _load_mlflow(target.uri, experiment, count)
    elif isinstance(target, Minleaf):
        target.stop()  # its writer counts the changes by itself
        _load_minleaf(target.uri, int(experiment), count)
        target.start()
    else:
        _load_over_the_wire(target, experiment, count)
    return experiment


def _load_minleaf(uri: str, experiment: int, count: int) -> None:
    names = [(KeyKind.METRIC, METRICS), (KeyKind.PARAM, PARAMS), (KeyKind.TAG, TAGS)]
    keys = [(experiment, int(kind), name) for kind, group in names for name in group]
    insert(uri, "key", ("experiment_id", "kind", "name"), keys)
    ids = {(kind, name): key_id for key_id, kind, name in query(uri, "SELECT id, kind, name FROM key")}
    first = query(uri, "SELECT coalesce(max(id), 0), coalesce(max(seq), 0) FROM run")[0]
    rows = _MinleafRows(experiment, ids, *first)
    for table, (columns, of_run) in rows.tables().items():
        insert(uri, table, columns, chain.from_iterable(map(of_run, new_runs(count))))
    if not uri.startswith("sqlite"):
        query(uri, f"SELECT setval('change', {first[1] + count}), setval('run_id_seq', {first[0] + count})")
        query(uri, "ANALYZE")
    else:
        query(uri, "PRAGMA optimize")


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
            "metric_summary": (("run_id", "key_id", *COLUMNS), self.summaries),
            "segment": (("run_id", "seq", "n", "data"), self.segment),
        }

    def run(self, new: NewRun) -> Iterator[Row]:
        state = (int(RunStatus.FINISHED), new.start, new.start + 60_000, int(Lifecycle.ACTIVE))
        uri = f"mlflow-artifacts:/{self.experiment}/{new.uuid}/artifacts"
        yield (self._id(new), new.uuid, self.experiment, new.name, "ana", *state, uri, self.last_seq + new.number)

    def params(self, new: NewRun) -> list[Row]:
        kind = KeyKind.PARAM
        return [(self._id(new), self.ids[kind, key], value, number_of(value)) for key, value in new.params.items()]

    def tags(self, new: NewRun) -> list[Row]:
        return [(self._id(new), self.ids[KeyKind.TAG, key], value) for key, value in new.tags.items()]

    def summaries(self, new: NewRun) -> list[Row]:
        points = ((key, Point(key, value, new.start, 0)) for key, value in new.metrics.items())
        return [
            (self._id(new), self.ids[KeyKind.METRIC, key], *values_of(extended(None, [point]))) for key, point in points
        ]

    def segment(self, new: NewRun) -> Iterator[Row]:
        rows = [PointRow(self.ids[KeyKind.METRIC, key], 0, new.start, value) for key, value in new.metrics.items()]
        yield (self._id(new), self.last_seq + new.number, len(rows), encode_segment(rows))

    def _id(self, new: NewRun) -> int:
        return self.last_id + new.number


def _load_mlflow(uri: str, experiment: str, count: int) -> None:
    run = ["run_uuid", "name", "source_type", "user_id", "status"]
    run += ["start_time", "end_time", "lifecycle_stage", "artifact_uri", "experiment_id"]
    state = ("UNKNOWN", "ana", "FINISHED")
    place = ("active", "mlflow-artifacts:/x", experiment)
    rows: dict[str, tuple[Sequence[str], Callable[[NewRun], Iterable[Row]]]] = {
        "runs": (
            run,
            lambda n: [(n.uuid, n.name, *state, n.start, n.start + 60_000, *place)],
        ),
        "params": (("run_uuid", "key", "value"), lambda n: [(n.uuid, *pair) for pair in n.params.items()]),
        "tags": (("run_uuid", "key", "value"), lambda n: [(n.uuid, *pair) for pair in n.tags.items()]),
    }
    point = ("run_uuid", "key", "value", "timestamp", "step", "is_nan")
    for table in ("metrics", "latest_metrics"):
        rows[table] = (point, lambda n: [(n.uuid, *pair, n.start, 0, False) for pair in n.metrics.items()])
    for table, (columns, of_run) in rows.items():
        insert(uri, table, columns, chain.from_iterable(map(of_run, new_runs(count))))


def _load_over_the_wire(target: Target, experiment: str, count: int) -> None:
    lanes: list[list[Request]] = [[] for _ in range(4)]
    for new in new_runs(count):
        tags = [{"key": key, "value": value} for key, value in new.tags.items()]
        create = {"experiment_id": experiment, "run_name": new.name, "start_time": new.start, "tags": tags}
        metrics = [
            {"key": key, "value": value, "timestamp": new.start, "step": 0} for key, value in new.metrics.items()
        ]
        params = [{"key": key, "value": value} for key, value in new.params.items()]
        lane = lanes[new.number % len(lanes)]
        lane.append(post("/runs/create", create))
        lane.append(post("/runs/log-batch", {"run_id": RUN, "metrics": metrics, "params": params}))
        lane.append(post("/runs/update", {"run_id": RUN, "status": "FINISHED", "end_time": new.start + 60_000}))
    _send_all(target, lanes)


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
        if isinstance(target, MLflow):
            columns = ("run_uuid", "key", "value", "timestamp", "step", "is_nan")
            rows = ((run, key, value, START + step * 250, step, False) for step, value in enumerate(values))
            insert(target.uri, "metrics", columns, rows)
            insert(target.uri, "latest_metrics", columns, [(run, key, values[-1], START, length - 1, False)])
        else:
            points = (
                {"key": key, "value": value, "timestamp": START + step * 250, "step": step}
                for step, value in enumerate(values)
            )
            batches = iter(lambda points=points: list(islice(points, 1000)), [])
            _send_all(target, [[post("/runs/log-batch", {"run_id": run, "metrics": batch}) for batch in batches]])
    return runs


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
    listed = ", ".join(columns)
    if uri.startswith("sqlite"):
        conn = sqlite3.connect(uri.removeprefix("sqlite:///"), timeout=60)
        with conn:
            conn.executemany(f"INSERT INTO {table} ({listed}) VALUES ({', '.join('?' * len(columns))})", rows)
        conn.close()
        return
    with psycopg.connect(uri) as pg, pg.cursor().copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


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
