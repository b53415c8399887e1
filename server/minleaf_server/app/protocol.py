"""HTTP/1.1 on the socket: uvicorn's httptools protocol with the limits that it leaves out.

The parser refuses what could be read in two ways (two lengths, a length and chunks, bare line feeds). Added here are a
cap on the head of a request, deadlines for slow clients, and the check of a target in absolute form, whose host no
ASGI application gets to see.
"""

from asyncio import TimerHandle, Transport
from asyncio.transports import BaseTransport
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from minleaf_server.app.exchange import SECURITY_HEADERS

VERSIONS = ("1.1", "1.0")
DEFAULT_PORTS = {b"http": 80, b"https": 443}

# MLflow's server writes the phrases in capitals, and programs look for them in the errors of `requests`.
STATUS_LINE.update({status: line.upper() for status, line in STATUS_LINE.items()})


class BadHead(ValueError):
    """Raised inside the parser, which then stops; the client gets the status that was set before."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection. Times are in seconds, sizes in bytes."""

    head_timeout = 10.0
    body_timeout = 30.0
    write_timeout = 30.0
    max_head = 32 * 1024
    max_headers = 128
    max_drain = 64 * 2**20  # of a body that nobody reads, so that an honest client still gets to read why

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch: TimerHandle | None = None
        self._last_data = self._last_write = 0.0
        self._unsent = 0
        self._head_since: float | None = None
        self._head_size = self._chunk = self._drained = 0
        self._receiving = False
        self._status = 400

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(cast(Transport, transport))
        self._head_since = self._last_data = self._last_write = self.loop.time()
        self._watch_later()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._last_data = self.loop.time()
        self._chunk = len(data)
        head_went_on = self._head_since is not None
        super().data_received(data)
        if head_went_on and self._head_since is not None:
            self._head_size += len(data)
            if self._head_size > self.max_head and not self.transport.is_closing():
                self._reject(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_since = self.loop.time()
        self._head_size = self._drained = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.max_head:
            self._status = 414
            raise BadHead

    def on_headers_complete(self) -> None:
        self._head_since = None
        self._receiving = True
        if self.parser.get_http_version() not in VERSIONS:
            raise BadHead
        if self._head_is_large():
            self._status = 431
            raise BadHead
        if not self.url.startswith(b"/"):
            self._check_absolute_target()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.cycle.response_complete:
            self._drained += len(body)
            if self._drained > self.max_drain:
                self.transport.close()

    def on_message_complete(self) -> None:
        self._receiving = False
        super().on_message_complete()

    def _head_is_large(self) -> bool:
        if len(self.headers) > self.max_headers:
            return True
        if self._head_size + self._chunk <= self.max_head:  # All that has come is small, so there is nothing to add up.
            return False
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > self.max_head

    def _check_absolute_target(self) -> None:
        """`GET http://name/path`: the name must be the one in the Host header, which is what the gate looks at."""
        target = httptools.parse_url(self.url)
        hosts = [value.lower() for name, value in self.headers if name == b"host"]
        if target.schema is None or target.host is None or len(hosts) != 1:
            raise BadHead
        schema, name = target.schema.lower(), target.host.lower()
        default = DEFAULT_PORTS.get(schema)
        port = target.port or default
        name = b"[" + name + b"]" if b":" in name and not name.startswith(b"[") else name
        accepted = {name + b":%d" % port} if port else set()
        if default is None or hosts[0] not in accepted | ({name} if port == default else set()):
            raise BadHead

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where the parser has stopped."""
        self._reject(self._status)

    def _reject(self, status: int) -> None:
        """Answer without the application, and close. Where an answer has begun already, only close."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            phrase = HTTPStatus(status).phrase
            headers = b"".join(b"%s: %s\r\n" % header for header in SECURITY_HEADERS)
            self.transport.write(
                f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(phrase) + 1}\r\nconnection: close\r\n".encode()
                + headers
                + f"\r\n{phrase}\n".encode()
            )
        self.transport.close()

    def _watch_later(self) -> None:
        delay = min(self.head_timeout, self.body_timeout, self.write_timeout) / 2
        self._watch = self.loop.call_later(delay, self._look)

    def _look(self) -> None:
        """Close the connection if the client has been too slow. One timer a connection, so a request costs nothing."""
        now = self.loop.time()
        if self._write_is_stuck(now):
            self.transport.abort()
            return
        # A close waits until everything is sent, so a closing connection is watched too, for a client that never reads.
        if not self.transport.is_closing() and self._is_late(now):
            self._reject(408)
        self._watch_later()

    def _is_late(self, now: float) -> bool:
        if self._receiving:
            if self.flow.read_paused:  # It is us who do not read.
                self._last_data = now
            return now - self._last_data > self.body_timeout
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        if self._head_since is not None:
            return now - self._head_since > self.head_timeout
        # Between two requests uvicorn has a timer of its own, except after a body that was only drained.
        return self.timeout_keep_alive_task is None and now - self._last_data > self.head_timeout

    def _write_is_stuck(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._last_write = now
        self._unsent = unsent
        return now - self._last_write > self.write_timeout
