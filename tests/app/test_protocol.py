"""Bytes that no honest client sends, and clients that are too slow, on a real socket."""

import socket
import time
from collections.abc import Callable

import pytest

from minleaf_server.app.protocol import GuardedProtocol
from tests.app.dummy import LARGE, Dummy
from tests.app.live import WAIT_SECONDS, Live, is_closed, read_answer

HOST = b"Host: localhost\r\n"
POST = b"POST /api/2.0/mlflow/thing HTTP/1.1\r\n" + HOST
SMUGGLED = b"GET /thing HTTP/1.1\r\nHost: localhost\r\n\r\n"

AMBIGUOUS = {
    "length and chunks": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 40\r\n\r\nabc" + SMUGGLED,
    "the same length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -3\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +3\r\n\r\nabc",
    "a length in hexadecimal": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "an unknown encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked and then another": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "another and then chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked in a second header": POST + b"Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 3\r\n\r\nabc",
    "a folded header": POST + b"X-Fold: a\r\n b\r\n\r\n",
    "a folded encoding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": POST.replace(b"\r\n", b"\n") + b"\n",
    "a bare line feed in a header": POST + b"X-A: b\nX-C: d\r\n\r\n",
    "a bare carriage return": POST + b"X-A: b\rX-C: d\r\n\r\n",
    "NUL in a header": POST + b"X-A: a\x00b\r\n\r\n",
    "NUL in a header's name": POST + b"X\x00A: b\r\n\r\n",
    "NUL in the target": b"GET /a\x00b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /thing\r\n" + HOST + b"\r\n",
    "another version": b"GET /thing HTTP/9.9\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT /thing HTTP/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a header without a colon": b"GET /thing HTTP/1.1\r\nHost localhost\r\n\r\n",
    "an empty header name": POST + b": x\r\n\r\n",
    "a bad chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
    "a chunk size with a line feed alone": POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    "a chunk longer than its size": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\n",
}


class Hasty(GuardedProtocol):
    """The same deadlines, sooner."""

    head_timeout = body_timeout = write_timeout = 0.3


class Patient(Hasty):
    """With some time for an answer to be read."""

    write_timeout = 3.0


@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(data: bytes) -> None:
    dummy = Dummy()
    with dummy.live() as live, live.connect() as conn:
        conn.sendall(data)
        assert read_answer(conn).status == 400
        assert is_closed(conn)
    assert dummy.bodies == []
    assert not any("GET /thing" in call for call in dummy.calls)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (POST + b"X-Long: " + b"a" * 65536 + b"\r\n\r\n", 431),
        (POST + b"".join(b"X-%d: a\r\n" % number for number in range(10_000)) + b"\r\n", 431),
        (POST + b"".join(b"X-%d: a\r\n" % number for number in range(200)) + b"\r\n", 431),
        (b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (POST + b"X-" + b"a" * 65536 + b": b\r\n\r\n", 431),
    ],
    ids=["a long header", "very many headers", "many headers", "a long target", "a long name"],
)
def test_a_large_head_is_refused(head: bytes, status: int) -> None:
    dummy = Dummy()
    with dummy.live() as live, live.connect() as conn:
        conn.sendall(head)
        assert read_answer(conn).status == status
        assert is_closed(conn)
    assert dummy.calls == []


def test_a_header_without_end_is_refused() -> None:
    with Dummy().live() as live, live.connect() as conn:
        conn.sendall(POST + b"X-Long: ")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):  # noqa: PT012
            for _ in range(10_000):
                conn.sendall(b"a" * 65536)


def test_a_head_of_common_size_passes() -> None:
    with Dummy().live() as live:
        answer = live.request("GET", "/thing?" + "run=0123456789abcdef0123456789abcdef&" * 400, "Cookie: " + "a" * 8000)
        assert answer.status == 200


