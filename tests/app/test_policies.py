"""A route that nobody has declared a policy for stops the start, wherever it is hidden."""

from collections.abc import Callable
from functools import partial

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.types import Receive, Scope, Send

from minleaf_server.app.assembly import guarded
from minleaf_server.app.policies import declared
from minleaf_server.config import Settings
from minleaf_server.errors import SetupError
from minleaf_server.web.policy import Access, access, policy_of


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("silent")(scope, receive, send)


async def endpoint() -> str:
    return "silent"


@access(Access.READ)
async def open_endpoint() -> str:
    return "declared"


def as_route(app: FastAPI) -> None:
    app.add_api_route("/dummy", endpoint, methods=["POST"])


def as_included_router(app: FastAPI) -> None:
    router = APIRouter()
    router.add_api_route("/dummy", endpoint, methods=["GET"])
    outer = APIRouter()
    outer.include_router(router, prefix="/inner")
    app.include_router(outer, prefix="/outer")


def as_starlette_route(app: FastAPI) -> None:
    app.router.routes.append(Route("/dummy", silent))


def as_mounted_application(app: FastAPI) -> None:
    app.mount("/dummy", silent)


def as_route_of_a_mounted_application(app: FastAPI) -> None:
    routes = [Route("/known", access(Access.READ)(lambda request: None)), Route("/dummy", endpoint)]
    app.mount("/outer", Starlette(routes=[Mount("/inner", Router(routes))]))


def as_websocket(app: FastAPI) -> None:
    app.router.routes.append(WebSocketRoute("/dummy", silent))


def as_route_of_a_host(app: FastAPI) -> None:
    app.router.routes.append(Host("dummy.example", Router([Route("/dummy", endpoint)])))


def as_partial(app: FastAPI) -> None:
    app.add_api_route("/dummy", partial(endpoint))


HIDINGS = [as_route, as_included_router, as_starlette_route, as_mounted_application, as_route_of_a_mounted_application]
HIDINGS += [as_websocket, as_route_of_a_host, as_partial]


def bare() -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/declared", open_endpoint)
    return app


@pytest.mark.parametrize("hide", HIDINGS)
def test_a_route_without_a_policy_stops_the_start(hide: Callable[[FastAPI], None]) -> None:
    guarded(bare(), Settings())
    app = bare()
    hide(app)
    with pytest.raises(SetupError, match=r"dummy") as raised:
        guarded(app, Settings())
    assert "/declared" not in str(raised.value)


def test_fastapi_s_own_pages_have_none() -> None:
    with pytest.raises(SetupError, match=r"GET,HEAD /openapi.json, GET,HEAD /docs, "):
        guarded(FastAPI(), Settings())


def test_a_shortcut_without_a_policy_stops_the_start() -> None:
    guarded(bare(), Settings(), {("GET", "/short"): access(Access.READ)(partial(silent))})
    with pytest.raises(SetupError, match="POST /short"):
        guarded(bare(), Settings(), {("POST", "/short"): silent})


def test_the_walk_finds_what_is_declared() -> None:
    app = bare()
    router = APIRouter()
    router.add_api_route("/a/{name}", open_endpoint, methods=["PUT"])
    app.include_router(router, prefix="/in")
    app.mount("/files", access(Access.PUBLIC)(partial(silent)))
    assert [(str(route), route.policy) for route in declared(app.routes)] == [
        ("GET /declared", Access.READ),
        ("PUT /in/a/{name}", Access.READ),
        ("ANY /files", Access.PUBLIC),
    ]


def test_only_a_policy_counts_as_one() -> None:
    def other() -> None: ...

    other.__minleaf_access__ = "public"  # type: ignore[attr-defined]
    assert policy_of(other) is None
    assert policy_of(partial(partial(open_endpoint))) is Access.READ
