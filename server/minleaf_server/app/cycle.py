"""One request on a connection and its answer, as an ASGI application sees them: `receive` and `send`."""

import asyncio
import logging
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Scope
from uvicorn.protocols.http.flow_control import FlowControl

from minleaf_server.app.heads import head_of

JOINED_MAX = 64 * 1024
"""Bytes of a part of an answer that are copied to leave in one piece with what stands around them."""

log = logging.getLogger(__name__)


class Gone(ClientDisconnect, OSError):
    """Raised where more is to come of an answer that nobody waits for any more. ASGI wants an OSError."""


class Connection(Protocol):
    """What a request needs of the connection on which it came."""

    transport: asyncio.Transport
    flow: FlowControl
    loop: asyncio.AbstractEventLoop

    def default_lines(self) -> bytes:
        """The lines in the head of every answer that do not come from the application."""

    def resume_reading(self) -> None:
        """Let more of the body come."""

    def answered(self, cycle: "Cycle") -> None:
        """The last byte of the answer has been handed to the transport."""

    def failed(self, cycle: "Cycle") -> None:
        """The application has ended without a whole answer."""


class Cycle:
    """See the module. The connection calls `feed` and `end` as the body comes in, `lose` where nobody waits any more.

    The head of an answer waits for the first part of its body and leaves with it in one segment: a client that
    delays its acknowledgement of the first of two would otherwise be waited for.
    """

    __slots__ = (
        "_chunked",
        "_connection",
        "_head",
        "_left",
        "_news",
        "_parts",
        "_waiter",
        "begun",
        "complete",
        "expects_continue",
        "gone",
        "held",
        "keep_alive",
        "more_body",
        "scope",
        "started",
    )

    def __init__(self, connection: Connection, scope: Scope, keep_alive: bool) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        self.expects_continue = False
        self.begun = False
        """Whether the application has been called."""
        self.more_body = True
        self.held = 0
        """Bytes of the body that have come and were not asked for yet."""
        self.started = self.complete = False
        """Whether the application has begun and ended its answer."""
        self.gone = False
        self._connection = connection
        self._parts: list[bytes] = []
        self._news = False
        self._waiter: asyncio.Future[None] | None = None
        self._head = b""
        self._chunked = False
        self._left = 0

    def feed(self, part: bytes) -> None:
        """A part of the body has come."""
        self._parts.append(part)
        self.held += len(part)
        self._wake()

    def end(self) -> None:
        """The body has come whole."""
        self.more_body = False
        self._wake()

    def lose(self) -> None:
        """The client is gone, or is told something else: nothing more is sent."""
        self.gone = True
        self._wake()

    def _wake(self) -> None:
        self._news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def run(self, app: ASGIApp) -> None:
        """Have the application answer."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            log.exception("An application failed")
        finally:
            if not self.complete and not self.gone:
                self._write([self._head])
                self._connection.failed(self)

    async def receive(self) -> Message:
        """ASGI's `receive`."""
        connection = self._connection
        if self.expects_continue and not connection.transport.is_closing():
            connection.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.expects_continue = False
        if not self.gone and not self.complete:
            connection.resume_reading()
            if not self._news:
                self._waiter = connection.loop.create_future()
                await self._waiter
                self._waiter = None
            self._news = False
        if self.gone or self.complete:
            return {"type": "http.disconnect"}
        body = b"".join(self._parts)
        self._parts.clear()
        self.held = 0
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    async def send(self, message: Message) -> None:
        """ASGI's `send`. Raises RuntimeError for what cannot be an answer, Gone as that says."""
        if self._connection.flow.write_paused and not self.gone:
            await self._connection.flow.drain()
        kind = message["type"]
        if self.gone:
            if message.get("more_body", False):
                raise Gone
            return
        if kind == "http.response.start" and not self.started:
            self._begin(message)
        elif kind == "http.response.body" and self.started and not self.complete:
            self._go_on(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"An ASGI application sent {kind!r} out of turn.")

    def _begin(self, message: Message) -> None:
        status = message["status"]
        head = head_of(status, self._connection.default_lines(), message.get("headers", ()))
        self.started = True
        self.expects_continue = False
        self._left = head.length or 0
        self._chunked = head.chunked
        more = b""
        if head.closing:
            self.keep_alive = False
        elif not self.keep_alive:
            more = b"connection: close\r\n"
        if head.length is None and not head.chunked and self.scope["method"] != "HEAD" and status not in (204, 304):
            self._chunked = True
            more += b"transfer-encoding: chunked\r\n"
        self._head = head.data + more + b"\r\n"

    def _go_on(self, body: bytes, more_body: bool) -> None:
        pieces = [self._head]
        if self.scope["method"] == "HEAD":
            self._left = 0
        elif self._chunked:
            if body:
                pieces += [b"%x\r\n" % len(body), body, b"\r\n"]
            if not more_body:
                pieces.append(b"0\r\n\r\n")
        else:
            self._left -= len(body)
            pieces.append(body)
        if self._left < 0 or (self._left > 0 and not more_body):
            raise RuntimeError("The body of an answer has another length than its head says.")
        self._head = b""
        self._write(pieces)
        if not more_body:
            self.complete = True
            self._wake()
            self._connection.answered(self)

    def _write(self, pieces: list[bytes]) -> None:
        transport = self._connection.transport
        if sum(map(len, pieces)) > JOINED_MAX:
            transport.writelines(pieces)
        elif data := b"".join(pieces):
            transport.write(data)
