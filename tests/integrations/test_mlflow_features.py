"""What MLflow's own client does around a run: projects, pyfunc, system metrics, async logging, data frames."""

import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient


def log_adder(folder: Path, constant: int) -> Any:
    """Log a model that adds a constant, which it reads from an artifact."""

    class Adder(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def load_context(self, context):  # type: ignore[no-untyped-def]
            self.constant = int(Path(context.artifacts["constant"]).read_text())

        def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
            return model_input["x"] + self.constant

    file = folder / "constant.txt"
    file.write_text(str(constant))
    with mlflow.start_run():
        return mlflow.pyfunc.log_model(name="adder", python_model=Adder(), artifacts={"constant": str(file)})


def test_a_python_model_with_artifacts_is_logged_and_loaded(tracked: MlflowClient, tmp_path: Path) -> None:
    loaded = mlflow.pyfunc.load_model(log_adder(tmp_path, 41).model_uri)
    assert loaded.predict(pd.DataFrame({"x": [1, 2]})).tolist() == [42, 43]


def test_models_predict_from_the_command_line(tracked: MlflowClient, tmp_path: Path) -> None:
    logged = log_adder(tmp_path, 1)
    (tmp_path / "in.csv").write_text("x\n1\n5\n")
    command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", logged.model_uri, "-i", "in.csv", "-t", "csv"]
    subprocess.run([*command, "-o", "out.json", "--env-manager", "local"], check=True, cwd=tmp_path, timeout=300)
    assert json.loads((tmp_path / "out.json").read_text()) == {"predictions": [{"x": 2}, {"x": 6}]}


def test_a_local_project_runs_and_logs_to_the_server(tracked: MlflowClient, experiment_id: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").write_text(
        "name: tiny\nentry_points:\n  main:\n    parameters:\n      alpha: {type: float, default: 0.5}\n"
        f'    command: "{sys.executable} train.py {{alpha}}"\n'
    )
    (project / "train.py").write_text(
        "import sys, mlflow\n"
        "with mlflow.start_run():\n"
        "    mlflow.log_metric('double', 2 * float(sys.argv[1]))\n"
        "    mlflow.log_text('done', 'note.txt')\n"
    )
    submitted = mlflow.projects.run(
        str(project), parameters={"alpha": 0.25}, env_manager="local", experiment_id=experiment_id
    )
    found = tracked.get_run(submitted.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params["alpha"] == "0.25"
    assert found.data.metrics["double"] == 0.5
    assert found.data.tags["mlflow.project.entryPoint"] == "main"
    assert mlflow.artifacts.load_text(f"{found.info.artifact_uri}/note.txt") == "done"


def test_system_metrics_are_logged_while_a_run_goes_on(tracked: MlflowClient) -> None:
    mlflow.set_system_metrics_sampling_interval(0.1)
    mlflow.set_system_metrics_samples_before_logging(1)
    with mlflow.start_run(log_system_metrics=True) as run:
        time.sleep(2.5)
    metrics = tracked.get_run(run.info.run_id).data.metrics
    assert metrics["system/system_memory_usage_percentage"] > 0
    assert len(tracked.get_metric_history(run.info.run_id, "system/cpu_utilization_percentage")) >= 2


def test_asynchronous_logging_loses_nothing(tracked: MlflowClient) -> None:
    with mlflow.start_run() as run:
        for step in range(2_000):
            mlflow.log_metric("loss", 1 / (step + 1), step=step, synchronous=False)
        mlflow.log_params({f"p{i}": i for i in range(150)}, synchronous=False)
        mlflow.set_tags({f"t{i}": i for i in range(20)}, synchronous=False)
        mlflow.flush_async_logging()
    history = tracked.get_metric_history(run.info.run_id, "loss")
    assert sorted((point.step, point.value) for point in history) == [(i, 1 / (i + 1)) for i in range(2_000)]
    data = tracked.get_run(run.info.run_id).data
    assert {name: data.params[name] for name in data.params} == {f"p{i}": str(i) for i in range(150)}
    assert data.tags["t19"] == "19"


def test_nested_runs_are_found_as_a_data_frame(tracked: MlflowClient, experiment_id: str) -> None:
    with mlflow.start_run(run_name="parent") as parent:
        for depth in (1, 2, 3):
            with mlflow.start_run(run_name=f"child-{depth}", nested=True):
                mlflow.log_param("max_depth", depth)
                mlflow.log_metric("acc", depth / 10)
                mlflow.log_metric("odd", math.nan)
    frame = mlflow.search_runs([experiment_id], "metrics.acc > 0.15", order_by=["metrics.acc DESC"])
    assert frame["params.max_depth"].tolist() == ["3", "2"]
    assert frame["tags.mlflow.parentRunId"].unique().tolist() == [parent.info.run_id]
    assert frame["metrics.odd"].isna().all()
    assert str(frame["start_time"].dtype).startswith("datetime64")
    assert mlflow.search_runs([experiment_id], "params.max_depth = '9'").empty


def test_files_figures_tables_and_images_come_back(tracked: MlflowClient, tmp_path: Path) -> None:
    import numpy as np
    from matplotlib import pyplot as plt

    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "folder" / "deep" / "data.bin").write_bytes(bytes(range(256)) * 1000)
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path / "folder"), "copy")
        mlflow.log_text("héllo", "notes/a b.txt")
        mlflow.log_dict({"a": [1, 2]}, "conf.json")
        mlflow.log_figure(figure, "plot.png")
        mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "zero.png")
        mlflow.log_table({"q": ["x", "y"], "n": [1, 2]}, "table.json")
        mlflow.log_table({"q": ["z"], "n": [3]}, "table.json")
    plt.close(figure)
    run_id = run.info.run_id
    got = Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="copy"))
    assert (got / "deep" / "data.bin").read_bytes() == bytes(range(256)) * 1000
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/a b.txt") == "héllo"
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/conf.json") == {"a": [1, 2]}
    assert mlflow.load_table("table.json", run_ids=[run_id])["n"].tolist() == [1, 2, 3]
    listed = {one.path: one.is_dir for one in tracked.list_artifacts(run_id)}
    assert listed == {
        "conf.json": False,
        "copy": True,
        "notes": True,
        "plot.png": False,
        "table.json": False,
        "zero.png": False,
    }


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_ends_as_its_block_ends(tracked: MlflowClient, fails: bool) -> None:
    run = None
    try:
        with mlflow.start_run() as run:
            if fails:
                raise RuntimeError("no")
    except RuntimeError:
        pass
    assert run is not None
    assert tracked.get_run(run.info.run_id).info.status == ("FAILED" if fails else "FINISHED")
