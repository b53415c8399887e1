"""What the charts load: exact values, every spike, every mark, and errors that say what would be right."""

import csv
import io
import json
import math
import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.db.store import Store
from minleaf_server.entities import Point, PointColumns
from minleaf_server.tracking import runs
from tests.support.services import services_over

ODD_VALUES = [0.1 + 0.2, 5e-324, -0.0, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 1 / 3]


@pytest.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(services_over(store)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def logged(store: Store, values: list[float], *, key: str = "loss", step: int = 1, first: int = 0) -> str:
    """The id of a run with these values, one every second and every `step` steps."""
    run_id = (await runs.create(store, 0)).info.id
    points = [Point(key, value, 1_700_000_000_000 + 1000 * i, first + step * i) for i, value in enumerate(values)]
    for start in range(0, len(points), 1000):
        await runs.log_batch(store, run_id, metrics=PointColumns.of(points[start : start + 1000]))
    return run_id


async def curves(client: httpx.AsyncClient, *run_ids: str, **fields: Any) -> Any:
    response = await client.get("/charts/curves", params={"run": list(run_ids), "metric": "loss", **fields})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def restored(series: dict[str, Any]) -> list[float]:
    """The values that a chart reads out of an answer."""
    values = list(series["y"])
    for index, kind in series["special"]:
        assert values[index] is None
        values[index] = float(kind)
    return values


def bits(values: list[float]) -> list[bytes]:
    return [struct.pack("<d", value) for value in values]


async def test_values_arrive_bit_for_bit(store: Store, client: httpx.AsyncClient) -> None:
    run_id = await logged(store, ODD_VALUES, first=2**53 + 1)
    (series,) = (await curves(client, run_id))["series"]
    assert bits(restored(series)) == bits(ODD_VALUES)
    assert series["x"] == [2**53 + 1 + i for i in range(len(ODD_VALUES))]
    assert (series["nan_count"], series["inf_count"], series["total"], series["in_range"]) == (1, 2, 8, 8)


async def test_a_planted_spike_survives_and_zooming_reaches_every_point(
    store: Store, client: httpx.AsyncClient
) -> None:
    values = [math.sin(i / 50) for i in range(5000)]
    values[3217] = 40.0
    run_id = await logged(store, values)
    (series,) = (await curves(client, run_id, buckets=50))["series"]
    assert dict(zip(series["x"], series["y"], strict=True))[3217] == 40.0
    assert len(series["x"]) <= 200 < series["total"] == series["in_range"] == 5000
    (part,) = (await curves(client, run_id, buckets=50, start=3100.5, end=3300))["series"]
    assert part["x"] == list(range(3101, 3301))
    assert part["y"] == values[3101:3301]
    assert (part["before"], part["after"]) == ([3100, values[3100]], [3301, values[3301]])
    assert (part["in_range"], part["total"]) == (200, 5000)


async def test_bounds_beyond_the_floats_integers_are_exact(store: Store, client: httpx.AsyncClient) -> None:
    run_id = await logged(store, [1.0, 2.0, 3.0], first=2**60)
    (series,) = (await curves(client, run_id, start=2**60 + 1, end=2**60 + 1))["series"]
    assert (series["x"], series["y"]) == ([2**60 + 1], [2.0])


async def test_the_three_axes(store: Store, client: httpx.AsyncClient) -> None:
    run_id = await logged(store, [1.0, 2.0], step=10)
    found = {axis: (await curves(client, run_id, axis=axis))["series"][0]["x"] for axis in ("step", "time", "relative")}
    assert found == {"step": [0, 10], "time": [1_700_000_000_000, 1_700_000_001_000], "relative": [0, 1000]}


async def test_runs_keep_their_order_and_a_run_without_the_metric_has_no_curve(
    store: Store, client: httpx.AsyncClient
) -> None:
    first, second = await logged(store, [1.0]), await logged(store, [2.0])
    other = await logged(store, [3.0], key="acc")
    answer = await curves(client, second, other, first)
    assert [series["run"] for series in answer["series"]] == [second, first]
    names = {run_id: (await runs.get(store, run_id)).info.name for run_id in (first, second)}
    assert [series["name"] for series in answer["series"]] == [names[second], names[first]]


@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("metric=loss", 400, "run=ID"),
        ("run=R", 400, "metric"),
        ("run=R&metric=", 400, "metric"),
        ("run=R&metric=loss&metric=acc", 400, "once"),
        ("run=R&metric=loss&axis=steps", 400, "step, time, relative"),
        ("run=R&metric=loss&buckets=0", 400, "buckets"),
        ("run=R&metric=loss&buckets=-5", 400, "buckets"),
        ("run=R&metric=loss&buckets=1e3", 400, "buckets"),
        ("run=R&metric=loss&buckets=99999999999999999999", 400, "buckets"),
        ("run=R&metric=loss&start=nan", 400, "start"),
        ("run=R&metric=loss&end=inf", 400, "end"),
        ("run=R&metric=loss&start=1e999", 400, "start"),
        ("run=R&metric=loss&start=two", 400, "start"),
        ("run=R&metric=loss&start=" + "9" * 400, 400, "start"),
        ("run=R&metric=loss&start=5&end=4", 400, "behind"),
        ("run=R&metric=loss&colour=red", 400, "colour"),
        ("run=missing&metric=loss", 404, "missing"),
        ("&".join(f"run={i}" for i in range(201)) + "&metric=loss", 400, "1 to 200"),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    store: Store, client: httpx.AsyncClient, query: str, status: int, text: str
) -> None:
    run_id = await logged(store, [1.0])
    response = await client.get(f"/charts/curves?{query.replace('run=R', f'run={run_id}')}")
    assert response.status_code == status
    assert text in response.json()["message"]


