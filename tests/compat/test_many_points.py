"""Long series: every point comes back bit for bit, and the chart shows the spike.

The real client sends the first of them; the others are the same requests from a client that costs less.
"""

import random
import struct
from concurrent.futures import ThreadPoolExecutor

import httpx
from mlflow import MlflowClient
from mlflow.entities import Metric

from tests.support.server import RunningServer
from tests.support.wire import Client

ONE_BY_ONE = 50_000
BY_MLFLOW = 2_000
THREADS = 8
IN_BATCHES = 1_000_000
BATCH = 1_000
BATCHES_BY_MLFLOW = 50


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def history(client: MlflowClient, run_id: str, key: str) -> list[tuple[int, int, bytes]]:
    found = client.get_metric_history(run_id, key)
    return sorted((point.step, point.timestamp, bits(point.value)) for point in found)


def spike(url: str, run_id: str, key: str) -> tuple[int, dict[int, float]]:
    answer = httpx.get(f"{url}/charts/curves", params={"run": run_id, "metric": key, "axis": "step"}, timeout=60)
    (series,) = answer.json()["series"]
    return series["total"], dict(zip(series["x"], series["y"], strict=True))


def test_points_logged_one_by_one(server: RunningServer) -> None:
    client = MlflowClient(server.url)
    run_id = client.create_run("0").info.run_id
    values = [random.uniform(0, 1) / (step + 1) for step in range(ONE_BY_ONE)]
    values[31_415] = 77.0

    def log(step: int) -> None:
        client.log_metric(run_id, "training_loss", values[step], timestamp=step, step=step)

    def log_many(worker: int) -> None:
        wire = Client(server.url)
        for step in range(BY_MLFLOW + worker, ONE_BY_ONE, THREADS):
            point = {"key": "training_loss", "value": values[step], "timestamp": step, "step": step}
            assert wire.post("/runs/log-metric", {"run_id": run_id, **point})[0] == 200
        wire.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(log, range(BY_MLFLOW)))
        list(pool.map(log_many, range(THREADS)))
    expected = [(step, step, bits(value)) for step, value in enumerate(values)]
    assert history(client, run_id, "training_loss") == expected
    total, drawn = spike(server.url, run_id, "training_loss")
    assert (total, drawn[31_415]) == (ONE_BY_ONE, 77.0)
    assert len(drawn) < 10_000


def test_a_million_points_in_batches(server: RunningServer) -> None:
    client = MlflowClient(server.url)
    run_id = client.create_run("0").info.run_id
    random.seed(7)
    values = [random.gauss(0, 1) for _ in range(IN_BATCHES)]
    values[271_828] = 1e6
    wire = Client(server.url)
    for number in range(IN_BATCHES // BATCH):
        steps = range(number * BATCH, (number + 1) * BATCH)
        if number < BATCHES_BY_MLFLOW:
            client.log_batch(run_id, metrics=[Metric("loss", values[step], step * 10, step) for step in steps])
        else:
            points = [{"key": "loss", "value": values[step], "timestamp": step * 10, "step": step} for step in steps]
            assert wire.post("/runs/log-batch", {"run_id": run_id, "metrics": points})[0] == 200
    wire.close()
    answer = httpx.get(
        f"{server.url}/api/2.0/mlflow/metrics/get-history",
        params={"run_id": run_id, "metric_key": "loss"},
        timeout=300,
    )
    stored = [(point["step"], point["timestamp"], bits(point["value"])) for point in answer.json()["metrics"]]
    assert stored == [(step, step * 10, bits(value)) for step, value in enumerate(values)]
    total, drawn = spike(server.url, run_id, "loss")
    assert (total, drawn[271_828]) == (IN_BATCHES, 1e6)
