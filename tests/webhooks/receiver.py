"""A real HTTP server on loopback that receives webhooks, and checks their signatures by itself."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from types import TracebackType
from typing import Any, Self

from minleaf_server.webhooks.addresses import Rule

LOOPBACK = Rule(("http", "https"), (ip_network("127.0.0.0/8"), ip_network("::1/128")))
WAIT_SECONDS_MAX = 20


@dataclass(frozen=True)
class Received:
    """One call as it came over the wire."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        signed = b".".join(
            [self.headers["x-mlflow-delivery-id"].encode(), self.headers["x-mlflow-timestamp"].encode(), self.body]
        )
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        return self.headers["x-mlflow-signature"] == "v1," + base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Reply:
    """`write`, where it is given, writes the answer by itself."""

    status: int = 200
    body: bytes = b"thanks"
    headers: tuple[tuple[str, str], ...] = ()
    write: Callable[[BaseHTTPRequestHandler], None] | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Receiver:
    """Answers the replies in turn, the last one for ever; below `/missing` there is nothing."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies) or [Reply()]
        self.received: list[Received] = []
        self.connections = 0
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, count: int) -> list[Received]:
        """The calls, once there are so many. Fails where they do not come."""
        end = time.monotonic() + WAIT_SECONDS_MAX
        with self._changed:
            while len(self.received) < count:
                assert self._changed.wait(end - time.monotonic()), f"{len(self.received)} of {count} calls came"
            return list(self.received)

    def _take(self, call: Received) -> Reply:
        with self._changed:
            self.received.append(call)
            self._changed.notify_all()
            if call.path.endswith("/missing"):
                return Reply(404, b"no such hook")
            return self.replies[min(len(self.received), len(self.replies)) - 1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = receiver._take(Received(self.path, headers, body))
                if reply.write:
                    reply.write(self)
                    return
                self.send_response(reply.status)
                for name, value in (*reply.headers, ("Content-Length", str(len(reply.body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler
