"""The pages: a module a page, a frozen dataclass per template, links made in one place."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from minleaf_server.ui import compare, curves, experiments, find, names, run, runs, signup
from minleaf_server.web.caller import permit_raw

Handler = Callable[[Request], Awaitable[Response]]

PAGES: tuple[tuple[str, Handler], ...] = (
    ("/", experiments.page),
    ("/search", find.page),
    ("/experiments/{experiment_id}", runs.page),
    ("/experiments/{experiment_id}/names", names.names),
    ("/runs/{run_id}", run.page),
    ("/compare", compare.page),
    ("/signup", signup.page),
    ("/charts/curves", curves.curves),
    ("/charts/series.csv", curves.series_csv),
)


def install(app: Starlette) -> None:
    """Add the pages and what the charts load. Handlers find the services at `app.state.services`."""
    app.router.routes.extend(Route(path, permitted(handler), methods=["GET"]) for path, handler in PAGES)


def permitted(handler: Handler) -> Handler:
    """The handler, with its access policy, for those alone who may see what it shows; others get PermissionDenied."""

    @wraps(handler)
    async def checked(request: Request) -> Response:
        await permit_raw(request.app.state.services, handler, request.scope)
        return await handler(request)

    return checked
