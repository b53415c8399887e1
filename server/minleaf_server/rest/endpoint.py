"""One endpoint of the API as an ASGI application: decode the request, call its handler, encode the reply.

A handler is an async function of the services and the message; its type hints are the whole contract. The application
needs no framework, so it can be called straight behind the gate or be a route of an application.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, get_args, get_type_hints

import msgspec
from starlette.types import Receive, Scope, Send

from minleaf_server.errors import MinleafError
from minleaf_server.rest import errors
from minleaf_server.rest.decode import check_content_type, decode_body, decode_path, decode_query
from minleaf_server.rest.messages import Request
from minleaf_server.tracking.services import Services
from minleaf_server.web.body import read_body
from minleaf_server.web.caller import permit, permit_raw
from minleaf_server.web.compression import VARY, WORTHWHILE, compressed, compressed_parts, encoding_for
from minleaf_server.web.policy import access, policy_of, subject_of

Handler = Callable[[Services, Any], Awaitable[Any]]
RawHandler = Callable[[Services, Scope, Receive, Send], Awaitable[None]]

PREFIXES = ("/api", "/ajax-api")

_JSON = (b"content-type", b"application/json")
_encode = msgspec.json.Encoder().encode


class Parts:
    """A reply that is made and sent in parts, because it may be too large to be held in memory."""

    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self.parts = parts


class Encoded:
    """A reply that is encoded already."""

    __slots__ = ("body",)

    def __init__(self, body: bytes) -> None:
        self.body = body


class Endpoint:
    """`method` and `path` (below the API's prefix) with the handler that answers it. Its policy is the handler's.

    A name in braces in the path is a field of the message.
    """

    def __init__(self, method: str, path: str, handler: Handler) -> None:
        policy = policy_of(handler)
        if policy is None:
            raise TypeError(f"The handler of {method} {path} declares no access policy.")
        hints = get_type_hints(handler, include_extras=True)
        self.method = method
        self.path = path
        self.handler = handler
        self.request: type[Request] = hints["message"]
        self.reply = _struct_of(hints["return"])
        access(policy, subject_of(handler))(self)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every whole path that leads here."""
        return tuple(prefix + self.path for prefix in PREFIXES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            message = await self._message(scope, receive)
            reply = await self.answer(scope["app"].state.services, message)
            # The first part is made before a status is sent, so that an error in it is told as an error.
            first = await anext(reply.parts) if isinstance(reply, Parts) else _body(reply)
        except MinleafError as error:
            await send_json(send, *errors.rendered(error))
            return
        if isinstance(reply, Parts):
            await _send_parts(scope, send, first, reply.parts)
        elif len(first) < WORTHWHILE:
            await send_json(send, 200, first, [])
        else:
            await _send_large(scope, send, first)

    async def answer(self, services: Services, message: Request) -> Any:
        """The reply to a decoded message, where the caller may have it. Raises MinleafError."""
        await permit(services, self, message)
        return await self.handler(services, message)

    async def _message(self, scope: Scope, receive: Receive) -> Request:
        in_path = decode_path(scope)
        if self.method == "GET":
            return decode_query(scope["query_string"], self.request, in_path)
        # How much a body may hold is the gate's rule alone.
        body = await read_body(receive, sys.maxsize)
        if self.method == "DELETE" and not body:
            return decode_query(scope["query_string"], self.request, in_path)
        check_content_type(_content_type(scope))
        return decode_body(body, self.request, in_path)


class RawEndpoint:
    """An endpoint that reads and writes HTTP itself, because its bodies are files. Errors are told as everywhere.

    A `path` that begins with a version (`/2.0/…`) stands below both prefixes of the API, any other as it is. One that
    `takes_files` reads its body in parts and sees to its length itself; the gate's cap on a body does not hold for it.
    """

    def __init__(self, method: str, path: str, handler: RawHandler, *, takes_files: bool = False) -> None:
        policy = policy_of(handler)
        if policy is None:
            raise TypeError(f"The handler of {method} {path} declares no access policy.")
        self.method = method
        self.path = path
        self.handler = handler
        self.takes_files = takes_files
        access(policy, subject_of(handler))(self)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every whole path that leads here."""
        return tuple(prefix + self.path for prefix in PREFIXES) if self.path[1].isdigit() else (self.path,)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            decode_path(scope)
            services: Services = scope["app"].state.services
            await permit_raw(services, self, scope)
            await self.handler(services, scope, receive, send)
        except MinleafError as error:
            await send_json(send, *errors.rendered(error))


def _content_type(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"content-type":
            found: bytes = value
            return found
    return None


def _body(reply: Any) -> bytes:
    return reply.body if isinstance(reply, Encoded) else _encode(reply)


def _struct_of(hint: Any) -> type[msgspec.Struct]:
    """The reply itself, where a handler may also answer in parts or encoded."""
    for kind in get_args(hint) or (hint,):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return kind
    raise TypeError(f"{hint} is no reply")


async def send_json(send: Send, status: int, body: bytes, headers: errors.Headers) -> None:
    """Send a whole JSON answer."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def _send_large(scope: Scope, send: Send, body: bytes) -> None:
    encoding = encoding_for(scope)
    if encoding is None:
        await send_json(send, 200, body, [VARY])
    else:
        await send_json(send, 200, await compressed(encoding, body), [VARY, (b"content-encoding", encoding)])


async def _send_parts(scope: Scope, send: Send, first: bytes, others: AsyncIterator[bytes]) -> None:
    parts, headers = _chained(first, others), [_JSON, VARY]
    encoding = encoding_for(scope) if len(first) >= WORTHWHILE else None
    if encoding is not None:
        parts = compressed_parts(encoding, parts)
        headers.append((b"content-encoding", encoding))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _chained(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in others:
        yield part
