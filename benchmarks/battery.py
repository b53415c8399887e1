"""Filters and orders of every kind, over the runs of `benchmarks.data`: which one is the worst?"""

from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

from benchmarks.servers import Target

REPEATED = 3


@dataclass(frozen=True)
class Query:
    """A search of 100 rows; `page` is which page of them is measured."""

    filter: str = ""
    order: str = ""
    page: int = 1

    def __str__(self) -> str:
        order = f" order by {self.order}" if self.order else ""
        page = f", page {self.page}" if self.page > 1 else ""
        return f"{self.filter or 'everything'}{order}{page}"


BATTERY = (
    # Without a filter
    Query(),
    Query(page=10),
    Query(order="start_time ASC"),
    Query(order="metrics.acc DESC"),
    Query(order="metrics.acc ASC", page=10),
    Query(order="params.lr ASC"),
    Query(order="params.optimizer DESC"),
    Query(order="tags.team ASC"),
    Query(order="run_name DESC"),
    Query(order="max(acc) DESC"),
    Query(order="metrics.nothing DESC"),
    # Selective: few runs match
    Query("tags.t3 = 'unique 77'"),
    Query("tags.t3 = 'unique 77'", "metrics.acc DESC"),
    Query("run_name = 'run-500'"),
    Query("metrics.acc > 0.999"),
    Query("metrics.acc > 0.999", "metrics.loss ASC"),
    Query("metrics.acc > 0.99 and metrics.loss < 0.1", "metrics.acc DESC"),
    Query("metrics.acc > 0.9995 and params.depth = '3'"),
    # Unselective: most runs match
    Query("metrics.acc > 0.01"),
    Query("metrics.acc > 0.01", "metrics.loss ASC"),
    Query("params.depth != '3'", "metrics.acc DESC"),
    Query("tags.t2 = 'same'", "metrics.acc DESC"),
    Query("status = 'FINISHED'", "metrics.acc DESC"),
    # Between
    Query("params.depth = '3' and metrics.acc > 0.5", "metrics.acc DESC"),
    Query("depth = 3 and acc > 0.44"),
    Query("lr < 0.001 and acc > 0.5", "acc DESC"),
    Query("params.optimizer = 'adam' or params.optimizer = 'lamb'", "metrics.loss ASC"),
    Query("params.depth = '3' or params.lr = '0.001'"),
    Query("(optimizer = adam or lr < 1e-3) and not tags.stage = 'debug'", "metrics.acc DESC"),
    Query("not (params.depth = '3' and metrics.acc > 0.5)", "metrics.m05 DESC"),
    Query("depth in (1, 2, 3) and tags.stage in ('train', 'final')", "metrics.m02 ASC"),
    Query("params.depth not in ('1', '2')", "params.lr DESC"),
    Query("depth between 3 and 5 and loss between 0.2 and 0.3"),
    # Missing names
    Query("metrics.nothing is null", "metrics.acc DESC"),
    Query("metrics.nothing > 0.5"),
    Query("params.depth is not null", "metrics.acc DESC"),
    # Text
    Query("tags.team like 'team-1%'"),
    Query("tags.t3 like '%no such text%'"),
    Query("tags.t3 like '%no such text%'", "metrics.acc DESC"),
    Query("params.p04 ilike '%VALUE 7%'", "metrics.acc DESC"),
    Query("run_name ~ '^run-[0-9]*77$'"),
    Query("name ~ 'nothing like it'", "metrics.acc DESC"),
    Query("run-77"),
    # Aggregates
    Query("max(acc) > 0.99 and min(loss) < 0.5"),
    Query("last(acc) > 0.5 and argmin(loss) < 500", "max(acc) DESC"),
    Query("count(acc) = 1", "min(loss) ASC"),
    # Times, and deep pages behind a filter
    Query("start_time > 1760000100000 and duration >= 1m", "metrics.acc DESC"),
    Query("metrics.acc > 0.1", "metrics.acc DESC", page=10),
    Query("params.optimizer = 'adam'", "start_time DESC", page=5),
    Query("tags.team = 'team-3'", "tags.t3 ASC"),
)


@dataclass(frozen=True)
class Timed:
    """What one query of the battery cost: CPU in ms of server and database, the first time and warm."""

    query: Query
    cold: float
    warm: float
    failure: str = ""


def run(target: Target, experiment: str) -> list[Timed]:
    """Every query once cold, as far as its columns are not loaded yet, and then warm."""
    return [_timed(target, experiment, query) for query in BATTERY]


def _timed(target: Target, experiment: str, query: Query) -> Timed:
    body: dict[str, Any] = {"experiment_ids": [experiment], "max_results": 100}
    body |= {"filter": query.filter} if query.filter else {}
    body |= {"order_by": [query.order]} if query.order else {}
    for _ in range(query.page - 1):
        token = target.call("POST", "/runs/search", body).get("next_page_token")
        if token is None:  # There are fewer pages: the last is measured.
            break
        body["page_token"] = token
    begin = sum(target.cpu())
    failure = ""
    try:
        target.call("POST", "/runs/search", body)
    except HTTPError as error:
        failure = error.read().decode(errors="replace")
    middle = sum(target.cpu())
    if not failure:
        for _ in range(REPEATED):
            target.call("POST", "/runs/search", body)
    warm = (sum(target.cpu()) - middle) / REPEATED
    return Timed(query, 1000 * (middle - begin), 1000 * warm, failure)
