"""The main job: a real sweep, logged by the real `mlflow` client and by ours, then found by filters."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.support.server import RunningServer

EXAMPLES = Path(__file__).parents[2] / "examples"

FILTERS: dict[str, Callable[[float, float, float], bool]] = {
    "min_leaf = 3 and test_acc > 0.44": lambda depth, leaf, acc: leaf == 3 and acc > 0.44,
    "(min_leaf = 3 or max_depth in (1, 2)) and not test_acc <= 0.44": lambda depth, leaf, acc: (
        (leaf == 3 or depth in (1, 2)) and not acc <= 0.44
    ),
    "params.min_leaf = '3' AND metrics.test_acc > 0.44": lambda depth, leaf, acc: leaf == 3 and acc > 0.44,
    "max_depth between 2 and 4 and max(test_acc) >= 0.42": lambda depth, leaf, acc: 2 <= depth <= 4 and acc >= 0.42,
}


def run_script(name: str, url: str) -> str:
    environment = os.environ | {"MLFLOW_TRACKING_URI": url, "GIT_PYTHON_REFRESH": "quiet"}
    environment.pop("MINLEAF_TRACKING_URI", None)
    done = subprocess.run(
        [sys.executable, EXAMPLES / name], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def logged(run: Run) -> tuple[float, float, float]:
    return float(run.data.params["max_depth"]), float(run.data.params["min_leaf"]), run.data.metrics["test_acc"]


@pytest.mark.parametrize("script", ["sweep.py", "sweep_minleaf.py"])
def test_the_sweep_is_logged_and_found(server: RunningServer, script: str) -> None:
    run_script(script, server.url)
    client = MlflowClient(server.url)
    everything = client.search_runs(["0"])
    assert len(everything) == 15
    assert {run.info.status for run in everything} == {"FINISHED"}
    assert {logged(run)[:2] for run in everything} == {(d, leaf) for d in range(1, 6) for leaf in range(1, 4)}
    for text, holds in FILTERS.items():
        expected = {run.info.run_id for run in everything if holds(*logged(run))}
        assert 0 < len(expected) < 15, text
        found = client.search_runs(["0"], filter_string=text)
        assert {run.info.run_id for run in found} == expected, text
        page = httpx.get(f"{server.url}/experiments/0", params={"filter": text}).text
        shown = {run.info.run_id for run in everything if f"/runs/{run.info.run_id}" in page}
        assert shown == expected, text


def test_ordering_by_a_metric_and_by_a_number_in_a_param(server: RunningServer) -> None:
    run_script("sweep_minleaf.py", server.url)
    client = MlflowClient(server.url)
    accuracies = [logged(run)[2] for run in client.search_runs(["0"], order_by=["metrics.test_acc DESC"])]
    assert accuracies == sorted(accuracies, reverse=True)
    depths = [logged(run)[0] for run in client.search_runs(["0"], order_by=["params.max_depth ASC"])]
    assert depths == sorted(depths)


def test_a_second_value_for_a_param_raises_with_the_reason(server: RunningServer) -> None:
    mlflow.set_tracking_uri(server.url)
    with mlflow.start_run() as run:
        mlflow.log_param("batch_size", 4)
        with pytest.raises(mlflow.MlflowException, match="Changing param values is not allowed"):
            mlflow.log_param("batch_size", 8)
    assert mlflow.get_run(run.info.run_id).data.params == {"batch_size": "4"}
