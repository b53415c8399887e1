"""One endpoint of the API as an ASGI application: decode the request, call its handler, encode the reply.

A handler is an async function of the services and the message; its type hints are the whole contract. The application
needs no framework, so it can be called straight behind the gate or be mounted in FastAPI.
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
            first = await anext(reply.parts) if isinstance(reply, Parts) else _encode(reply)
        except MinleafError as error:
            await send_json(send, *errors.rendered(error))
            return
        if isinstance(reply, Parts):
            await _send_parts(send, first, reply.parts)
        else:
            await send_json(send, 200, first, [])

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
        check_content_type(next((value for name, value in scope["headers"] if name == b"content-type"), None))
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


def _struct_of(hint: Any) -> type[msgspec.Struct]:
    """The reply itself, where a handler may also answer in parts."""
    for kind in get_args(hint) or (hint,):
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return kind
    raise TypeError(f"{hint} is no reply")


async def send_json(send: Send, status: int, body: bytes, headers: errors.Headers) -> None:
    """Send a whole JSON answer."""
    length = (b"content-length", str(len(body)).encode("ascii"))
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def _send_parts(send: Send, first: bytes, others: AsyncIterator[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [_JSON]})
    await send({"type": "http.response.body", "body": first, "more_body": True})
    async for part in others:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
