"""The pages: a module a page, a frozen dataclass per template, links made in one place."""

from fastapi import APIRouter, FastAPI

from minleaf_server.ui import compare, curves, experiments, find, names, run, runs


def install(app: FastAPI) -> None:
    """Add the pages and what the charts load. Handlers find the services at `app.state.services`."""
    app.include_router(router())


def router() -> APIRouter:
    """Every route of the pages, with its access policy on its endpoint."""
    pages = APIRouter(include_in_schema=False)
    pages.add_api_route("/", experiments.page)
    pages.add_api_route("/search", find.page)
    pages.add_api_route("/experiments/{experiment_id}", runs.page)
    pages.add_api_route("/experiments/{experiment_id}/names", names.names)
    pages.add_api_route("/runs/{run_id}", run.page)
    pages.add_api_route("/compare", compare.page)
    pages.include_router(curves.router)
    return pages
