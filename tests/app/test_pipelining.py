"""Several requests on one connection, sent without waiting, and how an answer leaves the server."""

import asyncio
import socket
from asyncio.transports import BaseTransport
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pytest
from starlette.types import Receive, Scope, Send

from minleaf_server.app.gate import Gate
from minleaf_server.app.protocol import HELD_MAX, GuardedProtocol
from minleaf_server.config import Settings
from minleaf_server.web.body import read_body
from tests.app.dummy import LARGE, Dummy
from tests.app.live import Live, is_closed, read_answer
from tests.app.test_protocol import wait_until

HOST = b"Host: localhost\r\n"
BAD_HEAD = b"GET /bad HTTP/1.1\r\nHost localhost\r\n\r\n"
BAD_BODY = b"POST /bad HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"


@dataclass
class Echo:
    """Answers each request with its path and its body; the later it comes the sooner, and `/slow` when it is told to.

    `begun` are the paths in the order in which the application was called.
    """

    begun: list[str] = field(default_factory=list)
    may_end: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])
        body = scope["path"].encode() + b" " + await read_body(receive, 2**30)
        while scope["path"] == "/slow" and not self.may_end:  # noqa: ASYNC110  it is set in another thread
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05 / len(self.begun))
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def live(self) -> Live:
        """The application on a real socket, without the gate."""
        return Live(lambda _: self)


class Counted:
    """A transport that counts its writes, of whatever size."""

    def __init__(self, transport: BaseTransport) -> None:
        self._transport: Any = transport
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("write", "writelines"):
            self.writes += 1
        return getattr(self._transport, name)


class Observed(GuardedProtocol):
    """Remembers the transports of all connections."""

    transports: list[Counted]

    def connection_made(self, transport: BaseTransport) -> None:
        counted: Any = Counted(transport)
        self.transports.append(counted)
        super().connection_made(counted)


@pytest.fixture
def observed() -> type[Observed]:
    return type("Observed", (Observed,), {"transports": []})


