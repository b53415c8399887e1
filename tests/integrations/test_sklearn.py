"""scikit-learn: autologging, and models that are logged, registered, loaded and evaluated."""

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier


@pytest.fixture(scope="module")
def iris() -> tuple[pd.DataFrame, pd.Series]:
    data = load_iris(as_frame=True)
    return data.data, data.target


def test_autolog_logs_params_metrics_and_the_model(tracked: MlflowClient, iris: tuple[pd.DataFrame, pd.Series]) -> None:
    mlflow.sklearn.autolog()
    with mlflow.start_run() as run:
        fitted = DecisionTreeClassifier(max_depth=3, min_samples_leaf=2, random_state=0).fit(*iris)
        score = fitted.score(*iris)
    found = tracked.get_run(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert (found.data.params["max_depth"], found.data.params["min_samples_leaf"]) == ("3", "2")
    assert found.data.metrics["training_accuracy_score"] == score
    assert found.data.tags["estimator_name"] == "DecisionTreeClassifier"
    assert [one.dataset.name for one in found.inputs.dataset_inputs] == ["dataset"]
    assert len(found.outputs.model_outputs) == 1
    model = tracked.get_logged_model(found.outputs.model_outputs[0].model_id)
    assert model.status == "READY"
    assert model.params["max_depth"] == "3"
    loaded = mlflow.sklearn.load_model(model.model_uri)
    assert (loaded.predict(iris[0]) == fitted.predict(iris[0])).all()
    assert "training_confusion_matrix.png" in [one.path for one in tracked.list_artifacts(run.info.run_id)]


def test_a_grid_search_logs_a_child_run_for_each_candidate(
    tracked: MlflowClient, experiment_id: str, iris: tuple[pd.DataFrame, pd.Series]
) -> None:
    mlflow.sklearn.autolog(max_tuning_runs=None, log_models=False)
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 5]})
    with mlflow.start_run() as parent:
        search.fit(*iris)
    mine = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
    children = tracked.search_runs([experiment_id], mine, order_by=["metrics.mean_test_score DESC"])
    assert len(children) == 6
    assert children[0].data.metrics["mean_test_score"] == search.best_score_
    assert tracked.get_run(parent.info.run_id).data.params["best_max_depth"] == str(search.best_params_["max_depth"])


def test_a_model_is_logged_registered_and_loaded_by_alias(
    tracked: MlflowClient, iris: tuple[pd.DataFrame, pd.Series]
) -> None:
    x, y = iris
    fitted = LogisticRegression(max_iter=200).fit(x, y)
    with mlflow.start_run():
        logged = mlflow.sklearn.log_model(
            fitted, name="iris", input_example=x.head(3), registered_model_name="integration.iris"
        )
    version = tracked.get_model_version("integration.iris", str(logged.registered_model_version))
    assert version.source == logged.model_uri
    tracked.set_registered_model_alias("integration.iris", "champion", version.version)
    for uri in (f"models:/integration.iris/{version.version}", "models:/integration.iris@champion", logged.model_uri):
        assert (mlflow.sklearn.load_model(uri).predict(x) == fitted.predict(x)).all()
    served = mlflow.pyfunc.load_model("models:/integration.iris@champion")
    assert served.metadata.signature is not None
    assert (served.predict(x) == fitted.predict(x)).all()


def test_a_model_of_a_run_is_registered_by_its_address(
    tracked: MlflowClient, iris: tuple[pd.DataFrame, pd.Series]
) -> None:
    fitted = DecisionTreeClassifier(max_depth=2).fit(*iris)
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(fitted, name="tree", serialization_format="cloudpickle")
    made = mlflow.register_model(f"runs:/{run.info.run_id}/tree", "integration.tree")
    assert (made.name, made.version, made.run_id) == ("integration.tree", "1", run.info.run_id)
    folder = mlflow.artifacts.download_artifacts(artifact_uri="models:/integration.tree/1")
    assert (mlflow.sklearn.load_model(folder).predict(iris[0]) == fitted.predict(iris[0])).all()


def test_an_evaluation_logs_its_metrics_to_run_and_model(
    tracked: MlflowClient, iris: tuple[pd.DataFrame, pd.Series]
) -> None:
    x, y = iris
    data = x.assign(target=y)
    with mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(LogisticRegression(max_iter=200).fit(x, y), name="judged")
        result = mlflow.models.evaluate(
            logged.model_uri, data, targets="target", model_type="classifier", evaluator_config={"log_explainer": False}
        )
    found = tracked.get_run(run.info.run_id)
    assert found.data.metrics["accuracy_score"] == result.metrics["accuracy_score"]
    assert np.isfinite(result.metrics["log_loss"])
    kept = {metric.key: metric.value for metric in tracked.get_logged_model(logged.model_id).metrics or []}
    assert kept["accuracy_score"] == result.metrics["accuracy_score"]
