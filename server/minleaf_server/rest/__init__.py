"""MLflow's REST API: its wire with all its oddities, and only here.

`ENDPOINTS` is the one table: the routes, the documents at /openapi.json and the tests are made from it.
"""

from starlette.applications import Starlette
from starlette.routing import Route, compile_path
from starlette.types import ASGIApp

from minleaf_server.rest import (
    artifacts,
    auth,
    experiments,
    graphql,
    inputs,
    logged_models,
    metrics,
    promptlab,
    registry,
    runs,
    service,
    webhooks,
)
from minleaf_server.rest.absent import OTHER_PATHS, Absent
from minleaf_server.rest.endpoint import PREFIXES, Endpoint, RawEndpoint
from minleaf_server.rest.openapi import Json, described_by

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (
    *experiments.ENDPOINTS,
    *runs.ENDPOINTS,
    *metrics.ENDPOINTS,
    *promptlab.ENDPOINTS,
    *inputs.ENDPOINTS,
    *logged_models.ENDPOINTS,
    *registry.ENDPOINTS,
    *artifacts.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *auth.ENDPOINTS,
    *graphql.ENDPOINTS,
    *service.ENDPOINTS,
)


_FILE_ROUTES = tuple(
    (one.method, compile_path(path)[0])
    for one in ENDPOINTS
    if isinstance(one, RawEndpoint) and one.takes_files
    for path in one.paths
)


def takes_files(method: str, path: str) -> bool:
    """Whether a request leads to an endpoint whose bodies are files. `path` is without the static prefix."""
    return any(method == one and pattern.match(path) for one, pattern in _FILE_ROUTES)


def exact_routes() -> dict[tuple[str, str], ASGIApp]:
    """Every endpoint whose path holds no variable, by method and whole path.

    For a dispatcher that stands in front of the routes: an endpoint is an ASGI application that only needs
    `scope["app"].state.services`, so a logging request needs none of a framework's work.
    """
    return {(one.method, path): one for one in ENDPOINTS for path in one.paths if "{" not in path}


def install(app: Starlette) -> None:
    """Add the API to the application. The services are at `app.state.services`."""
    methods: dict[str, list[str]] = {}
    for endpoint in ENDPOINTS:
        for path in endpoint.paths:
            methods.setdefault(path, []).append(endpoint.method)
            app.router.routes.append(Route(path, endpoint, methods=[endpoint.method]))
    absent = Absent(methods)
    for path in (*(f"{prefix}/{{rest:path}}" for prefix in PREFIXES), *OTHER_PATHS):
        app.router.routes.append(Route(path, absent))


def described() -> tuple[Json, Json]:
    """OpenAPI's paths of the whole API, and the schemas of their messages by name."""
    # The address with two slashes is an old mistake of MLflow's, and no second endpoint.
    return described_by([one for one in ENDPOINTS if not one.path.startswith("//")])
