"""The routes about the server itself: health, version, and the description of the API."""

import logging
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from minleaf_server import rest
from minleaf_server.errors import Unavailable
from minleaf_server.resources import version
from minleaf_server.web.policy import Access, access

RETRY_SECONDS = 5

log = logging.getLogger(__name__)


@access(Access.PUBLIC)
async def health(_request: Request) -> Response:
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
async def version_text(_request: Request) -> Response:
    """The version of Minleaf. MLflow's client reads it here and leaves out what a server so old cannot have."""
    return PlainTextResponse(version())


@access(Access.READ)
async def openapi(_request: Request) -> Response:
    """The description of the API in OpenAPI's form."""
    return JSONResponse(description())


@access(Access.READ)
async def docs_page(request: Request) -> Response:
    """The same description as a page, made here: nothing is loaded from elsewhere and no script is needed."""
    # Few ever open it, and every start would pay for it.
    from minleaf_server.app import docs

    return HTMLResponse(docs.render(description(), request.scope.get("root_path", "")))


@cache
def description() -> dict[str, Any]:
    """The API and these routes in OpenAPI's form, made when it is first asked for."""
    paths, schemas = rest.described()
    own = {path: {"get": operation} for path, operation in _OPERATIONS.items()}
    info = {"title": "Minleaf", "version": version()}
    return {"openapi": "3.1.0", "info": info, "paths": own | paths, "components": {"schemas": schemas}}


def install(app: Starlette) -> None:
    """Add the routes to the application."""
    for path, endpoint in _ROUTES.items():
        app.router.routes.append(Route(path, endpoint, methods=["GET"]))


_ROUTES = {
    "/health": health,
    "/health/ready": ready,
    "/version": version_text,
    "/openapi.json": openapi,
    "/docs": docs_page,
}
_TEXT = {"description": "The text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
_OPERATIONS = {
    path: {
        "tags": ["Server"],
        "summary": summary,
        "description": _ROUTES[path].__doc__,
        "operationId": f"get{path.replace('/', '_')}",
        "responses": {"200": _TEXT, **others},
    }
    for path, summary, others in (
        ("/health", "Whether the process answers", {}),
        ("/health/ready", "Whether the database answers", {"503": {"description": "The database does not answer."}}),
        ("/version", "The version of the server", {}),
    )
}
