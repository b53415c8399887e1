"""The histories of metrics, on both databases."""

import json
from typing import Any

import pytest

from minleaf_server.rest import metrics
from tests.rest.conftest import Api

IPV = (400, "INVALID_PARAMETER_VALUE")


async def log(api: Api, run_id: str, points: list[tuple[float | str, int, int]], key: str = "m") -> None:
    entries = [{"key": key, "value": value, "timestamp": time, "step": step} for value, time, step in points]
    await api.ok("runs/log-batch", {"run_id": run_id, "metrics": entries})


def places(answer: dict[str, Any]) -> list[tuple[float | str, int, int]]:
    return [(point["value"], point["timestamp"], point["step"]) for point in answer.get("metrics", [])]


async def test_a_history_is_sorted_by_time_step_and_value_without_repetitions(api: Api) -> None:
    run_id = await api.run()
    await log(api, run_id, [(2.0, 5, 1), (1.0, 5, 1), ("NaN", 6, 0), (1.0, 5, 0), ("-Infinity", 4, -(2**63))])
    await log(api, run_id, [(1.0, 5, 1), ("NaN", 6, 0), (0.0, 0, 2**63 - 1)])
    expected = [(0.0, 0, 2**63 - 1), ("-Infinity", 4, -(2**63)), (1.0, 5, 0), (1.0, 5, 1), (2.0, 5, 1), ("NaN", 6, 0)]
    assert places(await api.ok("metrics/get-history", run_id=run_id, metric_key="m", max_results=100)) == expected
    assert places(await api.ok("metrics/get-history", run_id=run_id, metric_key="m")) == expected


async def test_a_history_in_pages(api: Api) -> None:
    run_id = await api.run()
    points: list[tuple[float | str, int, int]] = [(float(step), step, step) for step in range(7)]
    await log(api, run_id, points)
    found, token = [], ""
    while True:
        page = await api.ok("metrics/get-history", run_id=run_id, metric_key="m", max_results=3, page_token=token)
        found.append(places(page))
        if "next_page_token" not in page:
            break
        token = page["next_page_token"]
    assert found == [points[:3], points[3:6], points[6:]]


