"""What is read: searches over many runs, a long series, charts. Every answer is compared with the right one."""

import heapq
import json
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from benchmarks.data import losses, new_runs, post
from benchmarks.load import Job, Request, Result
from benchmarks.measure import Lost, Plan, Work
from benchmarks.servers import API, FastTrackML, Minleaf, Target

SERIES = "loss"
FILTER = "params.depth = '3' and metrics.acc > 0.5"
ORDER = "metrics.acc DESC"


@dataclass
class Loaded:
    """What was put into the databases; the lists by the name of the target."""

    runs: int
    experiments: dict[str, str]
    points: int = 0
    series: dict[str, str] | None = None
    chart_points: int = 0
    charts: dict[str, list[str]] | None = None


def search_works(loaded: Loaded) -> list[Work]:
    """Searches over `loaded.runs` runs."""
    count = f"{loaded.runs:,} runs"
    return [
        Work(f"search {count}: a param and a metric, by a metric", partial(filtered, loaded), "3 at 10,000"),
        Work(f"search {count}: top 100 by a metric", partial(top, loaded), "3 at 10,000"),
        Work(f"search {count}: all of it, 1,000 a page", partial(paging, loaded), "300 at 10,000"),
    ]


def series_works(loaded: Loaded) -> list[Work]:
    """Reading long series."""
    size = f"{loaded.chart_points:,}"
    return [
        Work(f"get-history of {loaded.points:,} points", partial(whole_series, loaded), "600 at 1,000,000"),
        Work(
            f"charts of 10 runs x {size} points",
            partial(charts, loaded),
            "60 at 100,000",
            of=lambda target: not isinstance(target, FastTrackML),
        ),
    ]


def filtered(loaded: Loaded, target: Target) -> Plan:
    """A param and a metric in the filter, ordered by the metric, 100 rows."""
    hits = (new for new in new_runs(loaded.runs) if new.params["depth"] == "3" and new.metrics["acc"] > 0.5)
    wanted = [new.name for new in heapq.nlargest(100, hits, key=lambda new: new.metrics["acc"])]
    return _search(loaded, target, wanted, FILTER)


def top(loaded: Loaded, target: Target) -> Plan:
    """The 100 runs with the greatest metric."""
    wanted = [new.name for new in heapq.nlargest(100, new_runs(loaded.runs), key=lambda new: new.metrics["acc"])]
    return _search(loaded, target, wanted)


def _search(loaded: Loaded, target: Target, wanted: list[str], filter_: str = "") -> Plan:
    body = {"experiment_ids": [loaded.experiments[str(target)]], "order_by": [ORDER], "max_results": 100}
    request = post("/runs/search", body | ({"filter": filter_} if filter_ else {}))
    target.call("POST", "/runs/search", json.loads(request.body))  # warm

    def check(result: Result) -> None:
        runs = json.loads(result.bodies[-1])["runs"]
        if [run["info"]["run_name"] for run in runs] != wanted:
            raise Lost("the search found other runs, or in another order")
        if len(runs[0]["data"]["params"]) != 20 or len(runs[0]["data"]["metrics"]) != 20:
            raise Lost("the runs that were found have not all their data")

    count = max(2, target.speed)
    return Plan(Job(target.port, [[request] * count], keep=True), count, check)


def paging(loaded: Loaded, target: Target) -> Plan:
    """Every run, page by page."""
    body = {"experiment_ids": [loaded.experiments[str(target)]], "max_results": 1000, "order_by": [ORDER]}

    def check(result: Result) -> None:
        names = {run["info"]["run_name"] for page in result.bodies for run in json.loads(page).get("runs", [])}
        if len(names) != loaded.runs:
            raise Lost(f"paging gave {len(names)} of {loaded.runs} runs")

    return Plan(Job(target.port, [[post("/runs/search", body)]], follow=True, keep=True), 1, check)


def whole_series(loaded: Loaded, target: Target) -> Plan:
    """All points of one metric in one answer."""
    assert loaded.series is not None
    query = urlencode({"run_id": loaded.series[str(target)], "metric_key": SERIES})
    count = max(1, target.speed // 4)

    def check(result: Result) -> None:
        points = json.loads(result.bodies[-1])["metrics"]
        found = {(int(point["step"]), float(point["value"])) for point in points}
        if len(points) != loaded.points or found != set(enumerate(losses(loaded.points, 0))):
            raise Lost("the history is not what was logged")

    lane = [Request("GET", f"{API}/metrics/get-history?{query}")] * count
    return Plan(Job(target.port, [lane], keep=True), count, check)


def charts(loaded: Loaded, target: Target) -> Plan:
    """About 1,000 points of each of ten long series, as each server's own pages ask for them."""
    assert loaded.charts is not None
    runs = loaded.charts[str(target)]
    if isinstance(target, Minleaf):
        request = Request("GET", "/charts/curves?" + urlencode({"run": runs, "metric": SERIES, "buckets": 1000}, True))
    else:
        query = urlencode({"run_ids": runs, "metric_key": SERIES, "max_results": 1000}, True)
        request = Request("GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}")
    count = max(1, target.speed // 4)

    def check(result: Result) -> None:
        if isinstance(target, Minleaf):
            for seed, series in enumerate(json.loads(result.bodies[-1])["series"]):
                values = losses(loaded.chart_points, seed)
                if (min(series["y"]), max(series["y"])) != (min(values), max(values)):
                    raise Lost("the chart lost an extreme value")

    return Plan(Job(target.port, [[request] * count], keep=True), count, check)
