"""A route that nobody has declared a policy for stops the start, wherever it is hidden."""

from collections.abc import Callable
from functools import partial

import pytest
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


def as_route(app: Starlette) -> None:
    app.router.routes.append(Route("/dummy", endpoint, methods=["POST"]))


def as_asgi_application(app: Starlette) -> None:
    app.router.routes.append(Route("/dummy", silent))


def as_mounted_application(app: Starlette) -> None:
    app.mount("/dummy", silent)


def as_route_of_a_mounted_application(app: Starlette) -> None:
    routes = [Route("/known", access(Access.READ)(lambda request: None)), Route("/dummy", endpoint)]
    app.mount("/outer", Starlette(routes=[Mount("/inner", Router(routes))]))


def as_websocket(app: Starlette) -> None:
    app.router.routes.append(WebSocketRoute("/dummy", silent))


def as_route_of_a_host(app: Starlette) -> None:
    app.router.routes.append(Host("dummy.example", Router([Route("/dummy", endpoint)])))


def as_partial(app: Starlette) -> None:
    app.router.routes.append(Route("/dummy", partial(endpoint)))


HIDINGS = [as_route, as_asgi_application, as_mounted_application, as_route_of_a_mounted_application]
HIDINGS += [as_websocket, as_route_of_a_host, as_partial]


def bare() -> Starlette:
    return Starlette(routes=[Route("/declared", open_endpoint)])


@pytest.mark.parametrize("hide", HIDINGS)
def test_a_route_without_a_policy_stops_the_start(hide: Callable[[Starlette], None]) -> None:
    guarded(bare(), Settings())
    app = bare()
    hide(app)
    with pytest.raises(SetupError, match=r"dummy") as raised:
        guarded(app, Settings())
    assert "/declared" not in str(raised.value)


def test_a_shortcut_without_a_policy_stops_the_start() -> None:
    guarded(bare(), Settings(), {("GET", "/short"): access(Access.READ)(partial(silent))})
    with pytest.raises(SetupError, match="POST /short"):
        guarded(bare(), Settings(), {("POST", "/short"): silent})


def test_the_walk_finds_what_is_declared() -> None:
    app = bare()
    app.mount("/in", Router([Route("/a/{name}", open_endpoint, methods=["PUT"])]))
    app.mount("/files", access(Access.PUBLIC)(partial(silent)))
    assert [(str(route), route.policy) for route in declared(app.routes)] == [
        ("GET,HEAD /declared", Access.READ),
        ("PUT /in/a/{name}", Access.READ),
        ("ANY /files", Access.PUBLIC),
    ]


def test_only_a_policy_counts_as_one() -> None:
    def other() -> None: ...

    other.__minleaf_access__ = "public"  # type: ignore[attr-defined]
    assert policy_of(other) is None
    assert policy_of(partial(partial(open_endpoint))) is Access.READ
