"""A real `minleaf server` in a process of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS_MAX = 60


def free_port() -> int:
    """A port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether a server on this port of this machine says that it is well. Cheap enough to be asked again and again."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS_MAX)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class RunningServer:
    """Starts when entered, stops when left. It may be stopped, killed and started again on the same port and data.

    `program` is what Python runs, and `variables` go into its environment.
    """

    def __init__(
        self,
        database_uri: str,
        folder: Path,
        *options: str,
        program: Sequence[str] = ("-m", "minleaf_server"),
        **variables: str,
    ) -> None:
        self.database_uri = database_uri
        self.folder = folder
        self.options = options
        self.program = program
        self.variables = variables
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers. Fails with its log where it does not."""
        command = [sys.executable, *self.program, "server", "--port", str(self.port)]
        command += ["--backend-store-uri", self.database_uri, "--data", str(self.folder / "data"), *self.options]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "MINLEAF_"))}
        environment = {**kept, **self.variables}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end and self.process.poll() is None:
            if answers(self.port):
                return
            time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server did not start:\n{self.log_file.read_text()}")

    def stop(self) -> int:
        """End the process as an operator would. Returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End the process as a power cut would: nothing is flushed, nothing is closed."""
        return self._end(signal.SIGKILL)

    def wait(self) -> int:
        """Wait until the process has ended by itself. Returns its exit code."""
        assert self.process is not None
        return self.process.wait(timeout=60)

    def log(self) -> str:
        """What the server has printed so far."""
        return self.log_file.read_text()

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=30)
