"""The frameworks whose integrations log to MLflow. They are large, so `make integrations` installs and runs them."""

import os
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from mlflow import MlflowClient

pytestmark = pytest.mark.integration

STEPS = 3


@pytest.fixture
def table() -> tuple[np.ndarray, np.ndarray]:
    """200 rows of 4 columns, and a column that follows from them."""
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 4))
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


def only_run(tracked: MlflowClient, experiment_id: str) -> Any:
    """The one run of the experiment."""
    (found,) = tracked.search_runs([experiment_id])
    return found


def steps_of(tracked: MlflowClient, run_id: str, key: str) -> list[int]:
    """The steps at which a metric was logged."""
    return [point.step for point in tracked.get_metric_history(run_id, key)]


def test_xgboost_autolog(tracked: MlflowClient, experiment_id: str, table: tuple[np.ndarray, np.ndarray]) -> None:
    import xgboost

    mlflow.xgboost.autolog()
    data = xgboost.DMatrix(*table)
    booster = xgboost.train({"max_depth": 2, "objective": "binary:logistic"}, data, 5, evals=[(data, "train")])
    run = only_run(tracked, experiment_id)
    assert run.data.params["max_depth"] == "2"
    assert steps_of(tracked, run.info.run_id, "train-logloss") == [0, 1, 2, 3, 4]
    loaded = mlflow.xgboost.load_model(tracked.get_logged_model(run.outputs.model_outputs[0].model_id).model_uri)
    assert np.array_equal(loaded.predict(data), booster.predict(data))
    assert "feature_importance_weight.json" in [one.path for one in tracked.list_artifacts(run.info.run_id)]


def test_lightgbm_autolog(tracked: MlflowClient, experiment_id: str, table: tuple[np.ndarray, np.ndarray]) -> None:
    import lightgbm

    mlflow.lightgbm.autolog()
    data = lightgbm.Dataset(*table)
    made = lightgbm.train(
        {"objective": "binary", "num_leaves": 4, "verbose": -1}, data, 5, valid_sets=[data], valid_names=["train"]
    )
    run = only_run(tracked, experiment_id)
    assert run.data.params["num_leaves"] == "4"
    assert len(steps_of(tracked, run.info.run_id, "train-binary_logloss")) == 5
    loaded = mlflow.lightgbm.load_model(tracked.get_logged_model(run.outputs.model_outputs[0].model_id).model_uri)
    assert np.array_equal(loaded.predict(table[0]), made.predict(table[0]))


def test_statsmodels_autolog(tracked: MlflowClient, experiment_id: str, table: tuple[np.ndarray, np.ndarray]) -> None:
    import statsmodels.api as sm

    mlflow.statsmodels.autolog()
    fitted = sm.OLS(table[1], table[0]).fit()
    run = only_run(tracked, experiment_id)
    assert run.data.metrics["rsquared"] == fitted.rsquared
    assert "model_summary.txt" in [one.path for one in tracked.list_artifacts(run.info.run_id)]


def test_lightning_logger(tracked: MlflowClient, experiment_id: str, table: tuple[np.ndarray, np.ndarray]) -> None:
    import lightning
    import torch
    from lightning.pytorch.loggers import MLFlowLogger

    class Line(lightning.LightningModule):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(4, width)

        def training_step(self, batch: Any, _index: int) -> Any:
            loss = torch.nn.functional.mse_loss(self.layer(batch[0])[:, 0], batch[1])
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    x, y = (torch.tensor(part, dtype=torch.float32) for part in table)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=50)
    name = tracked.get_experiment(experiment_id).name
    logger = MLFlowLogger(experiment_name=name, tracking_uri=os.environ["MLFLOW_TRACKING_URI"], log_model=True)
    trainer = lightning.Trainer(
        max_epochs=2, logger=logger, log_every_n_steps=1, enable_progress_bar=False, accelerator="cpu"
    )
    trainer.fit(Line(width=1), data)
    run = only_run(tracked, experiment_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["width"] == "1"
    assert len(steps_of(tracked, run.info.run_id, "train_loss")) == 8
    (checkpoint,) = tracked.list_artifacts(run.info.run_id)
    files = [one.path for one in tracked.list_artifacts(run.info.run_id, checkpoint.path)]
    assert f"{checkpoint.path}/{checkpoint.path}.ckpt" in files


def test_transformers_callback(tracked: MlflowClient, experiment_id: str, tmp_path: Path) -> None:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

    model = GPT2LMHeadModel(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=50, n_positions=16))
    rows = [{"input_ids": torch.arange(8) % 50, "labels": torch.arange(8) % 50} for _ in range(12)]
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "out"),
        report_to=["mlflow"],
        logging_steps=1,
        max_steps=STEPS,
        per_device_train_batch_size=2,
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        run_name="tiny",
    )
    Trainer(model=model, args=arguments, train_dataset=rows).train()
    mlflow.end_run()
    run = only_run(tracked, experiment_id)
    assert run.info.run_name == "tiny"
    assert run.data.params["max_steps"] == str(STEPS)
    assert steps_of(tracked, run.info.run_id, "loss") == [1, 2, 3]


