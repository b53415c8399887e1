"""The client against a real server: a clean environment, and an experiment of its own for each test."""

import os
import uuid
from collections.abc import Iterator

import pytest

import minleaf
from minleaf import _active
from minleaf.entities import Experiment
from tests.support.server import RunningServer


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of the machine, or left by another test, reaches a test."""
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "MINLEAF_")):
            monkeypatch.delenv(name)
    for name in ("TRACKING_URI", "EXPERIMENT_ID", "RUN_ID"):
        monkeypatch.delenv(f"MINLEAF_{name}", raising=False)
    yield
    for run in _active.all_open():
        _active.remove(run)
    minleaf.set_tracking_uri(None)


@pytest.fixture
def address(shared_server: RunningServer) -> str:
    """The address of a running server, chosen as the tracking URI."""
    minleaf.set_tracking_uri(shared_server.url)
    return shared_server.url


@pytest.fixture
def experiment(address: str) -> Experiment:
    """A new experiment, chosen for new runs."""
    return minleaf.set_experiment(f"test {uuid.uuid4().hex}")


@pytest.fixture
def client(address: str) -> minleaf.MinleafClient:
    return minleaf.MinleafClient(address)
