"""The example scripts, run as a user runs them."""

import importlib.util
import os
import struct
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import minleaf
from minleaf.entities import Experiment

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_example(name: str, experiment: Experiment, address: str, *options: str) -> None:
    # Both spellings of the variables: one of the scripts uses the real mlflow.
    settings = {"TRACKING_URI": address, "EXPERIMENT_ID": experiment.experiment_id}
    variables = {f"{prefix}_{key}": value for prefix in ("MLFLOW", "MINLEAF") for key, value in settings.items()}
    command = [sys.executable, str(EXAMPLES / name), *options]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_two_sweeps_differ_in_the_import_alone() -> None:
    theirs = (EXAMPLES / "sweep.py").read_text().splitlines()
    ours = (EXAMPLES / "sweep_minleaf.py").read_text().splitlines()
    assert theirs[0] == "import itertools, mlflow, numpy as np"
    assert ours[0] == "import itertools, minleaf as mlflow, numpy as np"
    assert theirs[1:] == ours[1:]


@pytest.mark.parametrize("script", ["sweep.py", "sweep_minleaf.py"])
def test_the_sweep(experiment: Experiment, address: str, script: str) -> None:
    run_example(script, experiment, address)
    runs = minleaf.search_runs([experiment.experiment_id])
    assert len(runs) == 15
    assert {run.info.status for run in runs} == {"FINISHED"}
    combinations = {(run.data.params["max_depth"], run.data.params["min_leaf"]) for run in runs}
    assert combinations == {(str(depth), str(leaf)) for depth in range(1, 6) for leaf in range(1, 4)}
    wanted = {
        run.info.run_id for run in runs if run.data.params["min_leaf"] == "3" and run.data.metrics["test_acc"] > 0.44
    }
    assert 0 < len(wanted) < 15
    text = "params.min_leaf = '3' and metrics.test_acc > 0.44"
    assert {run.info.run_id for run in minleaf.search_runs([experiment.experiment_id], text)} == wanted


@pytest.mark.parametrize("options", [("--batches",), ("--steps", "300")])
def test_the_curve(experiment: Experiment, address: str, options: tuple[str, ...]) -> None:
    run_example("curve.py", experiment, address, *options)
    spec = importlib.util.spec_from_file_location(f"curve_{uuid.uuid4().hex}", EXAMPLES / "curve.py")
    assert spec is not None
    assert spec.loader is not None
    curve = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(curve)
    (run,) = minleaf.search_runs([experiment.experiment_id])
    history = minleaf.MinleafClient().get_metric_history(run.info.run_id, "training_loss")
    expected = curve.losses(50_000 if options == ("--batches",) else 300)
    assert [struct.pack("<d", point.value) for point in history] == [struct.pack("<d", value) for value in expected]
    assert max(point.value for point in history) == max(expected)
