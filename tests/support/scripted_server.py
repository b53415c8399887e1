"""A real socket that answers HTTP requests with bytes given beforehand, for the faults that no good server shows."""

import json
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

HANG_UP = b""


def answer(status: int, body: object, content_type: str = "application/json", **headers: str) -> bytes:
    """An HTTP answer; `body` that is no text is sent as JSON. Underscores in header names stand for dashes."""
    payload = (body if isinstance(body, str) else json.dumps(body)).encode()
    fields = {"Content-Type": content_type, "Content-Length": str(len(payload)), "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + payload


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


class ScriptedServer:
    """Gives the answers in turn, one a connection, the last one for ever; HANG_UP closes without an answer."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.requests.append(_read(connection))
                reply = self.answers[min(len(self.requests), len(self.answers)) - 1]
                if reply:
                    connection.sendall(reply)


def _read(connection: socket.socket) -> Request:
    with connection.makefile("rb") as stream:
        line = stream.readline().decode().strip()
        headers: dict[str, str] = {}
        while field := stream.readline().decode().strip():
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        return Request(line, headers, stream.read(int(headers.get("content-length", "0"))))
