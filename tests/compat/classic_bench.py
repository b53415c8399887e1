"""What the checks of `classic.py` work with: the client of whichever `mlflow` is installed, and a server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.exceptions import MlflowException

_numbers = count()


class Bench:
    """A client of the server and the store behind it, which is what MLflow's own tests of stores call."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = MlflowClient(url)
        self.store: Any = self.client._tracking_client.store

    def experiment(self, **more: Any) -> str:
        """The id of a new experiment."""
        made: str = self.store.create_experiment(self.name(), **more)
        return made

    def name(self) -> str:
        """A name that no other check has."""
        return f"classic {time.time_ns()} {next(_numbers)}"

    def run(self, experiment: str = "0", **more: Any) -> str:
        """The id of a new run."""
        given = {"user_id": "ana", "start_time": 1, "tags": [], "run_name": "name"} | more
        made: Run = self.store.create_run(experiment, **given)
        run_id: str = made.info.run_id
        return run_id

    def found(self, experiment: str | list[str], text: str = "", **more: Any) -> list[str]:
        """The ids of the runs that a search finds, in its order."""
        ids = [experiment] if isinstance(experiment, str) else experiment
        view = more.pop("view", ViewType.ACTIVE_ONLY)
        return [run.info.run_id for run in self.store.search_runs(ids, text, view, **more)]


@contextmanager
def refused(text: str, code: str = "INVALID_PARAMETER_VALUE") -> Iterator[None]:
    """Expect an error with this code, in whose message the text is."""
    caught: MlflowException | None = None
    try:
        yield
    except MlflowException as error:
        caught = error
    assert caught is not None, f"not refused: {text!r}"
    assert text in str(caught)
    assert caught.error_code == code