def test_keras_callback(tracked: MlflowClient, experiment_id: str, table: tuple[np.ndarray, np.ndarray]) -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    with mlflow.start_run() as run:
        model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
        model.fit(*table, epochs=STEPS, verbose=0, callbacks=[mlflow.keras.MlflowCallback(run)])
    found = only_run(tracked, experiment_id)
    assert found.data.params["optimizer_name"].lower() == "sgd"
    assert len(steps_of(tracked, found.info.run_id, "accuracy")) == STEPS
    assert "model_summary.txt" in [one.path for one in tracked.list_artifacts(found.info.run_id)]


def test_optuna_callback(tracked: MlflowClient, experiment_id: str) -> None:
    import optuna
    from optuna_integration.mlflow import MLflowCallback

    callback = MLflowCallback(
        tracking_uri=os.environ["MLFLOW_TRACKING_URI"], metric_name="square", create_experiment=False
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=4, callbacks=[callback])
    runs = tracked.search_runs([experiment_id], order_by=["metrics.square ASC"])
    assert len(runs) == 4
    assert runs[0].data.metrics["square"] == study.best_value
    assert runs[0].data.params["x"] == str(study.best_params["x"])
    assert runs[0].data.tags["direction"] == "MINIMIZE"


def test_hyperopt_with_nested_runs(tracked: MlflowClient, experiment_id: str) -> None:
    import hyperopt

    def objective(x: float) -> float:
        with mlflow.start_run(nested=True):
            mlflow.log_param("x", x)
            mlflow.log_metric("loss", (x - 1) ** 2)
        return float((x - 1) ** 2)

    with mlflow.start_run() as parent:
        best = hyperopt.fmin(
            objective,
            hyperopt.hp.uniform("x", -2, 2),
            algo=hyperopt.rand.suggest,
            max_evals=5,
            show_progressbar=False,
            rstate=np.random.default_rng(0),
        )
    children = tracked.search_runs([experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert len(children) == 5
    assert min(float(run.data.params["x"]) for run in children) <= best["x"]


def test_ray_tune_callback(tracked: MlflowClient, experiment_id: str, tmp_path: Path) -> None:
    import ray
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    def objective(config: dict[str, float]) -> None:
        for step in range(STEPS):
            tune.report({"score": config["x"] * step})

    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, _temp_dir="/tmp/ray-minleaf")
    try:
        name = tracked.get_experiment(experiment_id).name
        callback = MLflowLoggerCallback(tracking_uri=os.environ["MLFLOW_TRACKING_URI"], experiment_name=name)
        tune.Tuner(
            objective,
            param_space={"x": tune.grid_search([1.0, 2.0])},
            run_config=tune.RunConfig(callbacks=[callback], storage_path=str(tmp_path), verbose=0),
        ).fit()
    finally:
        ray.shutdown()
    runs = tracked.search_runs([experiment_id], order_by=["params.x ASC"])
    assert [run.data.params["x"] for run in runs] == ["1.0", "2.0"]
    assert [run.data.metrics["score"] for run in runs] == [2.0, 4.0]
    assert all(run.info.status == "FINISHED" for run in runs)


def test_torch_model_is_logged_and_loaded(tracked: MlflowClient) -> None:
    import torch

    model = torch.nn.Linear(2, 1)
    with mlflow.start_run():
        logged = mlflow.pytorch.log_model(model, name="linear", input_example=np.ones((3, 2), np.float32))
    x = torch.ones(3, 2)
    assert torch.equal(mlflow.pytorch.load_model(logged.model_uri)(x), model(x))
