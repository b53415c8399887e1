"""Checks of experiments, runs, metrics, params, tags and batches. See `classic.py`."""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mlflow.entities import ExperimentTag, Metric, Param, RunStatus, RunTag, ViewType
from mlflow.utils.name_utils import _GENERATOR_PREDICATES

from tests.compat.classic_bench import Bench, refused


def check_where_artifacts_lie(bench: Bench) -> None:
    here = bench.store.get_experiment(bench.experiment(artifact_location="my_location"))
    assert here.artifact_location == str(Path.cwd() / "my_location")
    run = bench.store.get_run(bench.run(here.experiment_id))
    assert run.info.artifact_uri == f"{here.artifact_location}/{run.info.run_id}/artifacts"
    usual = bench.store.get_experiment(bench.experiment())
    assert usual.artifact_location.endswith(f"/{usual.experiment_id}")
    for location in ("/etc", "s3://other/x", "file:..", "..", "a/../b", "a%2fb"):
        with refused("artifact_location"):
            bench.experiment(artifact_location=location)
    for location in ("s3://x#y", "a?b", "dirname/rootpa#th?"):
        with refused("'artifact_location' URL can't include fragments or params."):
            bench.experiment(artifact_location=location)


def check_names_of_experiments(bench: Bench) -> None:
    name = bench.name()
    made = bench.store.create_experiment(name)
    with refused(f"Experiment(name={name}) already exists", "RESOURCE_ALREADY_EXISTS"):
        bench.store.create_experiment(name)
    bench.store.delete_experiment(made)
    with refused(f"Experiment(name={name}) already exists", "RESOURCE_ALREADY_EXISTS"):
        bench.store.create_experiment(name)
    assert bench.store.get_experiment_by_name(name).experiment_id == made
    assert bench.store.get_experiment_by_name("no such name") is None
    with refused("'name' exceeds the maximum length"):
        bench.store.create_experiment("x" * 501)
    with refused("Cannot rename a non-active experiment.", "INVALID_STATE"):
        bench.store.rename_experiment(made, bench.name())
    bench.store.restore_experiment(made)
    with refused("'name' exceeds the maximum length"):
        bench.store.rename_experiment(made, "x" * 501)
    with refused("No Experiment with id=987654321 exists", "RESOURCE_DOES_NOT_EXIST"):
        bench.store.get_experiment("987654321")
    with refused("Invalid experiment ID 'invalid_id'. Experiment ID must be a valid integer."):
        bench.store.get_experiment("invalid_id")


def check_life_of_experiments(bench: Bench) -> None:
    made = bench.store.get_experiment(bench.experiment(tags=[ExperimentTag("a", "1"), ExperimentTag("b", "")]))
    assert (made.tags, made.last_update_time) == ({"a": "1", "b": ""}, made.creation_time)
    runs = [bench.run(made.experiment_id), bench.run(made.experiment_id)]
    bench.store.delete_run(runs[0])
    changes: tuple[Callable[[str], None], ...] = (
        lambda one: bench.store.rename_experiment(one, bench.name()),
        bench.store.delete_experiment,
        bench.store.restore_experiment,
    )
    for change, stage in zip(changes, ("active", "deleted", "active"), strict=True):
        before = bench.store.get_experiment(made.experiment_id)
        time.sleep(0.002)
        change(made.experiment_id)
        after = bench.store.get_experiment(made.experiment_id)
        assert after.last_update_time > before.last_update_time
        assert after.lifecycle_stage == stage
        view = ViewType.DELETED_ONLY if stage == "deleted" else ViewType.ALL
        assert set(bench.found(made.experiment_id, view=view)) == set(runs)
    assert set(bench.found(made.experiment_id)) == set(runs)