def get(path: str) -> bytes:
    """A request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A request with a body."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def next_answer(stream: BinaryIO) -> tuple[int, bytes]:
    """Status and body of the next of several answers. Fails where there is none."""
    line = stream.readline()
    assert line.startswith(b"HTTP/1.1 "), line
    length = 0
    while (header := stream.readline()) != b"\r\n":
        if header.lower().startswith(b"content-length:"):
            length = int(header.partition(b":")[2])
    return int(line.split()[1]), stream.read(length)


def exchange(live: Live, data: bytes, count: int) -> list[tuple[int, bytes]]:
    """Send all at once and read so many answers."""
    with live.connect() as conn, conn.makefile("rb") as stream:
        conn.sendall(data)
        return [next_answer(stream) for _ in range(count)]


class TestPipelining:
    def test_requests_in_one_packet_are_all_answered_in_order(self) -> None:
        requests = [post(f"/{n}", b"x" * n) if n % 2 else get(f"/{n}") for n in range(60)]
        with Echo().live() as live:
            answers = exchange(live, b"".join(requests), len(requests))
        assert answers == [(200, f"/{n} {'x' * n if n % 2 else ''}".encode()) for n in range(60)]

    def test_requests_cut_anywhere_are_all_answered_in_order(self) -> None:
        data = b"".join(post(f"/{n}", b"%d" % n) for n in range(4))
        with Echo().live() as live:
            for size in (1, 7, 50, 100):
                with live.connect() as conn, conn.makefile("rb") as stream:
                    for start in range(0, len(data), size):
                        conn.sendall(data[start : start + size])
                    assert [next_answer(stream) for _ in range(4)] == [(200, f"/{n} {n}".encode()) for n in range(4)]

    def test_large_bodies_one_after_the_other(self) -> None:
        bodies = [bytes([65 + n]) * (n * HELD_MAX + n) for n in range(4)]
        with Echo().live() as live:
            answers = exchange(live, b"".join(post(f"/{n}", body) for n, body in enumerate(bodies)), 4)
        assert answers == [(200, f"/{n} ".encode() + body) for n, body in enumerate(bodies)]

    def test_one_begins_when_the_one_before_is_answered(self) -> None:
        echo = Echo()
        with echo.live() as live, live.connect() as conn, conn.makefile("rb") as stream:
            conn.sendall(get("/slow") + get("/next"))
            wait_until(lambda: echo.begun == ["/slow"])
            conn.sendall(get("/last"))
            assert live.request("GET", "/other").status == 200
            assert echo.begun == ["/slow", "/other"]
            echo.may_end = True
            assert [next_answer(stream)[1] for _ in range(3)] == [b"/slow ", b"/next ", b"/last "]

    @pytest.mark.parametrize("bad", [BAD_HEAD, BAD_BODY])
    def test_what_stands_before_a_bad_request_is_answered_first(self, bad: bytes) -> None:
        echo = Echo()
        with echo.live() as live, live.connect() as conn, conn.makefile("rb") as stream:
            conn.sendall(post("/1", b"a") + get("/2") + bad + get("/never"))
            assert [next_answer(stream) for _ in range(3)] == [(200, b"/1 a"), (200, b"/2 "), (400, b"Bad Request\n")]
            assert is_closed(conn)
        assert echo.begun == ["/1", "/2"]

    def test_a_bad_request_waits_for_a_slow_one_before_it(self) -> None:
        echo = Echo()
        with echo.live() as live, live.connect() as conn, conn.makefile("rb") as stream:
            conn.sendall(get("/slow"))
            wait_until(lambda: echo.begun == ["/slow"])
            conn.sendall(BAD_HEAD)
            conn.sendall(get("/never"))
            echo.may_end = True
            assert next_answer(stream) == (200, b"/slow ")
            assert next_answer(stream)[0] == 400
            assert is_closed(conn)
        assert echo.begun == ["/slow"]

    def test_nothing_is_done_behind_a_request_that_closes(self) -> None:
        echo = Echo()
        with echo.live() as live, live.connect() as conn, conn.makefile("rb") as stream:
            conn.sendall(get("/1") + post("/2", b"b", "Connection: close") + get("/never"))
            assert [next_answer(stream) for _ in range(2)] == [(200, b"/1 "), (200, b"/2 b")]
            assert stream.read() == b""
        assert echo.begun == ["/1", "/2"]

    @pytest.mark.parametrize("name", ["h2c", "websocket"])
    def test_an_offer_of_another_protocol_is_passed_over(self, name: str) -> None:
        # As Java's client sends it with its first request. Nothing of the body is a request.
        offer = post("/1", get("/never"), "Connection: Upgrade, HTTP2-Settings", f"Upgrade: {name}")
        last = post("/3", b"c", "Connection: close, Upgrade", f"Upgrade: {name}")
        echo = Echo()
        with echo.live() as live:
            assert [body for _, body in exchange(live, offer + get("/2") + offer + last, 4)] == [
                b"/1 " + get("/never"),
                b"/2 ",
                b"/1 " + get("/never"),
                b"/3 c",
            ]
        assert echo.begun == ["/1", "/2", "/1", "/3"]


class TestBodies:
    def test_the_application_begins_when_a_short_body_is_there(self) -> None:
        echo = Echo()
        with echo.live() as live, live.connect() as conn:
            request = post("/short", b"x" * 10)
            conn.sendall(request[:-1])
            assert live.request("GET", "/other").status == 200
            assert echo.begun == ["/other"]
            conn.sendall(request[-1:])
            assert read_answer(conn, "POST").body == b"/short xxxxxxxxxx"

    def test_the_application_begins_before_a_long_body_is_there(self) -> None:
        echo = Echo()
        with echo.live() as live, live.connect() as conn:
            request = post("/long", b"x" * (HELD_MAX + 1))
            conn.sendall(request[:100])
            wait_until(lambda: echo.begun == ["/long"])
            conn.sendall(request[100:])
            assert len(read_answer(conn, "POST").body) == len("/long ") + HELD_MAX + 1

    def test_who_asks_whether_to_send_a_body_is_told_to(self) -> None:
        with Echo().live() as live, live.connect() as conn:
            request = post("/1", b"abc", "Expect: 100-continue")
            conn.sendall(request[:-3])
            assert conn.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            conn.sendall(request[-3:])
            assert read_answer(conn, "POST").body == b"/1 abc"


class TestAnswers:
    def test_no_socket_waits_for_an_acknowledgement_before_it_sends_more(self, observed: type[Observed]) -> None:
        with Dummy().live(observed) as live:
            for _ in range(3):
                with live.connect() as conn:
                    conn.sendall(get("/health"))
                    assert read_answer(conn).status == 200
                    own = observed.transports[-1].get_extra_info("socket")
                    assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert len(observed.transports) == 3

    @pytest.mark.parametrize(
        "request_", [get("/health"), get("/nothing"), get("/large"), get("/bad%"), post("/thing", b"x" * 1000)]
    )
    def test_head_and_body_of_an_answer_leave_at_once(self, observed: type[Observed], request_: bytes) -> None:
        with Dummy().live(observed) as live, live.connect() as conn:
            for count in (1, 2, 3):
                conn.sendall(request_)
                answer = read_answer(conn)
                assert len(answer.body) == (
                    LARGE if b"/large" in request_ else int(answer.header("content-length") or 0)
                )
                assert observed.transports[0].writes == count

    def test_an_answer_that_is_no_http_is_an_error_and_nothing_of_it_is_sent(self) -> None:
        async def splits_its_answer(scope: Scope, receive: Receive, send: Send) -> None:
            headers = [(b"x-name", b"a\r\nSet-Cookie: b")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})

        with Live(lambda _: splits_its_answer) as live:
            answer = live.request("GET", "/")
        assert answer.status == 500
        assert answer.header("set-cookie") is None


def test_what_is_sent_in_parts_ends_when_the_client_goes(caplog: pytest.LogCaptureFixture) -> None:
    ended: list[BaseException] = []

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
                await asyncio.sleep(0)
        except Exception as error:
            ended.append(error)
            raise

    with Live(lambda _: Gate(endless, Settings(port=0))) as live:
        with live.connect() as conn:
            conn.sendall(get("/"))
            assert conn.recv(10_000)
        wait_until(lambda: bool(ended))
        wait_until(lambda: not live.server.server_state.tasks)
    assert isinstance(ended[0], OSError)
    assert caplog.records == []
