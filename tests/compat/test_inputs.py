"""The real `mlflow` client logs datasets and models as inputs and outputs, reads them and searches by them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.tracking._tracking_service.client import TrackingServiceClient
from mlflow.utils.validation import (
    MAX_DATASET_PROFILE_SIZE,
    MAX_DATASET_SCHEMA_SIZE,
    MAX_DATASET_SOURCE_SIZE,
)

from tests.support.server import RunningServer

CONTEXT = "mlflow.data.context"


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


def dataset(name: str, digest: str = "1", **more: str) -> Dataset:
    return Dataset(name=name, digest=digest, source_type="st", source="source", **more)


def given(name: str, digest: str = "1", context: str = "", **more: str) -> DatasetInput:
    return DatasetInput(dataset(name, digest, **more), [InputTag(CONTEXT, context)] if context else [])


@pytest.mark.filterwarnings("ignore")  # pandas and mlflow warn each other's callers.
def test_a_data_frame_as_input(client: MlflowClient, fluent: str, tmp_path: Path) -> None:
    frame = pd.DataFrame([[1.0, 2.0, 3.0], [1.5, 2.5, 3.5]], columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "temp.csv")
    with mlflow.start_run() as run:
        logged = mlflow.data.from_pandas(frame, source=str(tmp_path / "temp.csv"))
        for _ in range(2):
            mlflow.log_input(logged, "train", {"foo": "baz"})
    (found,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest, found.dataset.source_type) == ("dataset", logged.digest, "local")
    assert json.loads(found.dataset.source) == {"uri": str(tmp_path / "temp.csv")}
    columns = [{"name": name, "type": "double", "required": True} for name in "abc"]
    assert json.loads(found.dataset.schema) == {"mlflow_colspec": columns}
    assert json.loads(found.dataset.profile) == {"num_rows": 2, "num_elements": 6}
    assert [(tag.key, tag.value) for tag in found.tags] == [("foo", "baz"), (CONTEXT, "train")]


def test_arrays_as_inputs_and_runs_found_by_them(client: MlflowClient, fluent: str) -> None:
    rng = np.random.default_rng(0)
    train = mlflow.data.from_numpy(rng.random((4, 2)), targets=np.arange(4), name="numbers")
    test = mlflow.data.from_numpy(rng.random((2, 2)), name="numbers")
    with mlflow.start_run() as both:
        mlflow.log_inputs(datasets=[train, test], contexts=["train", "test"], tags_list=[{"a": "1"}, None])
    with mlflow.start_run() as one:
        mlflow.log_input(test, context="test")
    with mlflow.start_run():
        pass
    inputs = client.get_run(both.info.run_id).inputs.dataset_inputs
    assert [(each.dataset.digest, {tag.key: tag.value for tag in each.tags}) for each in inputs] == [
        (train.digest, {"a": "1", CONTEXT: "train"}),
        (test.digest, {CONTEXT: "test"}),
    ]

    def found(text: str) -> set[str]:
        return set(mlflow.search_runs([fluent], filter_string=text).get("run_id", []))

    assert found("dataset.name = 'numbers'") == {both.info.run_id, one.info.run_id}
    assert found(f"datasets.digest = '{train.digest}'") == {both.info.run_id}
    assert found("datasets.context IN ('train')") == {both.info.run_id}
    assert found("dataset.name ILIKE 'NUM%' AND dataset.context = 'test'") == {both.info.run_id, one.info.run_id}
    assert found("dataset.name LIKE 'NUM%'") == set()
    # The client turns what it has read into the dataset's own source again.
    assert mlflow.get_run(both.info.run_id).inputs.dataset_inputs[0].dataset.to_dictionary()["name"] == "numbers"


def test_models_as_inputs_and_outputs(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    tracking = TrackingServiceClient(client.tracking_uri)
    for _ in range(2):
        client.log_inputs(run_id, datasets=[given("d", context="train")], models=[LoggedModelInput("m-1")])
        tracking.log_outputs(run_id, models=[LoggedModelOutput("m-2", step=3), LoggedModelOutput("m-3", step=0)])
    for run in (client.get_run(run_id), client.search_runs([experiment])[0]):
        assert [model.model_id for model in run.inputs.model_inputs] == ["m-1"]
        assert [(model.model_id, model.step) for model in run.outputs.model_outputs] == [("m-2", 3), ("m-3", 0)]
        assert run.inputs.dataset_inputs[0].dataset.name == "d"


def test_runs_without_inputs_have_empty_ones(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    client.log_inputs(run_id)
    client.log_inputs(run_id, datasets=None)
    for run in (client.get_run(run_id), client.search_runs([experiment])[0]):
        assert (run.inputs.dataset_inputs, run.inputs.model_inputs, run.outputs.model_outputs) == ([], [], [])


@pytest.mark.parametrize(("field", "limit"), [("schema", MAX_DATASET_SCHEMA_SIZE), ("source", MAX_DATASET_SOURCE_SIZE)])
def test_the_largest_texts(client: MlflowClient, experiment: str, field: str, limit: int) -> None:
    run_id = client.create_run(experiment).info.run_id
    largest = Dataset(**{**dict(dataset("d")), field: "a" * limit})
    client.log_inputs(run_id, [DatasetInput(largest, [])])
    assert dict(client.get_run(run_id).inputs.dataset_inputs[0].dataset) == dict(largest)
    over = Dataset(**{**dict(dataset("e")), field: "a" * (limit + 1)})
    with pytest.raises(MlflowException, match=f"'{field}' exceeds the maximum length of {limit} characters"):
        client.log_inputs(run_id, [DatasetInput(over, [])])


def test_the_largest_profile(client: MlflowClient, experiment: str) -> None:
    run_id = client.create_run(experiment).info.run_id
    client.log_inputs(run_id, [given("d", profile="a" * MAX_DATASET_PROFILE_SIZE)])
    (found,) = client.get_run(run_id).inputs.dataset_inputs
    assert found.dataset.profile == "a" * MAX_DATASET_PROFILE_SIZE
    over = given("e", profile="a" * (MAX_DATASET_PROFILE_SIZE + 1))
    with pytest.raises(MlflowException, match=f"'profile' exceeds the maximum length of {MAX_DATASET_PROFILE_SIZE}"):
        client.log_inputs(run_id, [over])
