"""Logged models through the real `mlflow` client: what its store's and its fluent interface's own tests ask of them."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus, Metric
from mlflow.exceptions import MlflowException
from mlflow.tracking import fluent as mlflow_fluent

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
    """The experiment, set as the one that mlflow's functions use."""
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(shared_server.url)
    mlflow.set_experiment(experiment_id=experiment)
    yield experiment
    while mlflow.active_run():
        mlflow.end_run()
    mlflow_fluent.clear_active_model()
    mlflow.set_tracking_uri(before)


def created(client: MlflowClient, experiment: str, **fields: Any) -> LoggedModel:
    """A new model, made in a millisecond of its own, so that the latest is known."""
    time.sleep(0.002)
    return client.create_logged_model(experiment, **fields)


def names(models: list[LoggedModel]) -> list[str]:
    return [model.name for model in models]


def test_creating_and_getting_a_model(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment)
    bare = created(client, experiment)
    assert bare.name
    assert (bare.params, bare.tags, bare.metrics) == ({}, {}, [])
    model = created(
        client,
        experiment,
        name="mine",
        source_run_id=run.info.run_id,
        tags={"t": "1"},
        params={f"p{i}": str(i) for i in range(250)},
        model_type="Agent",
    )
    assert (model.name, model.model_type, model.source_run_id) == ("mine", "Agent", run.info.run_id)
    assert model.status == LoggedModelStatus.PENDING
    assert model.model_id.startswith("m-")
    assert len(model.model_id) == 34
    assert model.artifact_location == f"mlflow-artifacts:/{experiment}/models/{model.model_id}/artifacts"
    assert model.tags == {"t": "1"}
    # More than the client sends at once.
    assert model.params == {f"p{i}": str(i) for i in range(250)}
    assert client.get_logged_model(model.model_id).to_dictionary() == model.to_dictionary()
    with pytest.raises(MlflowException, match="not found") as caught:
        client.get_logged_model("m-none")
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize("name", ["", "a/b", "a.b", "a:b", "a%b", "a'b", 'a"b'])
def test_names_that_no_model_may_have(client: MlflowClient, experiment: str, name: str) -> None:
    with pytest.raises(MlflowException, match="Invalid model name") as caught:
        client.create_logged_model(experiment, name=name)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_status_tags_params_and_deletion(client: MlflowClient, experiment: str) -> None:
    model = created(client, experiment, params={"a": "1"})
    time.sleep(0.002)
    ready = client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    assert ready.status == LoggedModelStatus.READY
    assert ready.creation_timestamp == model.creation_timestamp
    assert ready.last_updated_timestamp > model.last_updated_timestamp
    assert client.finalize_logged_model(model.model_id, "FAILED").status == LoggedModelStatus.FAILED
    client.set_logged_model_tags(model.model_id, {"a": "1", "b": "2"})
    client.set_logged_model_tags(model.model_id, {"b": "3", "with blank": ""})
    client.delete_logged_model_tag(model.model_id, "a")
    client.log_model_params(model.model_id, {"b": "2"})
    found = client.get_logged_model(model.model_id)
    assert (found.tags, found.params) == ({"b": "3", "with blank": ""}, {"a": "1", "b": "2"})
    with pytest.raises(MlflowException, match="No tag with key"):
        client.delete_logged_model_tag(model.model_id, "a")
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_model_params(model.model_id, {"b": "4"})
    for change in (
        lambda: client.finalize_logged_model("m-none", "READY"),
        lambda: client.set_logged_model_tags("m-none", {"a": "1"}),
        lambda: client.delete_logged_model_tag("m-none", "a"),
        lambda: client.log_model_params("m-none", {"a": "1"}),
    ):
        with pytest.raises(MlflowException, match=r"not found|Failed to get logged model"):
            change()
    client.delete_logged_model(model.model_id)
    with pytest.raises(MlflowException, match="not found"):
        client.get_logged_model(model.model_id)
    assert client.search_logged_models([experiment]) == []


