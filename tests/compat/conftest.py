"""What the real `mlflow` client remembers in its process must not reach the next test."""

import os

import pytest
from mlflow.tracking import fluent


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the experiment that `set_experiment` chose: it goes into a variable of the process and into a global."""
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "MINLEAF_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(fluent, "_active_experiment_id", None)
    # Noted, so that it is unset again after the test even where it was not set before it.
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