def check_tags_of_experiments(bench: Bench) -> None:
    made = bench.experiment()
    for value in ("1", "value2\nvalue2", "a" * 4999):
        bench.store.set_experiment_tag(made, ExperimentTag("tag", value))
        assert bench.store.get_experiment(made).tags == {"tag": value}
    with refused("exceeds the maximum length of 5000"):
        bench.store.set_experiment_tag(made, ExperimentTag("long", "a" * 100_001))
    bench.client.delete_experiment_tag(made, "tag")
    assert bench.store.get_experiment(made).tags == {}
    with refused("No tag with name: tag", "RESOURCE_DOES_NOT_EXIST"):
        bench.client.delete_experiment_tag(made, "tag")
    bench.store.delete_experiment(made)
    with refused("must be in the 'active' state"):
        bench.store.set_experiment_tag(made, ExperimentTag("should", "not"))


def check_names_of_runs(bench: Bench) -> None:
    experiment = bench.experiment()

    def name_of(run_id: str) -> tuple[str, str | None]:
        run = bench.store.get_run(run_id)
        return run.info.run_name, run.data.tags.get("mlflow.runName")

    assert name_of(bench.run(experiment, run_name="given")) == ("given", "given")
    tagged = [RunTag("mlflow.runName", "test")]
    run_id = bench.run(experiment, run_name=None, tags=tagged)
    assert name_of(run_id) == ("test", "test")
    for nothing in (None, ""):
        assert name_of(bench.run(experiment, run_name=nothing))[0].split("-")[0] in _GENERATOR_PREDICATES
    differing = "different values (run_name='x', mlflow.runName='test')."
    with refused(f"Both 'run_name' argument and 'mlflow.runName' tag are specified, but with {differing}"):
        bench.run(experiment, run_name="x", tags=tagged)
    for given, name in (("new", "new"), (None, "new"), ("", "new")):
        bench.store.update_run_info(run_id, RunStatus.FINISHED, 1000, given)
        assert name_of(run_id) == (name, name)
    bench.store.delete_tag(run_id, "mlflow.runName")
    assert name_of(run_id) == ("new", None)
    bench.store.update_run_info(run_id, None, None, "newer")
    assert name_of(run_id) == ("newer", "newer")
    bench.store.set_tag(run_id, RunTag("mlflow.runName", "by tag"))
    assert name_of(run_id) == ("by tag", "by tag")
    bench.store.log_batch(run_id, [], [], [RunTag("mlflow.runName", "by batch")])
    assert name_of(run_id) == ("by batch", "by batch")


def check_status_of_runs(bench: Bench) -> None:
    experiment = bench.experiment()
    for name in ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"):
        run_id = bench.run(experiment)
        info = bench.store.update_run_info(run_id, getattr(RunStatus, name), 77, None)
        assert (info.status, info.end_time) == (name, 77)
        renamed = bench.store.update_run_info(run_id, None, None, "other")
        assert (renamed.status, renamed.end_time, renamed.run_name) == (info.status, 77, "other")
    created = bench.client.create_run(experiment)
    assert bench.client.get_run(created.info.run_id).info == created.info
    assert (created.info.user_id, created.info.end_time, created.info.status) == ("unknown", None, "RUNNING")
    bench.client.set_terminated(created.info.run_id)
    ended = bench.client.get_run(created.info.run_id).info
    assert ended.status == "FINISHED"
    assert ended.start_time <= ended.end_time


def check_deleted_runs(bench: Bench) -> None:
    experiment = bench.experiment()
    run_id = bench.run(experiment)
    bench.store.set_tag(run_id, RunTag("t", "1"))
    bench.store.restore_run(run_id)
    bench.store.delete_run(run_id)
    bench.store.delete_run(run_id)
    assert bench.store.get_run(run_id).info.lifecycle_stage == "deleted"
    assert bench.found(experiment) == []
    assert bench.found(experiment, view=ViewType.DELETED_ONLY) == [run_id]
    changes: tuple[Callable[[], object], ...] = (
        lambda: bench.store.log_param(run_id, Param("p", "1")),
        lambda: bench.store.log_metric(run_id, Metric("m", 1.0, 123, 0)),
        lambda: bench.store.set_tag(run_id, RunTag("t", "2")),
        lambda: bench.store.delete_tag(run_id, "t"),
        lambda: bench.store.update_run_info(run_id, None, None, "name"),
    )
    for change in changes:
        with refused(f"The run {run_id} must be in the 'active' state. Current state is deleted."):
            change()
    bench.store.restore_run(run_id)
    bench.store.restore_run(run_id)
    bench.store.log_metric(run_id, Metric("m", 34.0, 85, 1))
    assert bench.store.get_run(run_id).data.metrics == {"m": 34.0}