def test_a_model_outlives_its_run_and_its_experiment(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    model = created(client, experiment, source_run_id=run)
    client.delete_run(run)
    assert client.get_logged_model(model.model_id).source_run_id == run
    client.delete_experiment(experiment)
    assert client.get_logged_model(model.model_id).model_id == model.model_id
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.create_logged_model(experiment)


def test_metrics_belong_to_the_run_and_to_the_model(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    model = created(client, experiment).model_id
    data = {"dataset_name": "train", "dataset_digest": "d1"}
    first = Metric("acc", 0.5, 10, 3, model_id=model, run_id=run, **data)
    other = Metric("loss", 2.0, 11, 4, model_id=model, run_id=run)
    client.log_batch(run, metrics=[first])
    client.log_batch(run, metrics=[first])
    client.log_metric(run, "acc", 0.5, 10, 3, model_id=model, dataset_name="train", dataset_digest="d1")
    client.log_metric(run, "loss", 2.0, 11, 4, model_id=model)
    client.log_metric(run, "alone", 1.0, 11, 4)
    assert client.get_logged_model(model).metrics == [first, other]
    assert client.get_run(run).data.metrics == {"acc": 0.5, "loss": 2.0, "alone": 1.0}
    assert [(point.value, point.step) for point in client.get_metric_history(run, "acc")] == [(0.5, 3)]
    client.log_metric(run, "nan", math.nan, 12, 5, model_id=model)
    assert [math.isnan(metric.value) for metric in client.get_logged_model(model).metrics] == [False, False, True]
    with pytest.raises(MlflowException, match="not found"):
        client.log_batch(run, metrics=[Metric("lost", 1.0, 1, 1, model_id="m-none")])
    assert "lost" not in client.get_run(run).data.metrics


def test_searching_by_filter(client: MlflowClient, experiment: str) -> None:
    plain = created(client, experiment, name="plain")
    param = created(client, experiment, name="param", params={"depth": "3"})
    tag = created(client, experiment, name="tag", tags={"two words": "x"})
    metric = created(client, experiment, name="metric")
    run = client.create_run(experiment).info.run_id
    client.log_metric(run, "acc", 1.0, 5, 0, model_id=metric.model_id)
    newest_first = ["metric", "tag", "param", "plain"]
    found = {
        "": newest_first,
        "name = 'plain'": ["plain"],
        "attributes.name = 'plain'": ["plain"],
        "name LIKE 'p%'": ["param", "plain"],
        "name ILIKE 'P%'": ["param", "plain"],
        "name IN ('plain')": ["plain"],
        "name IN ('plain',)": ["plain"],
        "name IN ('plain', 'tag')": ["tag", "plain"],
        "name NOT IN ('plain', 'tag')": ["metric", "param"],
        f"model_id = '{param.model_id}'": ["param"],
        f"model_id != '{param.model_id}'": ["metric", "tag", "plain"],
        f"model_id ILIKE '{param.model_id.upper()}'": ["param"],
        "status = 'PENDING'": newest_first,
        "status ILIKE 'ready'": [],
        "creation_timestamp > 0": newest_first,
        "creation_time = 0": [],
        f"creation_timestamp < {tag.creation_timestamp}": ["param", "plain"],
        f"last_updated_timestamp >= {tag.last_updated_timestamp}": ["metric", "tag"],
        "params.depth = '3'": ["param"],
        "params.depth != '3'": [],
        "tags.`two words` = 'x'": ["tag"],
        "metrics.acc = 1": ["metric"],
        "metrics.acc > 0.5 AND metrics.acc < 3": ["metric"],
        "params.depth = '3' AND tags.x = '1'": [],
    }
    for text, expected in found.items():
        assert names(client.search_logged_models([experiment], text)) == expected, text
    assert plain.creation_timestamp < param.creation_timestamp


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Foo", "Invalid filter string"),
        ("name = 'foo' OR name = 'bar'", "Invalid filter string"),
        ("foo.bar = 'a'", "Invalid entity type"),
        ("name > 'foo'", "Invalid comparison operator"),
        ("metrics.foo LIKE 0", "Invalid comparison operator"),
    ],
)
def test_filters_that_mlflow_refuses(client: MlflowClient, experiment: str, text: str, match: str) -> None:
    with pytest.raises(MlflowException, match=match) as caught:
        client.search_logged_models([experiment], text)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_searching_by_dataset(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    one, two, three = (created(client, experiment, name=name).model_id for name in ("one", "two", "three"))
    client.log_batch(
        run,
        metrics=[
            Metric("m", 0.1, 0, 0, model_id=one, dataset_name="train", dataset_digest="d1"),
            Metric("m", 0.2, 0, 0, model_id=two, dataset_name="train", dataset_digest="d2"),
            Metric("n", 0.1, 0, 0, model_id=three),
        ],
    )

    def found(text: str | None, **dataset: str) -> list[str]:
        return names(client.search_logged_models([experiment], text, datasets=[dataset]))

    assert found("metrics.m >= 0.1", dataset_name="train") == ["two", "one"]
    assert found("metrics.m >= 0.1", dataset_name="train", dataset_digest="d1") == ["one"]
    assert found(None, dataset_name="train") == ["two", "one"]
    assert found("name = 'one'", dataset_name="train") == ["one"]
    assert found(None, dataset_name="test") == []
    with pytest.raises(MlflowException, match="`dataset_name` in the `datasets` clause must be specified"):
        found(None, dataset_name="")


def test_order(client: MlflowClient, experiment: str) -> None:
    run = client.create_run(experiment).info.run_id
    first, second = (created(client, experiment, name=name).model_id for name in ("first", "second"))
    points = [
        # By the first dataset the first model is better, by the second the second.
        ("acc", 0.9, 1, first, "d1"),
        ("acc", 0.8, 2, first, "d2"),
        ("acc", 0.8, 3, second, "d1"),
        ("acc", 0.9, 4, second, "d2"),
        ("only", 1.0, 4, first, "d1"),
    ]
    client.log_batch(
        run,
        metrics=[
            Metric(key, value, at, 0, model_id=model, dataset_name=f"data {digest}", dataset_digest=digest)
            for key, value, at, model, digest in points
        ],
    )

    def ordered(*order: dict[str, Any]) -> list[str]:
        return names(client.search_logged_models([experiment], order_by=list(order)))

    acc, only = {"field_name": "metrics.acc"}, {"field_name": "metrics.only"}
    assert ordered() == ["second", "first"]
    assert ordered({"field_name": "creation_time", "ascending": True}) == ["first", "second"]
    assert ordered({"field_name": "name"}) == ["first", "second"]
    assert ordered({"field_name": "name", "ascending": False}) == ["second", "first"]
    # The latest values are 0.8 and 0.9.
    assert ordered(acc) == ["first", "second"]
    assert ordered({**acc, "ascending": False}) == ["second", "first"]
    assert ordered({**acc, "dataset_name": "data d1"}) == ["second", "first"]
    assert ordered({**acc, "dataset_name": "data d1", "dataset_digest": "d1"}) == ["second", "first"]
    assert ordered({**acc, "dataset_digest": "d2"}) == ["first", "second"]
    # What has no value comes last, whatever the direction.
    assert ordered(only) == ordered({**only, "ascending": False}) == ["first", "second"]
    assert ordered({**acc, "dataset_name": "data d3"}) == ["second", "first"]
    assert ordered({"field_name": "metrics.none"}, {"field_name": "name"}) == ["first", "second"]
    for field in ("artifact_path", "params.x", "nothing"):
        with pytest.raises(MlflowException, match="Invalid order by field name"):
            ordered({"field_name": field})


def test_pages(client: MlflowClient, experiment: str) -> None:
    made = [created(client, experiment, name=f"model {i}").name for i in range(5)]
    page = client.search_logged_models([experiment], max_results=2)
    assert names(page) == made[:2:-1]
    rest = client.search_logged_models([experiment], max_results=100, page_token=page.token)
    assert names(rest) == made[2::-1]
    assert rest.token is None
    other = client.create_experiment(f"other {time.time_ns()}")
    with pytest.raises(MlflowException, match="Experiment IDs in the page token do not match"):
        client.search_logged_models([other], page_token=page.token)
    with pytest.raises(MlflowException, match="Order by in the page token does not match"):
        client.search_logged_models([experiment], page_token=page.token, order_by=[{"field_name": "creation_time"}])
    with pytest.raises(MlflowException, match="Filter string in the page token does not match"):
        client.search_logged_models([experiment], "name = 'x'", page_token=page.token)


def test_the_fluent_interface(fluent: str) -> None:
    with mlflow.start_run() as run:
        model = mlflow.initialize_logged_model(name="mine", params={"a": "1"}, tags={"t": "1"}, model_type="LLM")
        assert (model.source_run_id, model.experiment_id) == (run.info.run_id, fluent)
        with mlflow.set_active_model(model_id=model.model_id):
            mlflow.log_metric("loss", 0.5, step=1)
            mlflow.log_metrics({"acc": 0.9, "f1": 0.8}, step=2)
            mlflow.log_model_params({f"p{i}": str(i) for i in range(150)})
        mlflow.log_metric("not_of_model", 1.0)
        mlflow.log_metric("evaluated", 0.7, model_id=model.model_id, dataset=dataset())
    assert mlflow.last_logged_model().model_id == model.model_id
    assert mlflow.finalize_logged_model(model.model_id, "READY").status == LoggedModelStatus.READY
    mlflow.set_logged_model_tags(model.model_id, {"extra": "1"})
    mlflow.delete_logged_model_tag(model.model_id, "t")
    found = mlflow.get_logged_model(model.model_id)
    assert {metric.key: metric.value for metric in found.metrics} == {
        "loss": 0.5,
        "acc": 0.9,
        "f1": 0.8,
        "evaluated": 0.7,
    }
    by_key = {metric.key: metric for metric in found.metrics}
    assert (by_key["evaluated"].dataset_name, by_key["loss"].dataset_name) == ("numbers", None)
    assert len(found.params) == 151
    assert found.tags["extra"] == "1"
    assert "t" not in found.tags


def dataset() -> Any:
    import numpy as np

    return mlflow.data.from_numpy(np.arange(4.0), name="numbers")


def test_searching_to_pandas_and_over_pages(fluent: str) -> None:
    for i in range(3):
        mlflow.initialize_logged_model(name=f"m{i}", params={"i": str(i)})
    frame = mlflow.search_logged_models(filter_string="params.i != '1'", order_by=[{"field_name": "name"}])
    assert list(frame["name"]) == ["m0", "m2"]
    assert [params["i"] for params in frame["params"]] == ["0", "2"]
    listed = mlflow.search_logged_models(output_format="list", max_results=2)
    assert len(listed) == 2


def test_external_models_and_the_active_model_by_name(fluent: str, tmp_path: Path) -> None:
    model = mlflow.create_external_model(name="outside", tags={"a": "1"})
    assert model.status == LoggedModelStatus.READY
    assert model.tags["mlflow.model.isExternal"] == "true"
    mlflow.artifacts.download_artifacts(f"models:/{model.model_id}", dst_path=str(tmp_path))
    assert (tmp_path / "MLmodel").exists()
    mlflow.set_active_model(name="outside")
    assert mlflow.get_active_model_id() == model.model_id
    mlflow.set_active_model(name="new")
    (new,) = mlflow.search_logged_models(filter_string="name='new'", output_format="list")
    assert mlflow.get_active_model_id() == new.model_id
    with pytest.raises(MlflowException, match="Logged model with ID '1234' not found"):
        mlflow.set_active_model(model_id="1234")


# What the libraries warn about each other is not ours.
@pytest.mark.filterwarnings("ignore")
def test_a_scikit_learn_model_logged_loaded_and_evaluated(fluent: str) -> None:
    import numpy as np
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    inputs, targets = pd.DataFrame({"x": np.arange(8.0)}), np.arange(8.0) * 2 + 1
    with mlflow.start_run() as run:
        line = LinearRegression().fit(inputs, targets)
        # Given, because to find them out takes half a minute.
        info = mlflow.sklearn.log_model(line, name="line", pip_requirements=["scikit-learn"])
    found = mlflow.get_logged_model(info.model_id)
    assert (found.name, found.status, found.source_run_id) == ("line", LoggedModelStatus.READY, run.info.run_id)
    assert mlflow.sklearn.load_model(info.model_uri).predict(inputs) == pytest.approx(targets)
    loaded = mlflow.pyfunc.load_model(f"models:/{info.model_id}")
    assert loaded.predict(inputs) == pytest.approx(targets)
    with mlflow.start_run():
        result = mlflow.models.evaluate(
            info.model_uri,
            inputs.assign(y=targets),
            targets="y",
            model_type="regressor",
            evaluator_config={"log_model_explainability": False, "log_explainer": False},
        )
    evaluated = {metric.key: metric.value for metric in mlflow.get_logged_model(info.model_id).metrics}
    assert evaluated["mean_squared_error"] == result.metrics["mean_squared_error"]
    assert evaluated["r2_score"] == pytest.approx(1)
