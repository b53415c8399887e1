"""The pages: a module a page, a frozen dataclass per template, links made in one place."""

from fastapi import APIRouter, Depends, FastAPI, Request

from minleaf_server.ui import compare, curves, experiments, find, names, run, runs, signup
from minleaf_server.web.caller import permit_raw


def install(app: FastAPI) -> None:
    """Add the pages and what the charts load. Handlers find the services at `app.state.services`."""
    app.include_router(router())


async def _permit(request: Request) -> None:
    """Raises PermissionDenied where the caller may not see what the page shows."""
    await permit_raw(request.app.state.services, request.scope["endpoint"], request.scope)


def router() -> APIRouter:
    """Every route of the pages, with its access policy on its endpoint."""
    pages = APIRouter(include_in_schema=False, dependencies=[Depends(_permit)])
    pages.add_api_route("/", experiments.page)
    pages.add_api_route("/search", find.page)
    pages.add_api_route("/experiments/{experiment_id}", runs.page)
    pages.add_api_route("/experiments/{experiment_id}/names", names.names)
    pages.add_api_route("/runs/{run_id}", run.page)
    pages.add_api_route("/compare", compare.page)
    pages.add_api_route("/signup", signup.page)
    pages.include_router(curves.router)
    return pages
