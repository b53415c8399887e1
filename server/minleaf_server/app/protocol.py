"""HTTP/1.1 on the socket: an asyncio protocol over httptools' parser, which uvicorn's server runs.

The parser refuses what could be read in two ways (two lengths, a length and chunks, bare line feeds). Added here are a
cap on the head of a request, deadlines for slow clients, and the check of a target in absolute form, whose host no
ASGI application gets to see. Requests that are sent at once are answered one after the other, in their order.
"""

import asyncio
import socket
from asyncio import TimerHandle, Transport
from asyncio.transports import BaseTransport
from collections import deque
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from minleaf_server.app.cycle import Cycle
from minleaf_server.app.exchange import SECURITY_HEADERS
from minleaf_server.app.heads import Header, lines_of
from minleaf_server.app.targets import BadHead, check_absolute, parsed

VERSIONS = ("1.1", "1.0")
HELD_MAX = 64 * 1024
"""Bytes of a body that are taken in before the application asks for them."""


class GuardedProtocol(asyncio.Protocol):
    """One connection. Times are in seconds, sizes in bytes."""

    head_timeout = 10.0
    body_timeout = 30.0
    write_timeout = 30.0
    max_head = 32 * 1024
    max_headers = 128
    max_drain = 64 * 2**20  # of a body that nobody reads, so that an honest client still gets to read why

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self.loop = _loop or asyncio.get_event_loop()
        self.transport: Transport
        self.flow: FlowControl
        self._app = cast(Any, config.loaded_app)
        self._app_state = app_state
        self._server = server_state
        self._keep_alive = config.timeout_keep_alive
        self._parser = self._new_parser()
        self._defaults: tuple[list[Header], bytes] = ([], b"")
        self._url = b""
        self._headers: list[Header] = []
        self._last: Cycle | None = None  # the request that came last
        self._current: Cycle | None = None  # the one that is answered now, or was answered last
        self._waiting: deque[Cycle] = deque()
        self._rejected: int | None = None
        self._watch: TimerHandle | None = None
        self._last_data = self._last_write = 0.0
        self._unsent = 0
        self._head_since: float | None = None
        self._head_size = self._chunk = self._drained = 0
        self._receiving = False
        self._status = 400

    def connection_made(self, transport: BaseTransport) -> None:
        self.transport = cast(Transport, transport)
        self._server.connections.add(cast(Any, self))
        self.flow = FlowControl(self.transport)
        own = self.transport.get_extra_info("socket")
        if own is not None and own.family in (socket.AF_INET, socket.AF_INET6):
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._addresses = {"server": get_local_addr(self.transport), "client": get_remote_addr(self.transport)}
        self._head_since = self._last_data = self._last_write = self.loop.time()
        self._watch_later()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._server.connections.discard(cast(Any, self))
        for cycle in (self._current, *self._waiting):
            if cycle is not None:
                cycle.lose()
        self._waiting.clear()
        self.flow.resume_writing()
        self.transport.close()
        # Each of these refers to the connection, which would be left to the garbage collector.
        self._parser = self._watch = self._last = self._current = None

    def pause_writing(self) -> None:
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        self.flow.resume_writing()

    def shutdown(self) -> None:
        """What uvicorn's server calls when it stops: the connection closes after the answer that is under way."""
        if self._last is None or self._last.complete:
            self.transport.close()
        else:
            self._last.keep_alive = False

    # From the bytes to requests.

    def data_received(self, data: bytes) -> None:
        if self._rejected is not None:
            return
        self._last_data = self.loop.time()
        self._chunk = len(data)
        head_went_on = self._head_since is not None
        self._parse(data)
        if self._receiving:
            self._begin_early()
        elif head_went_on and self._head_since is not None:
            self._head_size += len(data)
            if self._head_size > self.max_head and not self.transport.is_closing():
                self._reject(431)

    def _new_parser(self) -> Any:
        parser = httptools.HttpRequestParser(self)
        # Of several requests in one packet the last may close: those before it are answered all the same.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _parse(self, data: bytes) -> None:
        try:
            while data:
                try:
                    self._parser.feed_data(data)
                    return
                except httptools.HttpParserUpgrade as upgrade:
                    data = self._declined() + data[upgrade.args[0] :]
        except httptools.HttpParserError:
            self._reject(self._status)

    def _declined(self) -> bytes:
        """The head that has just come, without its offer of another protocol, for a new parser.

        None is spoken here, but the old parser takes all that follows for one, the body of this request too.
        """
        method, version = self._parser.get_method(), self._parser.get_http_version()
        self._parser = self._new_parser()
        lines = lines_of(header for header in self._headers if header[0] != b"upgrade")
        return b"%s %s HTTP/%s\r\n%s\r\n" % (method, self._url, version.encode("ascii"), lines)

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = []
        self._head_since = self.loop.time()
        self._head_size = self._drained = 0

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > self.max_head:
            self._status = 414
            raise BadHead

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._head_since = None
        version = self._parser.get_http_version()
        if version not in VERSIONS:
            raise BadHead
        if self._head_is_large():
            self._status = 431
            raise BadHead
        if not self._url.startswith(b"/"):
            check_absolute(self._url, self._headers)
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise BadHead
        if self._parser.should_upgrade():  # It comes again, see `_declined`.
            return
        path, raw_path, query = parsed(self._url)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": version,
            **self._addresses,
            "scheme": "http",
            "method": method.decode("ascii"),
            "root_path": "",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "headers": self._headers,
            "state": self._app_state.copy(),
        }
        self._receiving = True
        self._queue(Cycle(self, scope, version != "1.0" and self._parser.should_keep_alive()))

    def on_body(self, body: bytes) -> None:
        cycle = self._last
        assert cycle is not None
        if cycle.complete:
            self._drained += len(body)
            if self._drained > self.max_drain:
                self.transport.close()
            return
        cycle.feed(body)
        if cycle.held > HELD_MAX:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        if not self._receiving:
            return
        self._receiving = False
        cycle = self._last
        assert cycle is not None
        cycle.end()
        if cycle is self._current and not cycle.begun:
            self._begin(cycle)

    # From requests to answers.

    def _queue(self, cycle: Cycle) -> None:
        self._last = cycle
        if self._current is None or self._current.complete:
            self._current = cycle
        else:
            self._waiting.append(cycle)
            self.flow.pause_reading()

    def _begin(self, cycle: Cycle) -> None:
        cycle.begun = True
        self._server.tasks.add(self.loop.create_task(self._answer(cycle)))

    def _begin_early(self) -> None:
        """Call the application before the body is there.

        It waits for a short one more cheaply here than there, and that of a client that asks whether to send it,
        or that has no known end, may never come.
        """
        cycle = self._last
        if cycle is not self._current or cycle is None or cycle.begun:
            return
        fields = dict(self._headers)
        cycle.expects_continue = fields.get(b"expect", b"").lower() == b"100-continue"
        length = fields.get(b"content-length", b"")
        if cycle.expects_continue or len(length) > 9 or not length.isdigit() or int(length) > HELD_MAX:
            self._begin(cycle)

    async def _answer(self, cycle: Cycle) -> None:
        try:
            await cycle.run(self._app)
        finally:
            self._server.tasks.discard(cast(Any, asyncio.current_task()))

    def default_lines(self) -> bytes:
        """What uvicorn's server adds to every answer: the date, in a new list each second."""
        headers = self._server.default_headers
        if headers is not self._defaults[0]:
            self._defaults = headers, lines_of(headers)
        return self._defaults[1]

    def resume_reading(self) -> None:
        """Let more come, but not more requests while others wait."""
        if not self._waiting:
            self.flow.resume_reading()

    def answered(self, cycle: Cycle) -> None:
        """See `cycle.Connection`."""
        self._server.total_requests += 1
        if not cycle.keep_alive:
            self.transport.close()
        if self.transport.is_closing():
            return
        self._last_data = self.loop.time()
        if self._waiting:
            self._current = self._waiting.popleft()
            self._begin(self._current)
        elif self._rejected is not None:
            self._refuse(self._rejected)
            return
        self.resume_reading()

    def failed(self, cycle: Cycle) -> None:
        """See `cycle.Connection`."""
        if cycle.started:
            self.transport.close()
        else:
            self._refuse(500)

    def _reject(self, status: int) -> None:
        """Read no more. Once what came before is answered, answer without the application, and close.

        Where an answer to the request has begun already, only close.
        """
        cycle = self._last
        if cycle is not None and cycle.more_body:
            if cycle.started:
                self.transport.close()
                return
            cycle.lose()
            if cycle is not self._current:
                self._waiting.remove(cycle)
        self._rejected = status
        self._receiving = False
        current = self._current
        if current is None or current.complete or current.gone:
            self._refuse(status)
        else:
            self.flow.pause_reading()

    def _refuse(self, status: int) -> None:
        phrase = HTTPStatus(status).phrase
        self.transport.write(
            f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(phrase) + 1}\r\nconnection: close\r\n".encode()
            + lines_of(SECURITY_HEADERS)
            + f"\r\n{phrase}\n".encode()
        )
        self.transport.close()

    # What is refused, and when.

    def _head_is_large(self) -> bool:
        if len(self._headers) > self.max_headers:
            return True
        if self._head_size + self._chunk <= self.max_head:  # All that has come is small, so there is nothing to add up.
            return False
        return len(self._url) + sum(len(name) + len(value) for name, value in self._headers) > self.max_head

    def _watch_later(self) -> None:
        delay = min(self.head_timeout, self.body_timeout, self.write_timeout, self._keep_alive) / 2
        self._watch = self.loop.call_later(delay, self._look)

    def _look(self) -> None:
        """Close the connection if the client has been too slow. One timer a connection, so a request costs nothing."""
        now = self.loop.time()
        if self._write_is_stuck(now):
            self.transport.abort()
            return
        # A close waits until everything is sent, so a closing connection is watched too, for a client that never reads.
        if not self.transport.is_closing():
            if self._is_late(now):
                self._reject(408)
            elif self._is_idle(now):
                self.transport.close()
        self._watch_later()

    def _is_late(self, now: float) -> bool:
        if self._receiving:
            if self.flow.read_paused:  # It is us who do not read.
                self._last_data = now
            return now - self._last_data > self.body_timeout
        if self._current is not None and not self._current.complete:
            return False
        return self._head_since is not None and now - self._head_since > self.head_timeout

    def _is_idle(self, now: float) -> bool:
        """Whether the client has sent nothing for long after the last answer."""
        between = not self._receiving and self._head_since is None
        answered = self._current is None or self._current.complete
        return between and answered and now - self._last_data > self._keep_alive

    def _write_is_stuck(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._last_write = now
        self._unsent = unsent
        return now - self._last_write > self.write_timeout
