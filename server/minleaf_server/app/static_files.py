"""Serving the static folder."""

from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


class VersionedFiles(StaticFiles):
    """The files of a folder, links out of it not followed and folders not listed.

    An address with the right `?v=` may be kept for ever, since the next version has another address. Any other is
    asked for again each time, which the ETag makes cheap.
    """

    def __init__(self, directory: Path, version: str) -> None:
        super().__init__(directory=directory)
        self.version = version

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v")
        response.headers["cache-control"] = IMMUTABLE if asked == [self.version] else REVALIDATE
        return response
