"""A real `minleaf server` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

START_SECONDS_MAX = 60


def free_port() -> int:
    """A port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningServer:
    """Starts when entered, stops when left. It may be stopped, killed and started again on the same port and data."""

    def __init__(self, database_uri: str, folder: Path, *options: str) -> None:
        self.database_uri = database_uri
        self.folder = folder
        self.options = options
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
        command = [sys.executable, "-m", "minleaf_server", "server", "--port", str(self.port)]
        command += ["--backend-store-uri", self.database_uri, "--data", str(self.folder / "data"), *self.options]
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "MINLEAF_"))}
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        self.kill()
        raise AssertionError(f"the server did not start:\n{self.log_file.read_text()}")

    def stop(self) -> int:
        """End the process as an operator would. Returns its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End the process as a power cut would: nothing is flushed, nothing is closed."""
        return self._end(signal.SIGKILL)

    def log(self) -> str:
        """What the server has printed so far."""
        return self.log_file.read_text()

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=30)
