"""MLflow's own server in a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.server import answers, free_port

START_SECONDS_MAX = 300
# Eight further processes wait for jobs that no test has, and cost more time than the server itself.
_QUIET = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


class MlflowServer:
    """Starts when entered, stops when left. Its data lies in `folder`; `variables` go into its environment.

    `python` is the interpreter whose MLflow is started, with `options` besides those that it always gets.
    """

    def __init__(self, folder: Path, *options: str, python: str = sys.executable, **variables: str) -> None:
        self.folder = folder
        self.options = options
        self.python = python
        self.variables = variables
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        command = [self.python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--workers", "1"]
        command += ["--artifacts-destination", str(self.folder / "artifacts"), *self.options]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "MINLEAF_"))}
        environment = {**kept, **_QUIET, **self.variables}
        log_file = self.folder / "server.log"
        with log_file.open("wb") as log:
            # A session of its own: the command starts further processes, and all of them are to end.
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment, cwd=self.folder, start_new_session=True
            )
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end and self.process.poll() is None:
            if answers(self.port):
                return self
            time.sleep(0.2)
        self._end()
        raise AssertionError(f"MLflow's server did not start:\n{log_file.read_text()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)
