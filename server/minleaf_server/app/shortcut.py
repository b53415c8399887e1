"""The short way to an endpoint whose path holds no variable: one look into a table, past the list of all routes.

A logging request spends more time in a framework's routing than in the database. The same endpoints are routes of the
application too; what is not in the table goes there.
"""

from collections.abc import Awaitable, Mapping

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

ExactRoutes = Mapping[tuple[str, str], ASGIApp]


class Shortcut:
    """`exact` holds ASGI applications by method and path (without the static prefix)."""

    def __init__(self, app: Starlette, exact: ExactRoutes) -> None:
        self._app = app
        self._exact = exact

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            prefix = scope.get("root_path", "")
            path = scope["path"].removeprefix(prefix) if prefix else scope["path"]
            endpoint = self._exact.get((scope["method"], path))
            if endpoint is not None:
                scope["app"] = self._app
                return endpoint(scope, receive, send)
        return self._app(scope, receive, send)
