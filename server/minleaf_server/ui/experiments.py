"""The page of experiments: `/`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.entities import ExperimentOverview
from minleaf_server.tracking import experiments
from minleaf_server.ui import format as fmt
from minleaf_server.ui.columns import natural
from minleaf_server.ui.format import Moment
from minleaf_server.ui.greeting import Greeting, greeting
from minleaf_server.ui.headers import Header
from minleaf_server.ui.links import Links
from minleaf_server.ui.page import links_of, now_ms, render, server_address, store_of
from minleaf_server.web.policy import Access, access

ROWS_MAX = 200
SORTS = ("activity", "name", "runs", "created")
_TITLES = {"name": "Experiment", "runs": "Runs", "activity": "Last activity", "created": "Created"}


@dataclass(frozen=True, slots=True)
class ExperimentRow:
    """`folder` is the part of the name up to its last slash, `name` the rest, `whole` both."""

    id: int
    folder: str
    name: str
    whole: str
    url: str
    runs: str
    activity: Moment | None
    created: Moment | None
    tags: str


@dataclass(frozen=True, slots=True)
class ExperimentsPage:
    """`shown` says which of how many. `previous` and `next` are "" at the ends."""

    filter: str
    sort: str
    headers: tuple[Header, ...]
    rows: tuple[ExperimentRow, ...]
    shown: str
    previous: str
    next: str
    greeting: Greeting | None


@access(Access.READ)
async def page(request: Request) -> Response:
    """All experiments, filtered by a piece of their name."""
    every = await experiments.overview(store_of(request))
    greet = greeting(server_address(request)) if not any(each.run_count for each in every) else None
    view = build(every, request.query_params, links_of(request), now_ms(), greet)
    return render(request, "experiments.html", view, title="Experiments")


def build(
    every: Sequence[ExperimentOverview], arguments: Mapping[str, str], links: Links, now: int, greet: Greeting | None
) -> ExperimentsPage:
    """The page for these experiments; `arguments` are the query's."""
    wanted = arguments.get("filter", "").strip()
    sort = arguments.get("sort", "")
    sort = sort if sort.removeprefix("-") in SORTS else "-activity"
    matching = [each for each in every if wanted.casefold() in each.experiment.name.casefold()]
    ordered = _sorted(matching, sort)
    start = _start(arguments.get("start", ""), len(ordered))
    part = ordered[start : start + ROWS_MAX]

    def url(first: int, order: str = sort) -> str:
        pairs = (
            ("filter", wanted),
            ("sort", order if order != "-activity" else ""),
            ("start", str(first) if first else ""),
        )
        return links.home([pair for pair in pairs if pair[1]])

    return ExperimentsPage(
        filter=wanted,
        sort=sort if sort != "-activity" else "",
        headers=tuple(_header(name, sort, url(0, _turned(name, sort))) for name in _TITLES),
        rows=tuple(_row(each, links, now) for each in part),
        shown=_shown(start, len(part), len(matching), len(every)),
        previous=url(max(start - ROWS_MAX, 0)) if start else "",
        next=url(start + ROWS_MAX) if start + ROWS_MAX < len(ordered) else "",
        greeting=greet,
    )


def _sorted(overviews: Sequence[ExperimentOverview], sort: str) -> list[ExperimentOverview]:
    by_name = sorted(overviews, key=lambda each: (natural(each.experiment.name), each.experiment.name))
    keys: dict[str, Callable[[ExperimentOverview], int]] = {
        "activity": lambda each: each.last_start_time or 0,
        "runs": lambda each: each.run_count,
        "created": lambda each: each.experiment.creation_time,
    }
    name = sort.removeprefix("-")
    if name == "name":
        return by_name[::-1] if sort.startswith("-") else by_name
    return sorted(by_name, key=keys[name], reverse=sort.startswith("-"))


def _turned(name: str, sort: str) -> str:
    if sort.removeprefix("-") == name:
        return name if sort.startswith("-") else f"-{name}"
    return name if name == "name" else f"-{name}"


def _header(name: str, sort: str, url: str) -> Header:
    direction = "descending" if sort.startswith("-") else "ascending"
    return Header(_TITLES[name], url, direction if sort.removeprefix("-") == name else "", name == "runs")


def _row(each: ExperimentOverview, links: Links, now: int) -> ExperimentRow:
    experiment = each.experiment
    folder, slash, _name = experiment.name.rstrip("/").rpartition("/")
    whole = experiment.name
    return ExperimentRow(
        id=experiment.id,
        folder=folder + slash,
        name=whole[len(folder + slash) :],
        whole=whole,
        url=links.experiment(experiment.id),
        runs=fmt.count(each.run_count),
        activity=fmt.moment(each.last_start_time, now),
        created=fmt.moment(experiment.creation_time, now),
        tags=fmt.count(len(experiment.tags)) if experiment.tags else "",
    )


def _start(text: str, total: int) -> int:
    start = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    return start if start < total else 0


def _shown(start: int, shown: int, matching: int, total: int) -> str:
    every = fmt.plural(total, "experiment")
    if shown < matching:
        return f"{fmt.span(start + 1, start + shown)} of {fmt.count(matching)}, {every} in all"
    return every if matching == total else f"{fmt.count(matching)} of {every}"
