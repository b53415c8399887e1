"""Serving the static folder."""

import hashlib
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

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self.version = fingerprint(directory)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v")
        response.headers["cache-control"] = IMMUTABLE if asked == [self.version] else REVALIDATE
        return response


def fingerprint(directory: Path) -> str:
    """A short text that changes when any file of the folder does."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(directory)}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
