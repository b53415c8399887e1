"""The load generator: a process of its own that sends prepared requests over kept connections and notes the times.

`send` starts it and waits; run as a module it reads a pickled `Job` and writes a pickled `Result`.
"""

import gc
import pickle
import re
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUN = "R" * 32
"""Stands in a request for the id of the run that the connection created last."""

_RUN = RUN.encode()
_CREATED = re.compile(rb'"run_id":\s*"([0-9a-f]{32})"')
_NEXT = re.compile(rb'"next_page_token":\s*"([^"]+)"')
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """A request whose body, where it has one, is JSON."""

    method: str
    path: str
    body: bytes = b""

    def encoded(self) -> bytes:
        """Head and body as they are sent, in one segment."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n"
        if self.body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


@dataclass(frozen=True)
class Job:
    """What to send: each lane is one connection that sends its requests one after the other."""

    port: int
    lanes: list[list[Request]]
    follow: bool = False
    """Ask for the next page, with the same body, until there is none."""
    keep: bool = False
    """Give the bodies of the answers back."""


@dataclass
class Result:
    """What came back. Latencies in seconds, in the order of the answers."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    acknowledged: list[list[int]] = field(default_factory=list)
    """By lane, the places of the requests that were answered with 200."""
    failures: list[str] = field(default_factory=list)
    runs: list[list[str]] = field(default_factory=list)
    """By lane, the ids of the runs that it created."""
    bodies: list[bytes] = field(default_factory=list)


def send(job: Job) -> Result:
    """Run the job in a process of its own. Raises RuntimeError where that fails, but not where requests fail."""
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=pickle.dumps(job), stdout=subprocess.PIPE, cwd=ROOT)
    if done.returncode:
        raise RuntimeError("the load generator failed")
    result: Result = pickle.loads(done.stdout)
    return result


class Lane:
    """One connection with what is still to be sent on it."""

    def __init__(self, job: Job, requests: list[Request]) -> None:
        self._port = job.port
        self.socket = self._connected()
        self.template = requests[0]
        self.waiting = deque(request.encoded() for request in requests)
        self.runs: list[str] = []
        self.acknowledged: list[int] = []
        self.sent = 0
        self.closed = False
        self.begun = 0.0
        self._parts: list[bytes] = []
        self._missing = 0

    def start(self) -> None:
        """Send the next request."""
        data = self.waiting.popleft()
        if self.runs and _RUN in data:
            data = data.replace(_RUN, self.runs[-1].encode())
        self._parts, self._missing = [], -1
        self.sent += 1
        self.begun = time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> bytes | None:
        """The whole answer, head and body, once it is there."""
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return b"".join(self._parts) or b"the server closed the connection"
        self._parts.append(data)
        if self._missing < 0:
            self._measure()
        elif self._missing != _CHUNKED:
            self._missing -= len(data)
        if self._missing == 0:
            return b"".join(self._parts)
        if self._missing == _CHUNKED and b"".join(self._parts[-3:]).endswith(b"0\r\n\r\n"):
            return b"".join(self._parts)
        return None

    def connect_again(self) -> None:
        """A new connection in place of one that the server has closed, or said it will."""
        self.socket.close()
        self.socket = self._connected()
        self.closed = False

    def _connected(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _measure(self) -> None:
        """Find out how much of the answer is missing, as soon as its head is there."""
        answer = b"".join(self._parts)
        end = answer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(answer, 0, end)
        self.closed = b"connection: close" in answer[:end].lower()
        self._missing = _CHUNKED if length is None else int(length[1]) - (len(answer) - end - 4)


_CHUNKED = 1 << 62


def run(job: Job) -> Result:
    """Send everything from this process."""
    result = Result()
    lanes = [Lane(job, requests) for requests in job.lanes if requests]
    by_number = {lane.socket.fileno(): lane for lane in lanes}
    poll = select.epoll()
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    gc.disable()
    begin = time.perf_counter()
    for lane in lanes:
        lane.start()
    active = len(lanes)
    while active:
        for number, _ in poll.poll():
            lane = by_number[number]
            answer = lane.receive()
            if answer is None:
                continue
            _note(job, result, lane, answer)
            if lane.closed:
                poll.unregister(number)
                lane.connect_again()
                by_number[lane.socket.fileno()] = lane
                poll.register(lane.socket.fileno(), select.EPOLLIN)
            if lane.waiting:
                lane.start()
            else:
                active -= 1
                poll.unregister(lane.socket.fileno())
    result.seconds = time.perf_counter() - begin
    gc.enable()
    poll.close()
    for lane in lanes:
        lane.socket.close()
    result.runs = [lane.runs for lane in lanes]
    result.acknowledged = [lane.acknowledged for lane in lanes]
    return result


def _note(job: Job, result: Result, lane: Lane, answer: bytes) -> None:
    result.latencies.append(time.perf_counter() - lane.begun)
    if not answer.startswith(b"HTTP/1.1 200"):
        result.failures.append(answer[:600].decode(errors="replace"))
        return
    lane.acknowledged.append(lane.sent - 1)
    if len(answer) < 5_000 and (created := _CREATED.search(answer)):
        lane.runs.append(created[1].decode())
    if job.keep:
        result.bodies.append(body_of(answer))
    if job.follow and (token := _NEXT.search(answer, max(0, len(answer) - 10_000)) or _NEXT.search(answer)):
        body = lane.template.body[:-1] + b', "page_token": "' + token[1] + b'"}'
        lane.waiting.append(Request(lane.template.method, lane.template.path, body).encoded())


def body_of(answer: bytes) -> bytes:
    """The body of an answer, put together where it came in chunks."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" not in head.lower():
        return body
    parts = []
    while body:
        size, _, body = body.partition(b"\r\n")
        parts.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return b"".join(parts)


if __name__ == "__main__":
    # Unpickled by the name under which `send` knows the classes.
    from benchmarks import load

    sys.stdout.buffer.write(pickle.dumps(load.run(pickle.load(sys.stdin.buffer))))
