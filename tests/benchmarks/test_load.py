"""The load generator against a server that answers as it is told."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from benchmarks.load import RUN, Job, Request, body_of, run

Answers = Callable[..., int]
RUN_ID = "0123456789abcdef" * 2


@pytest.fixture
def answering() -> Iterator[tuple[Answers, list[bytes]]]:
    """A function that takes the answers, each as the segments it is sent in, and gives the port; and what was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(answers: list[list[bytes]]) -> None:
        conn, _ = listener.accept()
        with conn:
            for answer in answers:
                asked.append(conn.recv(65536))
                for segment in answer:
                    conn.sendall(segment)
            assert conn.recv(1) == b""

    def start(*answers: list[bytes]) -> int:
        threads.append(threading.Thread(target=serve, args=(list(answers),)))
        threads[-1].start()
        port: int = listener.getsockname()[1]
        return port

    yield start, asked
    listener.close()
    for thread in threads:
        thread.join(10)


def whole(body: bytes, status: str = "200 OK") -> list[bytes]:
    return [b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status.encode(), len(body)), body]


def test_only_answers_of_200_are_acknowledged(answering: tuple[Answers, list[bytes]]) -> None:
    start, _ = answering
    requests = [Request("GET", f"/{number}") for number in range(3)]
    port = start(whole(b"{}"), whole(b"no", "503 Service Unavailable"), whole(b"{}"))
    result = run(Job(port, [requests]))
    assert result.acknowledged == [[0, 2]]
    assert len(result.latencies) == 3
    assert len(result.failures) == 1
    assert "503" in result.failures[0]


def test_the_run_that_was_created_stands_in_the_requests_that_follow(answering: tuple[Answers, list[bytes]]) -> None:
    start, asked = answering
    created = b'{"run": {"info": {"run_id": "%s"}}}' % RUN_ID.encode()
    port = start(whole(created), whole(b"{}"))
    lane = [Request("POST", "/create", b"{}"), Request("POST", "/log", b'{"run_id": "%s"}' % RUN.encode())]
    assert run(Job(port, [lane])).runs == [[RUN_ID]]
    assert RUN_ID.encode() in asked[1]


def test_pages_are_followed_to_the_last(answering: tuple[Answers, list[bytes]]) -> None:
    start, asked = answering
    port = start(whole(b'{"next_page_token": "two"}'), whole(b'{"next_page_token": "three"}'), whole(b"{}"))
    result = run(Job(port, [[Request("POST", "/search", b'{"a": 1}')]], follow=True, keep=True))
    assert len(result.bodies) == 3
    assert [request.rpartition(b"\r\n")[2] for request in asked] == [
        b'{"a": 1}',
        b'{"a": 1, "page_token": "two"}',
        b'{"a": 1, "page_token": "three"}',
    ]


def test_an_answer_in_chunks_is_put_together(answering: tuple[Answers, list[bytes]]) -> None:
    start, _ = answering
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    port = start([head, b"5\r\n[0, 1\r\n", b"1\r\n]\r\n0\r\n\r\n"])
    assert run(Job(port, [[Request("GET", "/")]], keep=True)).bodies == [b"[0, 1]"]
    assert body_of(b"HTTP/1.1 200 OK\r\n\r\nas it is") == b"as it is"