@pytest.mark.parametrize("bound", [10**39, -(10**39), 2**63, -(2**63), 1e300, -0.5])
async def test_any_finite_bound_is_taken(store: Store, client: httpx.AsyncClient, bound: float) -> None:
    run_id = await logged(store, [1.0, 2.0])
    (series,) = (await curves(client, run_id, start=bound))["series"]
    assert series["x"] == [x for x in (0, 1) if x >= bound]


async def test_the_csv_reads_back_the_same_doubles(store: Store, client: httpx.AsyncClient) -> None:
    run_id = await logged(store, ODD_VALUES)
    response = await client.get("/charts/series.csv", params={"run": run_id, "metric": "loss"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert list(rows[0]) == ["step", "timestamp", "value"]
    assert bits([float(row["value"]) for row in rows]) == bits(ODD_VALUES)
    assert [(int(row["step"]), int(row["timestamp"])) for row in rows] == [
        (i, 1_700_000_000_000 + 1000 * i) for i in range(len(ODD_VALUES))
    ]


async def test_a_long_csv_crosses_its_pages(
    store: Store, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("minleaf_server.tracking.metrics.PART", 7)
    first = await logged(store, [float(i) for i in range(30)])
    second = await logged(store, [9.5])
    response = await client.get("/charts/series.csv", params={"run": [first, second], "metric": "loss"})
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["run"], float(row["value"])) for row in rows] == [(first, float(i)) for i in range(30)] + [
        (second, 9.5)
    ]


async def test_a_csv_of_an_unknown_run_is_an_error_and_no_file(client: httpx.AsyncClient) -> None:
    response = await client.get("/charts/series.csv", params={"run": "missing", "metric": "loss"})
    assert response.status_code == 404
    assert "attachment" not in response.headers.get("content-disposition", "")


async def test_odd_metric_names_make_a_safe_file_name(store: Store, client: httpx.AsyncClient) -> None:
    key = "val/acc: ärger"
    run_id = await logged(store, [1.0], key=key)
    response = await client.get("/charts/series.csv", params={"run": run_id, "metric": key})
    assert response.text.splitlines()[1].endswith(",1.0")
    disposition = response.headers["content-disposition"]
    assert disposition.endswith("filename*=UTF-8''val_acc_%20%C3%A4rger.csv")


async def test_the_answer_is_json_for_every_reader(store: Store, client: httpx.AsyncClient) -> None:
    run_id = await logged(store, ODD_VALUES)
    response = await client.get("/charts/curves", params={"run": run_id, "metric": "loss"})

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    json.loads(response.text, parse_constant=refuse)