def history(bench: Bench, run_id: str, key: str) -> list[tuple[int, int, float]]:
    return [(one.step, one.timestamp, one.value) for one in bench.client.get_metric_history(run_id, key)]


def check_metrics(bench: Bench) -> None:
    run_id = bench.run()
    points = [(0, 100, 1000), (3, 40, 100), (3, 50, 10), (3, 50, 20), (3, 50, 20), (-3, 900, 900), (-1, 800, 800)]
    for step, timestamp, value in reversed(points):
        bench.store.log_metric(run_id, Metric("m", value, timestamp, step))
    assert history(bench, run_id, "m") == sorted(set(points), key=lambda one: (one[1], one[0], one[2]))
    (latest,) = bench.store.get_run(run_id).data._metric_objs
    assert (latest.key, latest.value, latest.timestamp, latest.step) == ("m", 20, 50, 3)
    assert history(bench, run_id, "unknown") == []
    nothing: Any = None
    with refused("Missing value for required parameter 'value'"):
        bench.store.log_metric(run_id, Metric("m", nothing, 1, 0))
    for key, number in (("nan", math.nan), ("inf", math.inf), ("-inf", -math.inf)):
        bench.store.log_metric(run_id, Metric(key, number, 0, 0))
    (found,) = bench.client.search_runs(["0"], f"attributes.run_id = '{run_id}'")
    for metrics in (bench.store.get_run(run_id).data.metrics, found.data.metrics):
        assert math.isnan(metrics["nan"])
        assert metrics["inf"] >= 1.7976931348623157e308
        assert metrics["-inf"] <= -1.7976931348623157e308
    assert history(bench, run_id, "inf")[0][2] >= 1.7976931348623157e308


def check_pages_of_a_history(bench: Bench) -> None:
    run_id = bench.run()
    bench.store.log_batch(run_id, [Metric("m", float(i), 1000 + i, i) for i in range(10)], [], [])
    token, sizes, values = None, [], []
    while True:
        page = bench.store.get_metric_history(run_id, "m", max_results=4, page_token=token)
        sizes.append(len(page))
        values += [one.value for one in page]
        token = page.token
        if token is None:
            break
    assert (sizes, values) == ([4, 4, 2], [float(i) for i in range(10)])
    assert len(bench.store.get_metric_history(run_id, "m", max_results=20)) == 10
    everything = bench.store.get_metric_history(run_id, "m")
    assert (len(everything), everything.token) == (10, None)
    with refused("Invalid page token"):
        bench.store.get_metric_history(run_id, "m", page_token="invalid_token")


def check_logging_at_once(bench: Bench) -> None:
    runs = [bench.run(), bench.run()]

    def log(run_id: str) -> None:
        for value in range(50):
            bench.store.log_metric(run_id, Metric("single", value, 1000 + value, 0))
        for batch in range(5):
            bench.store.log_batch(run_id, [Metric(f"b{batch}", i, 1000, 0) for i in range(100)], [], [])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(log, runs * 2))
    for run_id in runs:
        assert len(history(bench, run_id, "single")) == 50
        assert [len(history(bench, run_id, f"b{batch}")) for batch in range(5)] == [100] * 5