@pytest.mark.parametrize("size", [1, 3, 6, 7, 8])
async def test_a_whole_history_is_one_answer_however_it_is_read(
    api: Api, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("minleaf_server.tracking.metrics.PART", size)
    run_id = await api.run()
    points: list[tuple[float | str, int, int]] = [(float(step), step, step) for step in range(7)]
    await log(api, run_id, points)
    response = await api.get("metrics/get-history", run_id=run_id, metric_key="m")
    assert places(json.loads(response.text)) == points


async def test_a_page_is_never_too_large(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MAX_PAGE", 2)
    run_id = await api.run()
    await log(api, run_id, [(float(step), step, step) for step in range(3)])
    page = await api.ok("metrics/get-history", run_id=run_id, metric_key="m", max_results=2**40)
    assert len(page["metrics"]) == 2
    rest = {"max_results": 2**40, "page_token": page["next_page_token"]}
    assert places(await api.ok("metrics/get-history", run_id=run_id, metric_key="m", **rest)) == [(2.0, 2, 2)]


async def test_histories_that_are_not_there(api: Api) -> None:
    run_id = await api.run()
    assert await api.ok("metrics/get-history", run_id=run_id, metric_key="m") == {}
    assert await api.ok("metrics/get-history", run_id=run_id, metric_key="m", max_results=5) == {}
    for arguments in ({}, {"max_results": 5}):
        refused = await api.refused("metrics/get-history", run_id="nope", metric_key="m", **arguments)
        assert refused == (404, "RESOURCE_DOES_NOT_EXIST", "Run with id=nope not found")


@pytest.mark.parametrize(
    "arguments", [{"max_results": 0}, {"max_results": -1}, {"max_results": "x"}, {"page_token": "z"}]
)
async def test_histories_that_are_refused(api: Api, arguments: dict[str, Any]) -> None:
    run_id = await api.run()
    assert (await api.refused("metrics/get-history", run_id=run_id, metric_key="m", **arguments))[:2] == IPV


async def test_bulk(api: Api) -> None:
    runs = sorted([await api.run(), await api.run()])
    for run_id in runs:
        await log(api, run_id, [(2.0, 1, 1), ("NaN", 0, 0)])
    answer = await api.ok("metrics/get-history-bulk", run_id=[runs[1], runs[0], runs[0]], metric_key="m")
    assert [(point["run_id"], point["key"], point["value"]) for point in answer["metrics"]] == [
        (run_id, "m", value) for run_id in runs for value in ("NaN", 2.0)
    ]
    first = await api.ok("metrics/get-history-bulk", run_id=runs, metric_key="m", max_results=3)
    assert first["metrics"] == answer["metrics"][:3]
    assert await api.ok("metrics/get-history-bulk", run_id=runs, metric_key="none") == {"metrics": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric_key": "m"}, "GetMetricHistoryBulk request must specify at least one run_id."),
        ({"run_id": "r"}, "GetMetricHistoryBulk request must specify a metric_key."),
        (
            {"run_id": ["r"] * 101, "metric_key": "m"},
            "GetMetricHistoryBulk request cannot specify more than 100 run_ids. Received 101 run_ids.",
        ),
        ({"run_id": "r", "metric_key": "m", "max_results": "x"}, "Invalid value \"x\" for parameter 'max_results'"),
        ({"run_id": "r", "metric_key": "m", "max_results": -1}, "Invalid value -1 for parameter 'max_results'"),
    ],
)
async def test_bulk_requests_that_are_refused(api: Api, arguments: dict[str, Any], message: str) -> None:
    refused = await api.refused("metrics/get-history-bulk", **arguments)
    assert refused[:2] == IPV
    assert refused[2].startswith(message)


async def test_interval(api: Api) -> None:
    run_id = await api.run()
    await log(api, run_id, [(float(step), step, step) for step in range(10)])

    async def steps(**arguments: Any) -> list[int]:
        answer = await api.ok("metrics/get-history-bulk-interval", run_ids=run_id, metric_key="m", **arguments)
        assert all(point["run_id"] == run_id for point in answer.get("metrics", []))
        return [point["step"] for point in answer.get("metrics", [])]

    assert await steps() == list(range(10))
    assert await steps(max_results=5) == [0, 2, 4, 6, 8, 9]
    assert await steps(start_step=2, end_step=4) == [2, 3, 4]
    assert await steps(start_step=20, end_step=40) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metric_key": "m"}, "Missing value for required parameter 'run_ids'."),
        ({"run_ids": "r"}, "Missing value for required parameter 'metric_key'."),
        ({"run_ids": ["r"] * 101, "metric_key": "m"}, "GetMetricHistoryBulkInterval request must specify at most 100"),
        ({"run_ids": "r", "metric_key": "m", "start_step": 1}, "If either start step or end step are specified, both"),
        (
            {"run_ids": "r", "metric_key": "m", "start_step": 5, "end_step": 1},
            "end_step must be greater than start_step. Found start_step=5 and end_step=1.",
        ),
        ({"run_ids": "r", "metric_key": "m", "max_results": 0}, "max_results must be between 1 and 2500."),
        ({"run_ids": "r", "metric_key": "m", "max_results": 2501}, "max_results must be between 1 and 2500."),
        ({"run_ids": "r", "metric_key": "m", "start_step": "x"}, "Invalid value \"x\" for parameter 'start_step'"),
    ],
)
async def test_interval_requests_that_are_refused(api: Api, arguments: dict[str, Any], message: str) -> None:
    refused = await api.refused("metrics/get-history-bulk-interval", **arguments)
    assert refused[:2] == IPV
    assert refused[2].startswith(message)
