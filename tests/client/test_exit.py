"""How runs end with the process: scripts that finish, die or are interrupted. The behaviour is MLflow's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import minleaf
from minleaf.entities import Experiment, Run

# What happens here does not depend on the database, so one is enough.
pytestmark = pytest.mark.parametrize("shared_server", ["sqlite"], indirect=True, scope="module")


def environment(uri: str, **more: str) -> dict[str, str]:
    return {**os.environ, "MINLEAF_TRACKING_URI": uri, **more}


def start(script: str, folder: Path, uri: str, experiment_id: str) -> "subprocess.Popen[str]":
    file = folder / "script.py"
    file.write_text(script)
    return subprocess.Popen(
        [sys.executable, str(file)],
        env=environment(uri, MINLEAF_EXPERIMENT_ID=experiment_id),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def statuses(experiment: Experiment) -> list[str]:
    return [run.info.status for run in runs(experiment)]


def runs(experiment: Experiment) -> list[Run]:
    return minleaf.search_runs([experiment.experiment_id], order_by=["start_time"])


@pytest.mark.parametrize(
    ("script", "expected", "code"),
    [
        ("minleaf.log_metric('m', 1)", ["FINISHED"], 0),
        ("minleaf.start_run(); minleaf.start_run(nested=True)", ["FINISHED", "FINISHED"], 0),
        ("minleaf.start_run(); raise ValueError", ["FINISHED"], 1),
        ("with minleaf.start_run(): raise ValueError", ["FAILED"], 1),
        ("with minleaf.start_run(): raise SystemExit(3)", ["FAILED"], 3),
        ("minleaf.start_run(); minleaf.end_run('KILLED')", ["KILLED"], 0),
        (
            "import asyncio\nasync def f(): minleaf.start_run()\nasyncio.run(f())",
            ["FINISHED"],
            0,
        ),
        ("import threading\nthreading.Thread(target=minleaf.start_run).start()", ["FINISHED"], 0),
    ],
)
def test_how_a_script_leaves_its_runs(
    experiment: Experiment, address: str, tmp_path: Path, script: str, expected: list[str], code: int
) -> None:
    process = start(f"import minleaf\n{script}\n", tmp_path, address, experiment.experiment_id)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert statuses(experiment) == expected


def test_an_interrupted_block_is_failed(experiment: Experiment, address: str, tmp_path: Path) -> None:
    script = "import minleaf, time\nwith minleaf.start_run():\n    print('on', flush=True)\n    time.sleep(60)\n"
    process = start(script, tmp_path, address, experiment.experiment_id)
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert statuses(experiment) == ["FAILED"]


def test_the_chosen_experiment_and_server_reach_a_child_process(experiment: Experiment, address: str) -> None:
    subprocess.run(
        [sys.executable, "-c", "import minleaf; minleaf.log_metric('m', 1)"], check=True, timeout=60, env=os.environ
    )
    (run,) = runs(experiment)
    assert run.info.experiment_id == experiment.experiment_id
