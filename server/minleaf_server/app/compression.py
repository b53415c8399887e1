"""Compression of pages and of what belongs to them. Endpoints of the API see to their answers themselves."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from minleaf_server.app.refusals import is_api


class CompressedPages(GZipMiddleware):
    """Lets the API pass as it is: its large answers are compressed already, and of files length and parts are promised.

    Most of the API's routes do not come this way at all; those with a variable in their path do.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_api(scope["path"].removeprefix(scope.get("root_path", ""))):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
