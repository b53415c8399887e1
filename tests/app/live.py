"""A real uvicorn in a thread, and raw bytes to its socket: what a normalising client would never send."""

import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from minleaf_server.app.protocol import GuardedProtocol

WAIT_SECONDS = 20


@dataclass(frozen=True)
class Answer:
    """`headers` are in lower case, in the order in which they came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that stands at most once."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


class Live:
    """Serves the application that `make` returns for its port."""

    def __init__(self, make: Callable[[int], ASGIApp], protocol: type[GuardedProtocol] = GuardedProtocol) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        config = uvicorn.Config(
            make(self.port),
            http=protocol,
            ws="none",
            server_header=False,
            proxy_headers=False,
            access_log=False,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],), daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        end = time.monotonic() + WAIT_SECONDS
        while not self.server.started:
            assert time.monotonic() < end
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.should_exit = True
        self.thread.join(WAIT_SECONDS)
        self.socket.close()

    def connect(self) -> socket.socket:
        """A connection whose reads fail after some time, so that a hanging server fails the test."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)

    def request(self, method: str, path: str, *headers: str, body: bytes = b"", host: str | None = "own") -> Answer:
        """Send one request line by line as given. `host` "own" stands for the server's own name; None sends none."""
        lines = [f"{method} {path} HTTP/1.1"]
        if host is not None:
            lines.append(f"Host: {f'127.0.0.1:{self.port}' if host == 'own' else host}")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        lines += [*headers, "Connection: close", "", ""]
        return self.raw("\r\n".join(lines).encode("latin-1") + body, method)

    def raw(self, data: bytes, method: str = "GET") -> Answer:
        """Send bytes and read one answer."""
        with self.connect() as conn:
            conn.sendall(data)
            return read_answer(conn, method)


def read_answer(conn: socket.socket, method: str = "GET") -> Answer:
    """The next answer on a connection."""
    response = http.client.HTTPResponse(conn, method=method)
    try:
        response.begin()
        headers = [(name.lower(), value) for name, value in response.getheaders()]
        return Answer(response.status, headers, response.read())
    finally:
        response.close()


def is_closed(conn: socket.socket) -> bool:
    """Whether the server ends the connection, whatever it sends before. Fails where it does not within some time."""
    try:
        while conn.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True
