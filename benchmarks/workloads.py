"""What is logged: points, batches, params and whole runs, each read back afterwards."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from benchmarks.data import START, created, losses, post
from benchmarks.load import RUN, Job, Request, Result, send
from benchmarks.measure import Lost, Plan, Work
from benchmarks.servers import API, Target

CONNECTIONS = 20
KEYS = 10
ONE_CONNECTION = "one connection: log-metric, get, search"
Points = set[tuple[str, int, float]]


def works(scale: int) -> list[Work]:
    """The logging workloads; `scale` is 1 in quick mode."""
    return [
        Work("log-metric, 20 connections", partial(log_metric, 8 * scale), "0.10"),
        *(
            Work(f"log-batch of {size:,} metrics", partial(log_batch, count * scale, size), reach)
            for size, count, reach in ((10, 3, "0.15"), (100, 2, "0.35"), (1000, 1, "1.5"))
        ),
        Work("log-batch of 100 params, a new run each", partial(log_params, 2 * scale), "0.6"),
        Work("a run in 27 calls", partial(whole_runs, scale), "3 (Postgres 12)"),
        Work(ONE_CONNECTION, partial(mixed, 20 * scale)),
    ]


def log_metric(count: int, target: Target) -> Plan:
    """One point a request, a run for every connection."""
    runs = [created(target) for _ in range(CONNECTIONS)]
    count *= target.speed
    values = losses(count, 0)
    lanes = [[post("/runs/log-metric", _point(run, step, values[step])) for step in range(count)] for run in runs]

    def check(result: Result) -> None:
        for run, places in zip(runs, result.acknowledged, strict=True):
            _require_points(target, run, {("loss", step, values[step]) for step in places})

    return Plan(Job(target.port, lanes), CONNECTIONS * count, check)


def log_batch(count: int, size: int, target: Target) -> Plan:
    """`size` points a request: the next steps of ten metrics."""
    runs = [created(target) for _ in range(CONNECTIONS // 2)]
    count *= target.speed
    values = losses(count * size, 0)
    batches = [_batch(values, size, place) for place in range(count)]
    lanes = [[post("/runs/log-batch", {"run_id": run, "metrics": batch}) for batch in batches] for run in runs]

    def check(result: Result) -> None:
        for run, places in zip(runs, result.acknowledged, strict=True):
            wanted = {(p["key"], p["step"], p["value"]) for place in places for p in batches[place]}
            _require_points(target, run, wanted)

    return Plan(Job(target.port, lanes), len(runs) * count, check)


def log_params(count: int, target: Target) -> Plan:
    """100 params a request, each to a run that has none."""
    count *= target.speed
    create = post("/runs/create", {"experiment_id": "0", "start_time": START, "run_name": "bench"})
    runs = send(Job(target.port, [[create] * count] * (CONNECTIONS // 2))).runs
    params = [{"key": f"param_{n:03}", "value": f"value of {n}"} for n in range(100)]
    lanes = [[post("/runs/log-batch", {"run_id": run, "params": params}) for run in lane] for lane in runs]

    def check(result: Result) -> None:
        for lane, places in zip(runs, result.acknowledged, strict=True):
            for place in places:
                _require(stored(target, lane[place]), "params", params)

    return Plan(Job(target.port, lanes), len(runs) * count, check)


def whole_runs(count: int, target: Target) -> Plan:
    """Create, 10 params, 5 tags, 10 metrics, finish: one call each."""
    count *= target.speed
    calls = _calls_of_a_run()
    lanes = [calls * count for _ in range(CONNECTIONS // 2)]

    def check(result: Result) -> None:
        for run in [run for lane in result.runs for run in lane]:
            found = stored(target, run)
            _require(found, "params", [{"key": f"p{n}", "value": str(n)} for n in range(10)])
            _require(found, "tags", [{"key": f"t{n}", "value": str(n)} for n in range(5)])
            _require(found, "metrics", [{"key": f"m{n}", "value": n / 7} for n in range(10)])
            if found["info"]["status"] != "FINISHED":
                raise Lost(f"run {run} did not finish")

    return Plan(Job(target.port, lanes), len(lanes) * count, check)


def mixed(count: int, target: Target) -> Plan:
    """Calls one after the other on one connection: what an answer in two segments waits for shows in the latency."""
    run = created(target)
    lane: list[Request] = []
    for step in range(count):
        lane.append(post("/runs/log-metric", _point(run, step, step / 3)))
        lane.append(Request("GET", f"{API}/runs/get?run_id={run}"))
        lane.append(post("/runs/search", {"experiment_ids": ["0"], "max_results": 1}))

    def check(result: Result) -> None:
        places = (place // 3 for place in result.acknowledged[0] if place % 3 == 0)
        _require_points(target, run, {("loss", step, step / 3) for step in places})

    return Plan(Job(target.port, [lane]), len(lane), check)


def _calls_of_a_run() -> list[Request]:
    calls = [post("/runs/create", {"experiment_id": "0", "start_time": START, "run_name": "bench"})]
    calls += [post("/runs/log-parameter", {"run_id": RUN, "key": f"p{n}", "value": str(n)}) for n in range(10)]
    calls += [post("/runs/set-tag", {"run_id": RUN, "key": f"t{n}", "value": str(n)}) for n in range(5)]
    calls += [
        post("/runs/log-metric", {"run_id": RUN, "key": f"m{n}", "value": n / 7, "timestamp": START, "step": 0})
        for n in range(10)
    ]
    return [*calls, post("/runs/update", {"run_id": RUN, "status": "FINISHED", "end_time": START + 1})]


def _point(run: str, step: int, value: float) -> dict[str, Any]:
    return {"run_id": run, "key": "loss", "value": value, "timestamp": START + step, "step": step}


def _batch(values: list[float], size: int, place: int) -> list[dict[str, Any]]:
    first = place * size
    return [
        {"key": f"m{n % KEYS}", "value": values[n], "timestamp": START + n, "step": n // KEYS}
        for n in range(first, first + size)
    ]


def stored(target: Target, run: str) -> dict[str, Any]:
    """A run with its data as the server has it; `params`, `tags` and `metrics` by key."""
    found = target.call("GET", f"/runs/get?run_id={run}")["run"]
    data = found.get("data", {})
    by_key = {kind: {one["key"]: one["value"] for one in data.get(kind, [])} for kind in ("params", "tags", "metrics")}
    return {"info": found["info"], **by_key}


def history(target: Target, run: str, key: str) -> list[tuple[int, float]]:
    """All points of a metric as the server has them: (step, value)."""
    path = "/metrics/get-history?" + urlencode({"run_id": run, "metric_key": key})
    return [(int(point["step"]), float(point["value"])) for point in target.call("GET", path).get("metrics", [])]


def _require_points(target: Target, run: str, wanted: Points) -> None:
    found = [(key, *point) for key in {key for key, _, _ in wanted} for point in history(target, run, key)]
    if lost := wanted - set(found):
        raise Lost(f"{len(lost)} of {len(wanted)} acknowledged points of run {run} are not there")
    if doubled := len(found) - len(set(found)):
        raise Lost(f"{doubled} points of run {run} are there twice")


def _require(found: dict[str, Any], kind: str, wanted: Iterable[dict[str, Any]]) -> None:
    for one in wanted:
        if found[kind].get(one["key"]) != one["value"]:
            raise Lost(f"{kind[:-1]} {one['key']} is {found[kind].get(one['key'])!r}, not {one['value']!r}")
