"""One HTTP call of a webhook: to the address that was checked, within one deadline, without redirects or proxies."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import Any

import httpcore

from minleaf_server.webhooks.addresses import Destination, Rule

BODY_BYTES_MAX = 64 * 1024
"""How much of an answer is read. More is cut, and the cut is told."""

Resolve = Callable[[str, int], Sequence[str]]
"""From a name and a port to IP addresses. Raises OSError."""


class Failed(Exception):
    """There was no answer; the text says why. The same call may succeed later."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver answered. `retry_after` is its header, or "" where it sent none."""

    status: int
    body: str
    retry_after: str


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, by the resolver of the machine."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Sender:
    """Makes calls under a rule. `seconds` bounds a call as a whole, however slowly its answer comes."""

    def __init__(self, rule: Rule, seconds: float, resolve: Resolve = look_up) -> None:
        self._rule = rule
        self._seconds = seconds
        self._resolve = resolve

    def send(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Answer:
        """POST the body. Raises InvalidParameter or Refused for an address that may not be called, and Failed."""
        place = self._rule.destination(url)
        backend = _Backend(self._rule, place, time.monotonic() + self._seconds, self._resolve)
        request = httpcore.Request(
            "POST",
            httpcore.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.target),
            headers=[("Host", place.authority), *headers, ("Content-Length", str(len(body)))],
            content=body,
        )
        try:
            with httpcore.ConnectionPool(_tls(), network_backend=backend, max_keepalive_connections=0) as pool:
                response = pool.handle_request(request)
                try:
                    return _answer(response)
                finally:
                    response.close()
        except httpcore.TimeoutException:
            raise Failed(f"The receiver did not answer within {self._seconds:g} seconds.") from None
        except httpcore.ConnectError as error:
            raise Failed(f"The receiver cannot be reached: {error}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise Failed(f"The receiver broke off or did not speak HTTP: {error}") from None


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = httpcore.default_ssl_context()
    context.load_default_certs()  # also those of the machine, and of SSL_CERT_FILE
    return context


def _answer(response: httpcore.Response) -> Answer:
    parts, size = [], 0
    for part in response.iter_stream():
        parts.append(part)
        size += len(part)
        if size > BODY_BYTES_MAX:
            break
    text = b"".join(parts)[:BODY_BYTES_MAX].decode("utf-8", errors="replace")
    if size > BODY_BYTES_MAX:
        text += f"… (cut after {BODY_BYTES_MAX} bytes)"
    waits = [value for name, value in response.headers if name.lower() == b"retry-after"]
    return Answer(response.status, text, waits[0].decode("latin-1") if waits else "")


class _Backend(httpcore.NetworkBackend):
    """Opens the one connection of a call: looks the name up, checks every address, connects to what was checked."""

    def __init__(self, rule: Rule, place: Destination, end: float, resolve: Resolve) -> None:
        self._rule = rule
        self._place = place
        self._end = end
        self._resolve = resolve
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._addresses(host, port)
        self._rule.check_addresses(addresses, self._place.scheme)
        problem: Exception = httpcore.ConnectError("the name has no address")
        for index, address in enumerate(addresses):
            share = _left(self._end) / (len(addresses) - index)
            try:
                stream = self._sockets.connect_tcp(address, port, timeout=share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _Stream(stream, self._end)
        raise problem

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        found: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

        def look() -> None:
            try:
                found.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                found.put(error)

        # The resolver of the machine knows no deadline, so it is asked from a thread that may be left behind.
        threading.Thread(target=look, name="webhook-name", daemon=True).start()
        try:
            result = found.get(timeout=_left(self._end))
        except Empty:
            raise httpcore.ConnectTimeout from None
        if isinstance(result, Exception):
            raise httpcore.ConnectError(f"the name {host!r} cannot be resolved")
        return result


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends at the deadline of the call."""

    def __init__(self, stream: httpcore.NetworkStream, end: float) -> None:
        self._stream = stream
        self._end = end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._end))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._end))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(self._end)), self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left
