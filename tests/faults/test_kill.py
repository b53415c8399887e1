"""A server killed under load has kept everything it acknowledged, once."""

import random
import struct
import threading
import time

import httpx

from tests.support.server import RunningServer

WRITERS = 6
ROUNDS = 4
POINTS_PER_ROUND = 200


class Load:
    """Threads that log points to a run of each and note what was acknowledged, until they are told to stop."""

    def __init__(self, url: str, run_ids: list[str]) -> None:
        self.url = url
        self.acknowledged: dict[str, set[tuple[int, bytes]]] = {run_id: set() for run_id in run_ids}
        self.sent: dict[str, set[tuple[int, bytes]]] = {run_id: set() for run_id in run_ids}
        self.next_step = dict.fromkeys(run_ids, 0)

    def write_until(self, stop: threading.Event) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._write, args=(run_id, stop)) for run_id in self.acknowledged]
        for thread in threads:
            thread.start()
        return threads

    def wait_for(self, more: int) -> None:
        """Return when so many more points are acknowledged."""
        enough = self._count() + more
        end = time.monotonic() + 60
        while self._count() < enough:
            assert time.monotonic() < end, "the server acknowledges nothing"
            time.sleep(0.01)

    def _count(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    def _write(self, run_id: str, stop: threading.Event) -> None:
        generator = random.Random(run_id)
        with httpx.Client(base_url=f"{self.url}/api/2.0/mlflow", timeout=10) as client:
            while not stop.is_set():
                count = generator.choice([1, 1, 5, 40])
                first = self.next_step[run_id]
                points = [(step, generator.random()) for step in range(first, first + count)]
                self.next_step[run_id] = first + count
                marks = {(step, struct.pack("<d", value)) for step, value in points}
                self.sent[run_id] |= marks
                metrics = [{"key": "m", "value": value, "timestamp": step, "step": step} for step, value in points]
                try:
                    answer = client.post("/runs/log-batch", json={"run_id": run_id, "metrics": metrics})
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                assert answer.status_code == 200, answer.text
                self.acknowledged[run_id] |= marks


def test_kill_under_load_loses_no_acknowledged_point(server: RunningServer) -> None:
    api = f"{server.url}/api/2.0/mlflow"
    made = [httpx.post(f"{api}/runs/create", json={"experiment_id": "0"}).json() for _ in range(WRITERS)]
    load = Load(server.url, [answer["run"]["info"]["run_id"] for answer in made])
    for _ in range(ROUNDS):
        stop = threading.Event()
        threads = load.write_until(stop)
        load.wait_for(POINTS_PER_ROUND)
        time.sleep(random.uniform(0.0, 0.1))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        server.start()
    for run_id, acknowledged in load.acknowledged.items():
        query = {"run_id": run_id, "metric_key": "m"}
        stored = httpx.get(f"{api}/metrics/get-history", params=query, timeout=60).json().get("metrics", [])
        marks = [(point["step"], struct.pack("<d", point["value"])) for point in stored]
        assert len(marks) == len(set(marks))
        assert acknowledged <= set(marks) <= load.sent[run_id]


def test_sigterm_under_load_finishes_what_it_took(server: RunningServer) -> None:
    api = f"{server.url}/api/2.0/mlflow"
    run_id = httpx.post(f"{api}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    load = Load(server.url, [run_id])
    stop = threading.Event()
    threads = load.write_until(stop)
    load.wait_for(POINTS_PER_ROUND)
    assert server.stop() == 0
    stop.set()
    for thread in threads:
        thread.join()
    server.start()
    stored = httpx.get(f"{api}/metrics/get-history", params={"run_id": run_id, "metric_key": "m"}).json()["metrics"]
    marks = {(point["step"], struct.pack("<d", point["value"])) for point in stored}
    assert load.acknowledged[run_id] <= marks
