"""What an endpoint of files reads of its request: the path in the address, and the body as it comes in."""

from collections.abc import AsyncIterator, Callable

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from minleaf_server.errors import MinleafError

PART_BYTES = 2**20
"""How much of a body is gathered before the store gets it: a socket gives 64 kB at a time."""


class _AnyText(Convertor[str]):
    """Everything up to the end of the path. That of Starlette ends at a line break, and what follows goes unseen."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("artifact", _AnyText())


def path_of(scope: Scope) -> str:
    """The artifact that the address names, percent-decoded once."""
    path: str = scope["path_params"]["path"]
    return path


async def body_parts(
    receive: Receive, limit: int | None = None, too_large: Callable[[], MinleafError] | None = None
) -> AsyncIterator[bytes]:
    """The body in parts of about PART_BYTES. Raises ClientDisconnect where the client is gone before its end.

    With a `limit`, raises `too_large()` as soon as more bytes than that have come.
    """
    waiting: list[bytes] = []
    size = total = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        waiting.append(part)
        size += len(part)
        total += len(part)
        if limit is not None and too_large is not None and total > limit:
            raise too_large()
        if size >= PART_BYTES or (size and not more):
            yield b"".join(waiting)
            waiting, size = [], 0
