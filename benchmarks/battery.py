"""Filters and orders of every kind, over the runs of `benchmarks.data`: which one is the worst?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from benchmarks.servers import Target


@dataclass(frozen=True)
class Query:
    """A search of 100 rows; `page` is which page of them is measured.

    With `totals` the page of the experiment is asked for in its place, which says how many runs match of how many.
    """

    filter: str = ""
    order: str = ""
    page: int = 1
    totals: bool = False

    def __str__(self) -> str:
        order = f" order by {self.order}" if self.order else ""
        page = f", page {self.page}" if self.page > 1 else ""
        totals = ", the page with its totals" if self.totals else ""
        return f"{self.filter or 'everything'}{order}{page}{totals}"


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
    Query(order="tags.t3 DESC", page=10),
    # What is distinct in every run
    Query("tags.t3 ~ '^unique [0-9]*77$'", "tags.t3 DESC"),
    Query("tags.t3 > 'unique 5'", "metrics.acc ASC"),
    Query("not tags.t3 ilike '%E 1%'"),
    # Several of a kind
    Query(
        "params.depth = '1' or params.depth = '2' or params.lr = '0.1' or params.optimizer = 'sgd'", "params.p04 ASC"
    ),
    Query("min(loss) < 0.001 or max(acc) > 0.999 or argmax(acc) > 5", "min(loss) ASC"),
    Query("metrics.nothing is null and params.nothing is null", "metrics.nothing ASC"),
    # Exact totals
    Query(totals=True),
    Query("metrics.acc > 0.5", totals=True),
    Query("params.optimizer = 'adam' or params.optimizer = 'lamb'", totals=True),
    Query("not tags.stage = 'debug' and max(acc) > 0.25", totals=True),
)


@dataclass(frozen=True)
class Timed:
    """What one query of the battery cost: CPU in ms of server and database, warm and with nothing loaded before."""

    query: Query
    cold: float
    warm: float
    found: tuple[str, ...] = ()
    """The names of the runs on the page, or how many there are, as the page says."""
    failure: str = ""


def run(target: Target, experiment: str, quick: bool = False) -> list[Timed]:
    """Every query warm, and then cold: the first request after a restart. With `quick` there is one restart for all.

    The database's caches and the kernel's stay warm.
    """
    asked = [_Asked(target, experiment, query) for query in BATTERY]
    warm = [one.warm(1 if quick else 3) for one in asked]
    target.restart()
    cold = []
    for number, one in enumerate(asked):
        if number and not quick:
            target.restart()
        cold.append(one.cost() if not one.failure else 0.0)
    return [
        Timed(one.query, cost, usual, one.found, one.failure)
        for one, cost, usual in zip(asked, cold, warm, strict=True)
    ]


def worst(timed: list[Timed], cold: bool, totals: bool) -> float:
    """The most that a search took, or with `totals` a page."""
    return max(one.cold if cold else one.warm for one in timed if one.query.totals is totals)


def differences(batteries: Mapping[str, list[Timed]]) -> list[str]:
    """What each name of the mapping found otherwise than the first; nothing where all are right."""
    (first, expected), *others = batteries.items()
    return [
        f"`{one.query}` finds on {name} what it does not on {first}"
        for name, timed in others
        for one, right in zip(timed, expected, strict=True)
        if one.found != right.found and not one.failure and not right.failure
    ]


class _Asked:
    """A query with the request that asks for its page."""

    def __init__(self, target: Target, experiment: str, query: Query) -> None:
        self.query, self.failure = query, ""
        self.found: tuple[str, ...] = ()
        self._target = target
        self._page = f"/experiments/{experiment}?" + urlencode({"filter": query.filter})
        self._body: dict[str, Any] = {"experiment_ids": [experiment], "max_results": 100}
        self._body |= {"filter": query.filter} if query.filter else {}
        self._body |= {"order_by": [query.order]} if query.order else {}

    def warm(self, count: int) -> float:
        """CPU in ms of one of `count`, after the first."""
        try:
            for _ in range(self.query.page - 1):
                token = self._target.call("POST", "/runs/search", self._body).get("next_page_token")
                if token is None:  # There are fewer pages: the last is measured.
                    break
                self._body["page_token"] = token
            self.found = self._ask()
        except HTTPError as error:
            self.failure = error.read().decode(errors="replace")
            return 0.0
        return sum(self.cost() for _ in range(count)) / count

    def cost(self) -> float:
        """CPU in ms of asking once."""
        begin = sum(self._target.cpu())
        try:
            self._ask()
        except HTTPError as error:
            self.failure = error.read().decode(errors="replace")
        return 1000 * (sum(self._target.cpu()) - begin)

    def _ask(self) -> tuple[str, ...]:
        if self.query.totals:
            page = self._target.fetch("GET", self._page).decode()
            return tuple(_TOTALS.findall(page)[:1])
        found = self._target.call("POST", "/runs/search", self._body)
        return tuple(each["info"]["run_name"] for each in found.get("runs", []))


_TOTALS = re.compile(r">\s*([^<>]*\d[^<>]* runs?)\s*<")
