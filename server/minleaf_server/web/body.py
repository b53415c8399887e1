"""Reading the body of a request whole."""

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from minleaf_server.errors import TooLarge


async def read_body(receive: Receive, limit: int) -> bytes:
    """All bytes of the body. The gate has its own cap for every request; `limit` may be lower for one endpoint.

    Raises TooLarge as soon as more than `limit` bytes have come, and ClientDisconnect where the client is gone before
    the end: half a body is never taken for a whole one.
    """
    message = await receive()
    parts: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return part if len(parts) == 1 else b"".join(parts)
        message = await receive()
    raise ClientDisconnect


def too_large(limit: int) -> TooLarge:
    """The error for a body of more than `limit` bytes."""
    return TooLarge(f"The body of the request is larger than {limit} bytes. Send it in several requests.")
