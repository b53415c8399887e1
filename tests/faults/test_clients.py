"""Clients that go away in the middle of a request, or never read: what they sent is stored whole or not at all."""

import json
import random
import socket
import struct
from urllib.parse import urlsplit

import pytest

from tests.faults.ledger import Batch, Ledger
from tests.faults.load import Writer, make_runs
from tests.faults.look import faults
from tests.support.server import RunningServer
from tests.support.wire import API, Client

CUTS = 60
PIPELINED = 40


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def reset(conn: socket.socket) -> None:
    """Close it as a process that dies does: what the server sends afterwards is refused."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def large_batch(writer: Writer) -> Batch:
    """The writer's next batch that has points, params and tags."""
    while True:
        batch = writer.next()
        if batch.points and batch.params and batch.tags:
            return batch


def raw(batch: Batch, chunked: bool) -> bytes:
    """The request as bytes, its body in one piece or in chunks of some bytes each."""
    path, body = batch.request()
    data = json.dumps(body).encode()
    head = f"POST {API}/runs/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    if not chunked:
        return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data
    parts = [data[start : start + 200] for start in range(0, len(data), 200)]
    chunks = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n"


def is_served(url: str, run_id: str) -> bool:
    """Whether another client can write and read. Its write comes after all that the server has taken before."""
    client = Client(url)
    written = client.post("/runs/set-tag", {"run_id": run_id, "key": "mlflow.note", "value": "x"})[0]
    read = client.get(f"/runs/get?run_id={run_id}")[0]
    client.close()
    return (written, read) == (200, 200)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_half_a_request_stores_nothing(shared_server: RunningServer, chunked: bool) -> None:
    """The connection breaks somewhere in the request, at the latest before its last byte."""
    run_ids = make_runs(shared_server.url, 2)
    # What was cut must not be there at all: this ledger knows of none of it.
    cut, kept = Writer(0, 2, Ledger(), run_ids), Ledger()
    generator = random.Random(1)
    for number in range(CUTS):
        data = raw(large_batch(cut), chunked)
        conn = connect(shared_server.url)
        conn.sendall(data[: len(data) - 1 if number == 0 else generator.randrange(1, len(data))])
        reset(conn) if number % 2 else conn.close()
    for run_id in run_ids:
        kept.sent(Batch(run_id))
        assert is_served(shared_server.url, run_id)
    assert faults(shared_server.url, shared_server.database_uri, kept) == []


def test_a_client_that_goes_before_the_answer_has_stored_all_or_nothing(shared_server: RunningServer) -> None:
    ledger = Ledger()
    run_ids = make_runs(shared_server.url, 2)
    writer = Writer(0, 1, ledger, run_ids)
    for number in range(CUTS):
        conn = connect(shared_server.url)
        conn.sendall(raw(large_batch(writer), chunked=False))
        reset(conn) if number % 2 else conn.close()
    assert all(is_served(shared_server.url, run_id) for run_id in run_ids)
    assert faults(shared_server.url, shared_server.database_uri, ledger) == []


def test_a_client_that_reads_no_answer_loses_nothing_and_hinders_nobody(shared_server: RunningServer) -> None:
    """It sends request after request on one connection; only then does it look at what was acknowledged."""
    ledger = Ledger()
    (run_id,) = make_runs(shared_server.url, 1)
    writer = Writer(0, 1, ledger, [run_id])
    with connect(shared_server.url) as conn:
        batches = [large_batch(writer) for _ in range(PIPELINED)]
        for batch in batches:
            conn.sendall(raw(batch, chunked=False))
        assert is_served(shared_server.url, run_id)
        conn.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: conn.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 ") == answers.count(b"HTTP/1.1 200 OK")
    # They are answered in order, so the first so many are acknowledged.
    for batch in batches[: answers.count(b"HTTP/1.1 200 OK")]:
        ledger.answered(batch)
    assert faults(shared_server.url, shared_server.database_uri, ledger) == []
