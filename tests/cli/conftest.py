"""Running the command line as a person would: in a process, without the variables of the one who runs the tests."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = (sys.executable, "-m", "minleaf_server")


def environment(**extra: str) -> dict[str, str]:
    """The variables of this process but for those that Minleaf or MLflow would read, and `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MINLEAF_"))}
    return {**kept, **extra}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `minleaf` with these arguments in an empty folder until it ends."""

    def call(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        command = [*COMMAND, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment(**variables), capture_output=True, text=True, timeout=60, check=False
        )

    return call
