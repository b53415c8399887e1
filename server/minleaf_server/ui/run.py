"""The page of a run: `/runs/{run_id}`."""

from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.db.store import Store
from minleaf_server.entities import Run
from minleaf_server.entities.permission import Resource
from minleaf_server.errors import NotFound
from minleaf_server.filters import to_text
from minleaf_server.filters.tree import Compare, Field, Kind, Literal, Operator
from minleaf_server.tracking import experiments, permissions, runs, search
from minleaf_server.tracking.search import RunQuery
from minleaf_server.ui import ids, status
from minleaf_server.ui.page import Crumb, links_of, now_ms, render, store_of
from minleaf_server.ui.run_view import CHILDREN_MAX, Family, RunArguments, build
from minleaf_server.web.policy import Access, On, access


@access(Access.READ, On.RUN)
async def page(request: Request) -> Response:
    """What was logged in a run: params, metrics, tags, and a chart for each metric of more than one point."""
    store = store_of(request)
    run = await runs.get(store, ids.run_id(request.path_params["run_id"]))
    experiment = await experiments.get(store, run.info.experiment_id)
    links = links_of(request)
    arguments = RunArguments.read(request.query_params)
    view = build(run, experiment, await _family(store, run), arguments, links, now_ms())
    name = status.display_name(run.info)
    crumbs = (Crumb(experiment.name, links.experiment(experiment.id)), Crumb(name))
    return render(request, "run.html", view, title=f"{name} · {experiment.name}", crumbs=crumbs)


async def _family(store: Store, run: Run) -> Family:
    parent_id = status.parent_id(run)
    parent = None
    if parent_id:
        try:
            parent = (await runs.get(store, ids.run_id(parent_id))).info
            if str(parent.experiment_id) not in await permissions.readable(Resource.EXPERIMENT):
                parent = None
        except NotFound:
            parent = None
    is_child = Compare(Field(Kind.TAG, status.PARENT_TAG), Operator.EQ, Literal(run.info.id, quoted=True))
    query = RunQuery((run.info.experiment_id,), to_text(is_child), max_results=CHILDREN_MAX)
    infos = tuple((await search.infos(store, query)).items)
    count = len(infos) if len(infos) < CHILDREN_MAX else await search.count(store, query)
    return Family(parent, infos, count)
