"""What tests of MLflow's prompts share: the real client as the process's own, and its threads waited for."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

import mlflow
from mlflow import MlflowClient
from mlflow.prompt.registry_utils import PromptCache

_given_up: WeakSet[threading.Thread] = WeakSet()


@contextmanager
def connected(url: str) -> Iterator[MlflowClient]:
    """Let the process's `mlflow` talk to the server, with an empty cache of prompts."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(url)
    PromptCache._reset_instance()
    try:
        yield MlflowClient(url)
    finally:
        wait_for_links()
        mlflow.set_tracking_uri(before)


def wait_for_links() -> None:
    """The client tags prompts with experiments, and models and runs with prompts, in threads of its own.

    A thread that does not end is waited for once, not again by every test that follows.
    """
    for thread in threading.enumerate():
        if thread.name.startswith("link_prompt") and thread not in _given_up:
            thread.join(30)
            if thread.is_alive():
                _given_up.add(thread)


def unique(word: str) -> str:
    """A name for a prompt or model of the test's own, of the characters that prompts may have."""
    return f"{word.split('[')[0]}-{time.time_ns()}"