@pytest.mark.parametrize(
    "start", [b"", b"\r\n", b"GET /thing HT", POST, POST + b"X-Long: aaaa"], ids=["nothing", "line", "r", "h", "value"]
)
def test_a_slow_head_ends_the_connection(start: bytes) -> None:
    dummy = Dummy()
    with hasty(dummy) as live, live.connect() as conn:
        conn.sendall(start)
        assert is_closed(conn)
    assert dummy.calls == []


def test_a_head_that_drips_ends_the_connection() -> None:
    dummy = Dummy()
    with hasty(dummy) as live, live.connect() as conn:
        conn.sendall(POST + b"X-Long: ")
        with pytest.raises(OSError, match=r"reset|Broken pipe"):  # noqa: PT012
            while True:
                conn.sendall(b"a")
                time.sleep(0.05)
    assert dummy.calls == []


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        (b"Content-Length: 10\r\n\r\nhalf", 0),
        (b"Content-Length: 100000\r\n\r\nhalf", 1),
        (b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 1),
    ],
)
def test_a_slow_body_ends_the_connection(kind: bytes, calls: int) -> None:
    dummy = Dummy()
    with hasty(dummy) as live, live.connect() as conn:
        conn.sendall(POST + kind)
        assert is_closed(conn)
    assert len(dummy.calls) == calls
    assert dummy.bodies == []


def test_the_body_of_a_refused_request_may_not_drip_for_ever() -> None:
    with hasty(Dummy()) as live, live.connect() as conn:
        conn.sendall(POST + b"Content-Length: 1000000000\r\n\r\n")
        assert read_answer(conn, "POST").status == 413
        conn.sendall(b"x")
        assert is_closed(conn)


def test_a_client_that_does_not_read_ends_the_connection() -> None:
    with hasty(Dummy()) as live, live.connect() as conn:
        conn.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connections = live.server.server_state.connections
        wait_until(lambda: len(connections) == 1)
        wait_until(lambda: len(connections) == 0)


def test_a_client_that_reads_slowly_gets_all() -> None:
    # It takes longer than the time for which an idle connection is kept.
    with Dummy().live(Patient) as live, live.connect() as conn:
        conn.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = 0
        while received < LARGE:
            time.sleep(0.1)
            part = conn.recv(LARGE // 80, socket.MSG_WAITALL)
            assert part, received
            received += len(part)


def test_an_idle_connection_between_two_requests_is_left_to_its_own_limit() -> None:
    with hasty(Dummy()) as live, live.connect() as conn:
        for _ in range(2):
            conn.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_answer(conn).status == 200
            time.sleep(3 * Hasty.head_timeout)


def test_a_body_that_keeps_coming_is_not_too_slow() -> None:
    dummy = Dummy()
    with hasty(dummy) as live, live.connect() as conn:
        conn.sendall(POST + b"Content-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(Hasty.body_timeout / 3)
            conn.sendall(b"x")
        assert read_answer(conn, "POST").status == 200
    assert dummy.bodies == [b"x" * 10]


def test_requests_sent_at_once_are_answered_in_order() -> None:
    dummy = Dummy()
    with dummy.live() as live, live.connect() as conn:
        conn.sendall(POST + b"Content-Length: 3\r\n\r\nabc" + POST + b"Content-Length: 2\r\n\r\nde")
        with conn.makefile("rb") as lines:
            assert lines.readline() == b"HTTP/1.1 200 OK\r\n"
            while b"done" not in (line := lines.readline()):
                assert line
            assert b"HTTP/1.1 200 OK" in line
    assert dummy.bodies == [b"abc", b"de"]


def test_many_slow_clients_do_not_hinder_another() -> None:
    with Dummy().live() as live:
        slow = [live.connect() for _ in range(300)]
        try:
            for conn in slow:
                conn.sendall(POST + b"Content-Length: 10\r\n\r\nhalf")
            assert live.request("GET", "/health").status == 200
        finally:
            for conn in slow:
                conn.close()


def wait_until(holds: Callable[[], bool]) -> None:
    """Returns once it holds. Fails where it does not within some time."""
    end = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def hasty(dummy: Dummy) -> Live:
    """The dummy application with short deadlines."""
    return dummy.live(Hasty)