def check_params_and_tags(bench: Bench) -> None:
    run_id, other = bench.run(run_name="r"), bench.run()
    for value in ("x" * 6000, "x" * 6000):
        bench.store.log_param(run_id, Param("long", value))
    bench.store.log_param(run_id, Param("empty", ""))
    with refused("Changing param values is not allowed. Param with key='empty' was already logged with value=''"):
        bench.store.log_param(run_id, Param("empty", "1"))
    for value in ("a boogie", "", "new"):
        bench.store.set_tag(run_id, RunTag("t", value))
        assert bench.store.get_run(run_id).data.tags == {"t": value, "mlflow.runName": "r"}
    bench.store.set_tag(other, RunTag("t", "1"))
    bench.store.delete_tag(run_id, "t")
    assert bench.store.get_run(run_id).data.params == {"long": "x" * 6000, "empty": ""}
    assert bench.store.get_run(other).data.tags["t"] == "1"
    with refused("No tag with name: fakeTag", "RESOURCE_DOES_NOT_EXIST"):
        bench.store.delete_tag(run_id, "fakeTag")
    with refused("Run with id=randomRunId not found", "RESOURCE_DOES_NOT_EXIST"):
        bench.store.delete_tag("randomRunId", "t")


def check_batches(bench: Bench) -> None:
    run_id = bench.run(run_name="r")
    params, tags = [Param("p", "1")], [RunTag("t", "val"), RunTag("t", "newval")]
    twins = [Metric("m", 1, 2, 0), Metric("m", 2, 3, 0)]
    for _ in range(2):
        bench.store.log_batch(run_id, [*twins, *twins], params, tags)
        bench.store.log_batch(run_id, [], [], [])
    bench.store.log_batch(run_id, [], [*params, Param("q", "2")], [])
    many = [Metric(f"many-{i}", float(i), 1, 0) for i in range(150)]
    bench.store.log_batch(run_id, many, [], [])
    bench.store.log_batch(run_id, [*many, *(Metric(f"many-{i}", float(i), 2, 1) for i in range(150))], [], [])

    def verify() -> None:
        data = bench.store.get_run(run_id).data
        assert data.params == {"p": "1", "q": "2"}
        assert data.tags == {"t": "newval", "mlflow.runName": "r"}
        assert history(bench, run_id, "m") == [(0, 2, 1.0), (0, 3, 2.0)]
        assert len(data.metrics) == 151
        assert history(bench, run_id, "many-7") == [(0, 1, 7.0), (1, 2, 7.0)]

    verify()
    metric, tag = Metric("bad", 3.0, 12345, 0), RunTag("bad", "1")
    with refused("Changing param values is not allowed"):
        bench.store.log_batch(run_id, [metric], [Param("p", "2")], [tag])
    with refused("Duplicate parameter keys have been submitted"):
        bench.store.log_batch(run_id, [metric], [Param("x", "1"), Param("x", "2")], [tag])
    for field, entries in (
        ("metrics[1].name", {"metrics": [metric, Metric("../bad/name", 0.3, 3, 0)]}),
        ("params[0].key", {"params": [Param("../bad/name", "v")]}),
        ("tags[0].key", {"tags": [RunTag("../bad/name", "v")]}),
    ):
        with refused(f"Invalid value \"../bad/name\" for parameter '{field}'"):
            bench.store.log_batch(run_id, **{"metrics": [], "params": [], "tags": []} | entries)
    verify()
    with refused("Run with id=unknown not found", "RESOURCE_DOES_NOT_EXIST"):
        bench.store.log_batch("unknown", [], [], [])
    limit = "A batch logging request can contain at most"
    with refused(f"{limit} 1000 metrics. Got 1001 metrics."):
        bench.store.log_batch(run_id, [Metric("m", i, 1, i) for i in range(1001)], [], [])
    with refused(f"{limit} 100 params. Got 101 params."):
        bench.store.log_batch(run_id, [], [Param(f"x{i}", "1") for i in range(101)], [])
    with refused(f"{limit} 1000 metrics, params, and tags. Got 1001 metrics, params, and tags."):
        bench.store.log_batch(run_id, many[:100] * 9 + [metric], [Param(f"x{i}", "1") for i in range(100)], [])
