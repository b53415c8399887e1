"""Sending a file: whole or in part, in constant memory, and never as something that a browser would run."""

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from minleaf_server.artifacts.repository import Download
from minleaf_server.artifacts.stores import Place
from minleaf_server.errors import MinleafError, NotFound, Unavailable
from minleaf_server.rest.artifacts.conditions import Plan, http_date, plan
from minleaf_server.rest.artifacts.kinds import disposition, media_type

ONLY_HEAD = "minleaf.head"
"""The key of the scope with which the gate tells of a HEAD, which it passes on as a GET."""

Headers = list[tuple[bytes, bytes]]


class Interrupted(RuntimeError):
    """The store failed when half of the answer was out already; all that is left is to break the connection off."""


async def send_file(place: Place, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the file, or with what of it the headers of the request ask for. Raises NotFound, Unavailable."""
    headers = dict(scope["headers"])
    if not scope.get(ONLY_HEAD) and headers.keys().isdisjoint((b"range", b"if-none-match")):
        download = await place.repository.open(place.path)
        await _send(Plan(200, 0, download.size), download, place, receive, send)
        return
    found = await place.repository.stat(place.path)
    if found.is_dir or found.size is None:
        raise NotFound(f"'{place.path.rpartition('/')[2]}' is a folder, not a file.")
    etag, modified = found.etag or "", found.modified_ms or 0
    chosen = plan(headers, found.size, etag, modified)
    if scope.get(ONLY_HEAD) or chosen.status in (304, 416):
        await _start(send, chosen, found.size, etag, modified, place)
        await send({"type": "http.response.body", "body": b""})
        return
    download = await place.repository.open(place.path, chosen.start, chosen.end)
    if (download.size, download.etag) != (found.size, etag):
        await download.close()
        raise Unavailable("The file was replaced while it was asked for. Ask again.")
    await _send(chosen, download, place, receive, send)


async def _send(chosen: Plan, download: Download, place: Place, receive: Receive, send: Send) -> None:
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await _start(send, chosen, download.size, download.etag, download.modified_ms, place)
        async for part in download.parts:
            if gone.done():
                raise ClientDisconnect
            await send({"type": "http.response.body", "body": part, "more_body": True})
    except MinleafError as error:
        raise Interrupted("A download broke off, because the store failed.") from error
    finally:
        gone.cancel()
        await download.close()
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    """Return once the client has hung up. Nothing else tells: what is sent to it goes nowhere, without an error."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, chosen: Plan, size: int, etag: str, modified_ms: int, place: Place) -> None:
    headers = _headers(chosen, size, etag, modified_ms, place.path.rpartition("/")[2])
    await send({"type": "http.response.start", "status": chosen.status, "headers": headers})


def _headers(chosen: Plan, size: int, etag: str, modified_ms: int, name: str) -> Headers:
    headers: Headers = [
        # In addition to the policy of every answer: whatever it is, it runs nothing and belongs to no origin.
        (b"content-security-policy", b"sandbox"),
        (b"accept-ranges", b"bytes"),
        # A browser may keep it, but asks each time whether it is still the same, and whether it still may.
        (b"cache-control", b"private, no-cache"),
    ]
    if etag:
        headers.append((b"etag", etag.encode("latin-1")))
    if modified_ms:
        headers.append((b"last-modified", http_date(modified_ms).encode("ascii")))
    if chosen.status == 304:
        return headers
    headers.append((b"content-length", str(chosen.length).encode("ascii")))
    if chosen.status == 416:
        return [*headers, (b"content-range", f"bytes */{size}".encode("ascii"))]
    headers.append((b"content-type", media_type(name).encode("ascii")))
    headers.append((b"content-disposition", disposition(name).encode("ascii")))
    if chosen.status == 206:
        whole = f"bytes {chosen.start}-{chosen.end - 1}/{size}"
        headers.append((b"content-range", whole.encode("ascii")))
    return headers
