"""The runs table of an experiment: `/experiments/{id}`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.db.store import Store
from minleaf_server.entities import Experiment, Page, Run, ViewType
from minleaf_server.errors import InvalidParameter, NotFound
from minleaf_server.filters import FilterError, OrderBy, order_to_text, parse_order, to_text
from minleaf_server.filters.tree import Field, In, Kind, Literal
from minleaf_server.tracking import experiments, search
from minleaf_server.tracking.search import RunQuery
from minleaf_server.ui import ids, status
from minleaf_server.ui.page import Crumb, links_of, now_ms, render, server_address, store_of
from minleaf_server.ui.runs_view import Found, build
from minleaf_server.ui.table_state import BY_START, VIEWS, Column, TableState
from minleaf_server.web.policy import Access, On, access


@access(Access.READ, On.EXPERIMENT)
async def page(request: Request) -> Response:
    """The rows that match the filter; where it is wrong, those of the last one that was right."""
    store = store_of(request)
    experiment = await experiments.get(store, ids.experiment_id(request.path_params["experiment_id"]))
    state = TableState.read(request.query_params.multi_items())
    found = await _find(store, experiment, state)
    links = links_of(request)
    view = build(experiment, state, found, links, now_ms(), server_address(request))
    crumbs = (Crumb(experiment.name),)
    return render(request, "runs.html", view, title=experiment.name, crumbs=crumbs, fits=True)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A page of runs, and the state whose filter gave it."""

    page: Page[Run]
    state: TableState
    error: FilterError | None = None
    note: str = ""


async def _find(store: Store, experiment: Experiment, state: TableState) -> Found:
    attempt = await _attempt(store, experiment, state)
    matching = len(attempt.page.items)
    if attempt.state.page or attempt.page.next_token:
        matching = await search.count(store, _query(experiment, attempt.state))
    total = matching
    if attempt.state.filter:
        total = await search.count(store, _query(experiment, replace(attempt.state, filter="")))
    return Found(
        runs=attempt.page.items,
        next_token=attempt.page.next_token,
        matching=matching,
        total=total,
        error=attempt.error,
        note=attempt.note,
        state=attempt.state,
        parents=await _parent_names(store, experiment, attempt.page.items),
    )


_GONE = "The address named a page that does not exist any more. This is the first."
_NO_SORT = "The address named a column that cannot be sorted by. The latest runs come first."


async def _attempt(store: Store, experiment: Experiment, asked: TableState) -> _Attempt:
    """The page that was asked for. Where that fails: the first page, the rows of the last good filter, all rows."""
    state = asked if _sortable(asked) else replace(asked.first_page(), sort=BY_START, descending=True)
    first = state.first_page()
    attempts = (state, first, replace(first, filter=state.good, good=""), replace(first, filter="", good=""))
    error: FilterError | None = None
    gone = False
    for attempt in dict.fromkeys(attempts):
        try:
            page = await search.runs(store, _query(experiment, attempt))
        except FilterError as found:
            error = error or found
        except InvalidParameter:
            gone = True
        else:
            note = _GONE if gone else _NO_SORT if state.sort != asked.sort else ""
            return _Attempt(page, attempt, error, note)
    raise error or NotFound("There are no runs to show.")


def _sortable(state: TableState) -> bool:
    try:
        parse_order(order_clause(state.sort, state.descending))
    except FilterError:
        return False
    return True


def _query(experiment: Experiment, state: TableState) -> RunQuery:
    return RunQuery(
        experiment_ids=(experiment.id,),
        filter=state.filter,
        order_by=(order_clause(state.sort, state.descending),),
        view=VIEWS[state.view],
        max_results=state.size,
        page_token=state.page or None,
    )


_ATTRIBUTES = {
    "name": "run_name",
    "status": "status",
    "started": "start_time",
    "duration": "duration",
    "user": "user_id",
}


def order_clause(column: Column, descending: bool) -> str:
    """The filter language's ORDER BY term for a column."""
    field = Field(Kind(column.kind), column.name) if column.kind else Field(Kind.ATTRIBUTE, _ATTRIBUTES[column.name])
    return order_to_text(OrderBy(field, descending))


async def _parent_names(store: Store, experiment: Experiment, runs: Sequence[Run]) -> dict[str, str]:
    """The names of the runs' parents. A tag may name any text as parent, so ids that no run has are left out."""
    wanted = {parent for run in runs if (parent := status.parent_id(run))}
    names = {run.info.id: status.display_name(run.info) for run in runs if run.info.id in wanted}
    missing = sorted(parent for parent in wanted - names.keys() if parent.isascii() and parent.isalnum())
    if missing:
        clause = In(Field(Kind.ATTRIBUTE, "run_id"), tuple(Literal(parent, quoted=True) for parent in missing))
        query = RunQuery((experiment.id,), to_text(clause), view=ViewType.ALL, max_results=len(missing))
        found = await search.infos(store, query)
        names.update((info.id, status.display_name(info)) for info in found.items)
    return names
