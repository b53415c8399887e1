"""The real libraries against a real server: what a user's script does, on small data."""

import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.tracking import fluent

from tests.support.server import RunningServer

# What the libraries themselves warn about (deprecations, missing signatures) is not ours to fail on.
pytestmark = pytest.mark.filterwarnings("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A library's warnings are no errors here."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture
def tracked(shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MlflowClient]:
    """A client of a server, with an experiment of the test's own set for the fluent API, in a folder of its own."""
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "MINLEAF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", shared_server.url)
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fluent, "_active_experiment_id", None)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(shared_server.url)
    mlflow.set_experiment(f"integration-{uuid.uuid4().hex[:8]}")
    yield MlflowClient(shared_server.url)
    mlflow.autolog(disable=True)
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri("")
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


@pytest.fixture
def experiment_id(tracked: MlflowClient) -> str:
    """The experiment that the fluent API logs to."""
    chosen = fluent._get_experiment_id()
    assert chosen
    return str(chosen)
