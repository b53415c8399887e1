"""The real `mlflow` client against a real server: every call of experiments, runs, metrics, params, tags, searches."""

import math
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException, RestException

from tests.support.server import RunningServer


@pytest.fixture
def client(shared_server: RunningServer) -> MlflowClient:
    return MlflowClient(shared_server.url)


@pytest.fixture
def experiment(client: MlflowClient, request: pytest.FixtureRequest) -> str:
    """An experiment of the test's own."""
    made: str = client.create_experiment(f"{request.node.name} {time.time_ns()}")
    return made


@pytest.fixture
def fluent(shared_server: RunningServer, experiment: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The experiment, set as the one that `mlflow.start_run` uses."""
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(shared_server.url)
    mlflow.set_experiment(experiment_id=experiment)
    yield experiment
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(before)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def test_the_life_of_an_experiment(client: MlflowClient) -> None:
    name = f"life é/漢字 {time.time_ns()}"
    made = client.create_experiment(name, tags={"a": "1"})
    found = client.get_experiment(made)
    assert (found.name, found.tags, found.lifecycle_stage) == (name, {"a": "1"}, "active")
    assert found.artifact_location == f"mlflow-artifacts:/{made}"
    assert client.get_experiment_by_name(name).experiment_id == made
    assert client.get_experiment_by_name("never made") is None
    client.set_experiment_tag(made, "b", "")
    client.delete_experiment_tag(made, "a")
    client.rename_experiment(made, name + "!")
    renamed = client.get_experiment(made)
    assert (renamed.name, renamed.tags) == (name + "!", {"b": ""})
    assert renamed.last_update_time >= found.last_update_time
    client.delete_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "deleted"
    with pytest.raises(RestException, match="INVALID_STATE"):
        client.rename_experiment(made, "other")
    client.restore_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "active"


def test_errors_of_experiments_have_the_codes_that_callers_branch_on(client: MlflowClient, experiment: str) -> None:
    with pytest.raises(MlflowException) as caught:
        client.create_experiment(client.get_experiment(experiment).name)
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"
    for text, code in (("987654321", "RESOURCE_DOES_NOT_EXIST"), ("abc", "INVALID_PARAMETER_VALUE")):
        with pytest.raises(MlflowException) as caught:
            client.get_experiment(text)
        assert caught.value.error_code == code


def test_searching_experiments_in_pages(client: MlflowClient) -> None:
    stamp = str(time.time_ns())
    made = [client.create_experiment(f"{stamp}-{number}", tags={"stamp": stamp}) for number in range(5)]
    client.delete_experiment(made[0])
    text = f"tags.stamp = '{stamp}'"
    found, token = [], None
    while True:
        page = client.search_experiments(
            ViewType.ALL, max_results=2, filter_string=text, order_by=["name ASC"], page_token=token
        )
        found += [one.experiment_id for one in page]
        token = page.token
        if not token:
            break
    assert found == made
    assert [one.experiment_id for one in client.search_experiments(filter_string=text)] == made[:0:-1]
    deleted = client.search_experiments(ViewType.DELETED_ONLY, filter_string=f"name LIKE '{stamp}%'")
    assert [one.experiment_id for one in deleted] == made[:1]


def test_the_life_of_a_run(client: MlflowClient, experiment: str) -> None:
    made = client.create_run(experiment, start_time=1234, tags={"mlflow.user": "ana", "k": "v"}, run_name="first")
    run_id = made.info.run_id
    assert (made.info.status, made.info.run_name, made.info.user_id) == ("RUNNING", "first", "ana")
    assert made.info.artifact_uri == f"mlflow-artifacts:/{experiment}/{run_id}/artifacts"
    client.update_run(run_id, name="second")
    client.set_terminated(run_id, "FAILED", end_time=99)
    found = client.get_run(run_id)
    assert (found.info.run_name, found.info.status, found.info.start_time, found.info.end_time) == (
        "second",
        "FAILED",
        1234,
        99,
    )
    assert found.data.tags == {"mlflow.user": "ana", "k": "v", "mlflow.runName": "second"}
    client.set_tag(run_id, "mlflow.runName", "third")
    assert client.get_run(run_id).info.run_name == "third"
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.log_metric(run_id, "m", 1)
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)
    with pytest.raises(MlflowException, match="Run with id=nope not found"):
        client.get_run("nope")


def test_params_are_written_once(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    client.log_param(run_id, "batch_size", 4)
    client.log_param(run_id, "batch_size", 4)
    with pytest.raises(MlflowException, match="Changing param values is not allowed") as caught:
        client.log_param(run_id, "batch_size", 8)
    assert "was already logged with value='4'" in str(caught.value)
    with pytest.raises(MlflowException, match="'old_value': '4', 'new_value': '8'"):
        client.log_batch(run_id, params=[Param("batch_size", "8"), Param("other", "1")])
    assert client.get_run(run_id).data.params == {"batch_size": "4"}


def test_tags_change_and_go(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment, run_name="r").info.run_id
    for value in ("1", "", "é😀\n"):
        client.set_tag(run_id, "t", value)
        assert client.get_run(run_id).data.tags["t"] == value
    client.delete_tag(run_id, "t")
    assert "t" not in client.get_run(run_id).data.tags
    with pytest.raises(MlflowException, match="No tag with name: t"):
        client.delete_tag(run_id, "t")


NUMBERS = (
    0.1,
    -0.0,
    5e-324,
    -1.7976931348623157e308,
    float(2**53 + 2),
    math.inf,
    -math.inf,
    math.pi,
)


def test_numbers_come_back_bit_for_bit(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    for step, value in enumerate(NUMBERS):
        client.log_metric(run_id, "m", value, timestamp=7, step=step)
        client.log_metric(run_id, f"m{step}", value, timestamp=7)
    client.log_metric(run_id, "nan", math.nan, timestamp=7)
    history = client.get_metric_history(run_id, "m")
    assert [bits(point.value) for point in history] == [bits(value) for value in NUMBERS]
    metrics = client.get_run(run_id).data.metrics
    assert [bits(metrics[f"m{step}"]) for step in range(len(NUMBERS))] == [bits(value) for value in NUMBERS]
    assert math.isnan(metrics["nan"])
    found = client.search_runs([experiment])[0].data.metrics
    assert {key: bits(value) for key, value in found.items() if key != "nan"} == {
        key: bits(value) for key, value in metrics.items() if key != "nan"
    }
    assert math.isnan(found["nan"])


def test_the_latest_metric_is_that_of_the_largest_step(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    for value, timestamp, step in ((3.0, 1, 9), (1.0, 5, 2), (2.0, 2, 9), (0.5, 9, -4)):
        client.log_metric(run_id, "m", value, timestamp=timestamp, step=step)
    assert client.get_run(run_id).data.metrics == {"m": 2.0}
    order = [(point.timestamp, point.step, point.value) for point in client.get_metric_history(run_id, "m")]
    assert order == [(1, 9, 3.0), (2, 9, 2.0), (5, 2, 1.0), (9, -4, 0.5)]


def test_a_batch_of_everything(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment, run_name="r").info.run_id
    metrics = [Metric("loss", 1 / (step + 1), 10 + step, step) for step in range(800)]
    params = [Param(f"p{number}", "x" * 6000) for number in range(100)]
    tags = [RunTag(f"t{number}", str(number)) for number in range(100)]
    client.log_batch(run_id, metrics, params, tags)
    client.log_batch(run_id, metrics[:50], params, tags)
    data = client.get_run(run_id).data
    assert data.params == {param.key: param.value for param in params}
    assert data.tags == {"mlflow.runName": "r"} | {tag.key: tag.value for tag in tags}
    assert [point.value for point in client.get_metric_history(run_id, "loss")] == [one.value for one in metrics]
    with pytest.raises(MlflowException, match=r"metrics\[1\]"):
        client.log_batch(run_id, [Metric("m", 1, 1, 0), Metric("bad@", 1, 1, 0)])
    assert set(client.get_run(run_id).data.metrics) == {"loss"}


def test_a_history_that_takes_several_pages(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    for start in range(0, 30_000, 1000):
        client.log_batch(run_id, [Metric("m", float(step), step, step) for step in range(start, start + 1000)])
    assert [point.step for point in client.get_metric_history(run_id, "m")] == list(range(30_000))


def test_searching_runs_in_pages(client: MlflowClient, experiment: str) -> None:
    runs = [client.create_run(experiment, start_time=start).info.run_id for start in range(1, 8)]
    for number, run_id in enumerate(runs):
        client.log_param(run_id, "lr", f"1e-{number}")
        if number % 2:
            client.log_metric(run_id, "acc", number / 10)
    found, token = [], None
    while True:
        page = client.search_runs([experiment], max_results=3, page_token=token)
        found += [run.info.run_id for run in page]
        token = page.token
        if not token:
            break
    assert found == runs[::-1]

    def ids(text: str, order: str = "start_time ASC") -> list[str]:
        return [run.info.run_id for run in client.search_runs([experiment], text, order_by=[order])]

    assert ids("metrics.acc >= 0.3") == [runs[3], runs[5]]
    assert ids("params.lr = '1e-2'") == [runs[2]]
    assert ids("params.lr < 1e-3") == runs[4:]
    assert ids("(metrics.acc < 0.2 or params.lr in (1, 0.01)) and not params.lr = '1e-0'") == [runs[1], runs[2]]
    assert ids("", "metrics.acc DESC")[:3] == [runs[5], runs[3], runs[1]]
    assert ids(f"attributes.run_id IN ('{runs[0]}', '{runs[4]}')") == [runs[0], runs[4]]
    with pytest.raises(MlflowException) as caught:
        ids("metrics.acc >")
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_names_that_are_refused(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    for key in ("a@b", "../x", "a//b"):
        with pytest.raises(MlflowException, match="Invalid value"):
            client.log_metric(run_id, key, 1)
        with pytest.raises(MlflowException, match="Invalid value"):
            client.log_param(run_id, key, 1)
    assert client.get_run(run_id).data.metrics == {}


def test_a_feature_that_is_not_there_says_so(client: MlflowClient) -> None:
    with pytest.raises(MlflowException, match="Traces: this feature of MLflow") as caught:
        client.search_traces(locations=["0"])
    assert caught.value.error_code == "NOT_IMPLEMENTED"


def test_fluent_runs(fluent: str, client: MlflowClient) -> None:
    with mlflow.start_run(run_name="parent") as parent:
        mlflow.log_params({"a": 1, "b": "x"})
        mlflow.log_metrics({"m": 0.5, "n": float("nan")}, step=3)
        mlflow.set_tags({"t": "1", "u": True})
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("c", 1)
    assert parent.info.experiment_id == fluent
    found = client.get_run(parent.info.run_id)
    assert (found.info.status, found.data.params) == ("FINISHED", {"a": "1", "b": "x"})
    assert found.data.metrics["m"] == 0.5
    assert found.data.tags["u"] == "True"
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
    with mlflow.start_run(run_id=parent.info.run_id):
        assert client.get_run(parent.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("m", 0.25, step=4)
    assert mlflow.get_run(parent.info.run_id).data.metrics["m"] == 0.25


def test_a_fluent_run_that_fails(fluent: str, client: MlflowClient) -> None:
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        1 / 0  # noqa: B018
    assert client.get_run(run.info.run_id).info.status == "FAILED"


def test_fluent_searches(fluent: str) -> None:
    for depth in (1, 2, 3):
        with mlflow.start_run():
            mlflow.log_param("depth", depth)
            mlflow.log_metric("acc", depth / 10)
    frame = mlflow.search_runs([fluent], filter_string="depth >= 2", order_by=["metrics.acc ASC"])
    assert list(frame["params.depth"]) == ["2", "3"]
    assert list(frame["metrics.acc"]) == [0.2, 0.3]
    runs = mlflow.search_runs([fluent], "metrics.acc = 0.1", output_format="list")
    assert [run.data.params for run in runs] == [{"depth": "1"}]


def test_asynchronous_logging(fluent: str, client: MlflowClient) -> None:
    with mlflow.start_run() as run:
        pending = [mlflow.log_metric("m", float(step), step=step, synchronous=False) for step in range(200)]
        pending.append(mlflow.log_params({"a": 1}, synchronous=False))
        for operation in pending:
            operation.wait()
    assert [point.step for point in client.get_metric_history(run.info.run_id, "m")] == list(range(200))
    assert client.get_run(run.info.run_id).data.params == {"a": "1"}


def test_many_threads_log_to_one_run(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    start = threading.Barrier(8)

    def log(worker: int) -> None:
        start.wait()
        for step in range(25):
            client.log_batch(run_id, [Metric(f"m{key}", worker, step, step) for key in range(4)], [Param("same", "1")])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(log, range(8)))
    for key in range(4):
        points = {(point.step, point.value) for point in client.get_metric_history(run_id, f"m{key}")}
        assert points == {(step, float(worker)) for step in range(25) for worker in range(8)}
