"""A run that lasts over the cells of a notebook, in a real Jupyter kernel."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

import minleaf
from minleaf.entities import Experiment
from tests.support.git import git

# What happens here does not depend on the database, so one is enough.
pytestmark = pytest.mark.parametrize("shared_server", ["sqlite"], indirect=True, scope="module")

Execute = Callable[[str], None]


@pytest.fixture
def execute(experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Execute]:
    """Runs a cell and fails with its error. The kernel inherits the tracking URI and the experiment."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    # The name of this process's notebook, as VS Code and Jupyter give it.
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/study.ipynb")
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    manager = KernelManager()
    assert manager.kernel_spec is not None
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run_cell(code: str) -> None:
        reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", "\n".join(reply["content"].get("traceback", ()))

    yield run_cell
    client.stop_channels()
    manager.shutdown_kernel()


def test_a_run_lasts_over_cells_with_and_without_await(
    experiment: Experiment, execute: Execute, tmp_path: Path
) -> None:
    execute("import asyncio, minleaf")
    execute("run = minleaf.start_run()")
    execute("minleaf.log_metric('plain', 1)")
    execute("await asyncio.sleep(0); minleaf.log_metric('awaited', 2)")
    execute("minleaf.log_metric('after', 3)")
    execute("__vsc_ipynb_file__ = '/home/ada/other.ipynb'")
    execute("await asyncio.sleep(0); minleaf.end_run(); run = minleaf.start_run(run_name='second')")
    execute("assert minleaf.active_run() is run; minleaf.end_run('KILLED')")
    execute("assert minleaf.active_run() is None")
    first, second = minleaf.search_runs([experiment.experiment_id], order_by=["start_time"])
    assert first.data.metrics == {"plain": 1.0, "awaited": 2.0, "after": 3.0}
    assert first.info.status == "FINISHED"
    assert (second.info.run_name, second.info.status) == ("second", "KILLED")
    assert first.data.tags["mlflow.source.type"] == "NOTEBOOK"
    assert first.data.tags["mlflow.source.name"] == "study.ipynb"
    assert second.data.tags["mlflow.source.name"] == "other.ipynb"
    assert first.data.tags["mlflow.source.git.commit"] == git(tmp_path, "rev-parse", "HEAD")
