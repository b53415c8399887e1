"""The routes about the server itself: health, version, and the description of the API."""

import logging

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from minleaf_server.app import docs
from minleaf_server.errors import Unavailable
from minleaf_server.resources import version
from minleaf_server.web.policy import Access, access

RETRY_SECONDS = 5

log = logging.getLogger(__name__)


@access(Access.PUBLIC)
async def health() -> Response:
    """The process answers. "OK", as MLflow says."""
    return PlainTextResponse("OK")


@access(Access.PUBLIC)
async def ready(request: Request) -> Response:
    """The database answers too. 503 with Retry-After where it does not."""
    try:
        await request.app.state.services.store.ping()
    except Exception as error:  # Whatever is wrong with the database, this is where to say so.
        log.warning("The database does not answer", exc_info=not isinstance(error, Unavailable))
        retry = {"Retry-After": str(error.retry_after_seconds if isinstance(error, Unavailable) else RETRY_SECONDS)}
        return PlainTextResponse("The database does not answer.\n", status_code=503, headers=retry)
    return PlainTextResponse("OK")


@access(Access.PUBLIC)
async def version_text() -> Response:
    """The version of Minleaf. MLflow's client reads it here and leaves out what a server so old cannot have."""
    return PlainTextResponse(version())


@access(Access.READ)
async def openapi(request: Request) -> Response:
    """The description of the API in OpenAPI's form."""
    return JSONResponse(request.app.openapi())


@access(Access.READ)
async def docs_page(request: Request) -> Response:
    """The same description as a page, made here: nothing is loaded from elsewhere and no script is needed."""
    return HTMLResponse(docs.render(request.app.openapi(), request.scope.get("root_path", "")))


def install(app: FastAPI) -> None:
    """Add the routes to the application."""
    late: dict[int | str, dict[str, str]] = {503: {"description": "The database does not answer."}}
    app.add_api_route(
        "/health", health, summary="Whether the process answers", response_class=PlainTextResponse, tags=["Server"]
    )
    app.add_api_route(
        "/health/ready",
        ready,
        summary="Whether the database answers",
        response_class=PlainTextResponse,
        tags=["Server"],
        responses=late,
    )
    app.add_api_route(
        "/version", version_text, summary="The version of the server", response_class=PlainTextResponse, tags=["Server"]
    )
    app.add_api_route("/openapi.json", openapi, include_in_schema=False)
    app.add_api_route("/docs", docs_page, include_in_schema=False)
