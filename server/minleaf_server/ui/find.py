"""The search of the top bar: `/search?q=` looks for experiments by name and for runs by name or id."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.db.store import Store
from minleaf_server.entities import Run, RunInfo
from minleaf_server.entities.permission import Resource
from minleaf_server.errors import InvalidParameter, NotFound
from minleaf_server.filters import FilterError, to_text
from minleaf_server.filters.tree import Words
from minleaf_server.tracking import experiments, permissions, runs, search
from minleaf_server.tracking.search import RunQuery
from minleaf_server.ui import format as fmt
from minleaf_server.ui import ids, status
from minleaf_server.ui.colors import run_colors
from minleaf_server.ui.format import Moment
from minleaf_server.ui.page import Crumb, links_of, now_ms, render, store_of
from minleaf_server.ui.status import Status
from minleaf_server.web.policy import Access, access

HITS_MAX = 50
QUERY_CHARS_MAX = 500


@dataclass(frozen=True, slots=True)
class ExperimentHit:
    url: str
    name: str
    runs: str


@dataclass(frozen=True, slots=True)
class RunHit:
    url: str
    name: str
    color: int
    status: Status
    started: Moment | None
    experiment: str
    experiment_url: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """`more_*` say how many hits are left out, "" where none."""

    text: str
    experiments: tuple[ExperimentHit, ...]
    more_experiments: str
    runs: tuple[RunHit, ...]
    more_runs: str


@access(Access.READ)
async def page(request: Request) -> Response:
    """Hits for a piece of a name, or for a run's id."""
    store, links = store_of(request), links_of(request)
    text = request.query_params.get("q", "").strip()[:QUERY_CHARS_MAX]
    every = await experiments.overview(store) if text else []
    hits = [each for each in every if text.casefold() in each.experiment.name.casefold()]
    names = {each.experiment.id: each.experiment.name for each in every}
    found, count = await _runs(store, tuple(names), text)
    colors = run_colors([info.id for info in found])
    view = SearchPage(
        text=text,
        experiments=tuple(
            ExperimentHit(links.experiment(each.experiment.id), each.experiment.name, fmt.plural(each.run_count, "run"))
            for each in hits[:HITS_MAX]
        ),
        more_experiments=_more(len(hits)),
        runs=tuple(
            RunHit(
                url=links.run(info.id),
                name=status.display_name(info),
                color=colors[info.id],
                status=status.status(info),
                started=fmt.moment(info.start_time, now_ms()),
                experiment=names.get(info.experiment_id, f"experiment {info.experiment_id}"),
                experiment_url=links.experiment(info.experiment_id),
            )
            for info in found
        ),
        more_runs=_more(count),
    )
    return render(request, "search.html", view, title=f"Search: {text}", crumbs=(Crumb("Search"),), search=text)


def _more(count: int) -> str:
    return fmt.count(count - HITS_MAX) if count > HITS_MAX else ""


async def _runs(store: Store, experiment_ids: tuple[int, ...], text: str) -> tuple[list[RunInfo], int]:
    if not text or not experiment_ids:
        return [], 0
    exact = await _by_id(store, text)
    if exact is not None:
        return [exact.info], 1
    # Words search names: each of them must stand in the name, whatever the case.
    query = RunQuery(experiment_ids, to_text(Words(tuple(text.split()))), max_results=HITS_MAX)
    try:
        found = await search.infos(store, query)
        count = await search.count(store, query) if found.next_token else len(found.items)
    except FilterError:
        return [], 0  # no name can hold such a character
    return list(found.items), count


async def _by_id(store: Store, text: str) -> Run | None:
    try:
        found = await runs.get(store, ids.run_id(text))
    except (NotFound, InvalidParameter):
        return None
    return found if str(found.info.experiment_id) in await permissions.readable(Resource.EXPERIMENT) else None
