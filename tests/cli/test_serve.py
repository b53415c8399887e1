"""A running server: what it prints, what it leaves on disk, how it stops, and how many processes it is."""

import http.client
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from minleaf_server.cli.mlflow_flags import FLAGS
from tests.cli.conftest import COMMAND, Run, environment

Start = Callable[..., "Process"]
CREATE = "/api/2.0/mlflow/experiments/create"


class Process:
    """A server on a free port. `lines` is what it printed when it was ready."""

    def __init__(self, folder: Path, *arguments: str, **variables: str) -> None:
        self.errors = folder / "stderr"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments], cwd=folder, env=environment(**variables), stdout=subprocess.PIPE, stderr=errors
            )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().decode(), self.process.stdout.readline().decode()]
        match = re.fullmatch(r"Minleaf is serving (http://\S+:(\d+)\S*)\n", self.lines[0])
        assert match, (self.lines, self.errors.read_text())
        self.url, self.port = match[1], int(match[2])

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server in an empty folder; it is killed after the test where it still runs."""
    started = []

    def call(*arguments: str, **variables: str) -> Process:
        started.append(Process(tmp_path, *arguments, **variables))
        return started[-1]

    yield call
    for each in started:
        each.process.kill()
        each.process.communicate()


def test_ui_says_where_it_is_and_keeps_the_data_private(start: Start, tmp_path: Path) -> None:
    server = start("ui", "--port", "0")
    assert server.lines[1] == f"Data folder: {tmp_path / 'minleaf-data'}\n"
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert httpx.post(f"{server.url}{CREATE}", json={"name": "private"}).status_code == 200
    data = tmp_path / "minleaf-data"
    assert data.stat().st_mode & 0o777 == 0o700
    files = {path.name: path.stat().st_mode & 0o777 for path in data.iterdir()}
    assert "minleaf.db" in files
    assert set(files.values()) == {0o600}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stop_is_orderly(start: Start, how: signal.Signals, tmp_path: Path) -> None:
    server = start("ui", "--port", "0")
    assert server.stop(how) == 0
    assert server.errors.read_text() == ""
    # The log of SQLite has been folded into the file, so the file alone is the whole database.
    assert {path.name for path in (tmp_path / "minleaf-data").iterdir()} == {"minleaf.db", "minleaf.db.lock"}


def test_request_under_way_is_finished(start: Start) -> None:
    server = start("ui", "--port", "0")
    body = b'{"name": "under way"}'
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", CREATE)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:5])
    # The server has begun to read when it answers another request that came later.
    assert httpx.get(f"{server.url}/health").status_code == 200
    server.process.send_signal(signal.SIGTERM)
    wait_until_closed(server.url)
    connection.send(body[5:])
    assert connection.getresponse().status == 200
    connection.close()
    assert server.process.wait(60) == 0


def wait_until_closed(url: str) -> None:
    """Return when nothing accepts connections any more."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            httpx.get(f"{url}/health")
        except httpx.TransportError:
            return
        time.sleep(0.02)
    raise AssertionError("still accepts connections")


def test_data_is_there_after_a_restart(start: Start) -> None:
    first = start("ui", "--port", "0")
    httpx.post(f"{first.url}{CREATE}", json={"name": "kept"}).raise_for_status()
    first.stop()
    second = start("server", "--port", str(first.port))
    found = httpx.get(f"{second.url}/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": "kept"})
    assert found.status_code == 200


def test_second_server_on_the_same_file(start: Start, run: Run) -> None:
    first = start("ui", "--port", "0")
    for command in (("ui", "--port", "0"), ("db", "upgrade")):
        answer = run(*command)
        assert answer.returncode == 2
        assert f"in use by another Minleaf server (process {first.process.pid})" in answer.stderr
    assert run("db", "check").returncode == 0
    first.process.kill()
    first.process.wait()
    start("ui", "--port", "0")


def test_start_script_of_mlflow_server(start: Start, tmp_path: Path) -> None:
    arguments = ["-h", "127.0.0.1", "-p", "0", "-w", "4", "--backend-store-uri", "sqlite:///mine.db"]
    arguments += ["--default-artifact-root", "s3://bucket", "--artifacts-destination", "s3://other"]
    quiet = [row for row in FLAGS if not row.refusal]
    for row in quiet:
        arguments += [row.flag, "1"] if row.takes_value else [row.flag]
    server = start("server", *arguments)
    assert server.lines[1] == f"Database: {tmp_path / 'mine.db'}\n"
    lines = server.errors.read_text().splitlines()
    for row in quiet:
        assert sum(line.startswith(f"minleaf: {row.flag} has no effect: ") for line in lines) == 1, row.flag
    assert any("SQLite is written by one process, so 1 worker" in line for line in lines)
    assert len(lines) == len(quiet) + 1
    answer = httpx.get(f"{server.url}/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"}).json()
    assert answer["experiment"]["artifact_location"].startswith("s3://bucket")


def test_variables_of_mlflow_without_effect(start: Start) -> None:
    variables = {row.variable: "1" for row in FLAGS if row.variable and not row.refusal}
    server = start("server", MLFLOW_PORT="0", MLFLOW_ARTIFACTS_ONLY="false", **variables)
    lines = server.errors.read_text().splitlines()
    assert sorted(line.split()[1] for line in lines) == sorted(variables)


def test_static_prefix(start: Start) -> None:
    server = start("ui", "--port", "0", "--static-prefix", "/tracking")
    assert server.url.endswith("/tracking")
    assert httpx.get(f"{server.url}/").status_code == 200


@pytest.mark.parametrize("database_uri", ["postgres"], indirect=True)
def test_workers_on_postgres(start: Start, database_uri: str) -> None:
    server = start("server", "--port", "0", "--workers", "2", MINLEAF_BACKEND_STORE_URI=database_uri)
    assert server.lines[1].startswith("Database: postgresql")
    before = children(server.process.pid)
    assert len(before) >= 2
    httpx.post(f"{server.url}{CREATE}", json={"name": "two"}).raise_for_status()
    assert all(httpx.get(f"{server.url}/health/ready").status_code == 200 for _ in range(20))
    assert server.stop() == 0
    wait_until_gone(before)


@pytest.mark.parametrize("database_uri", ["postgres"], indirect=True)
def test_dead_worker_is_replaced(start: Start, database_uri: str) -> None:
    server = start("server", "--port", "0", "--workers", "2", MINLEAF_BACKEND_STORE_URI=database_uri)
    before = children(server.process.pid)
    workers = [pid for pid in before if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while time.monotonic() < end and set(workers) & set(children(server.process.pid)):
        time.sleep(0.05)
    # The socket stayed open meanwhile: the request waits for the new worker.
    assert httpx.get(f"{server.url}/health/ready", timeout=60).status_code == 200
    assert "a worker has died and is replaced exit_code=-9" in server.errors.read_text()
    assert server.stop() == 0


def wait_until_gone(processes: list[int]) -> None:
    """Return when none of the processes is left."""
    end = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in processes):
        assert time.monotonic() < end, "processes are left behind"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_nothing_tells_which_server_it_is(start: Start) -> None:
    server = start("ui", "--port", "0")
    assert "server" not in httpx.get(f"{server.url}/health").headers
