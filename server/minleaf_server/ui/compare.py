"""The comparison of runs: `/compare?run=a&run=b`."""

from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.errors import InvalidParameter
from minleaf_server.tracking import experiments, runs
from minleaf_server.ui import ids
from minleaf_server.ui.compare_view import build
from minleaf_server.ui.page import Crumb, links_of, render, store_of
from minleaf_server.web.policy import Access, On, access

RUNS_MAX = 100


@access(Access.READ, On.RUN)
async def page(request: Request) -> Response:
    """Params and metrics side by side, curves laid over one another, parallel coordinates and a scatter plot."""
    store = store_of(request)
    run_ids = list(dict.fromkeys(filter(None, request.query_params.getlist("run"))))
    _check(run_ids)
    compared = await runs.get_many(store, [ids.run_id(run_id) for run_id in run_ids])
    links = links_of(request)
    view = build(compared, request.query_params.get("differences") == "1", links)
    crumbs: tuple[Crumb, ...] = (Crumb("Compare"),)
    shared = {run.info.experiment_id for run in compared}
    if len(shared) == 1:
        experiment = await experiments.get(store, shared.pop())
        crumbs = (Crumb(experiment.name, links.experiment(experiment.id)), *crumbs)
    return render(request, "compare.html", view, title=f"Compare {view.title}", crumbs=crumbs)


def _check(run_ids: list[str]) -> None:
    if not run_ids:
        raise InvalidParameter("No runs to compare. Tick runs in the table of an experiment and press Compare.")
    if len(run_ids) > RUNS_MAX:
        raise InvalidParameter(
            f"{len(run_ids)} runs are too many to compare side by side; at most {RUNS_MAX} can be. Tick fewer of them."
        )
