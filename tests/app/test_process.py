"""The gate of a real server process, started as a user starts it."""

import json
import socket

import httpx

from tests.app.live import WAIT_SECONDS, Answer, is_closed, read_answer
from tests.support.server import RunningServer

CREATE = "/api/2.0/mlflow/experiments/create"


def send(server: RunningServer, data: bytes, method: str = "GET") -> Answer:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as conn:
        conn.sendall(data)
        return read_answer(conn, method)


def test_the_gate_and_the_limits_are_in_place(shared_server: RunningServer) -> None:
    own = b"Host: 127.0.0.1:%d\r\n" % shared_server.port
    assert send(shared_server, b"GET / HTTP/1.1\r\n" + own + b"\r\n").status == 200
    assert send(shared_server, b"GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n").status == 403
    assert send(shared_server, b"GET / HTTP/1.1\r\n\r\n").status == 400
    assert send(shared_server, b"GET http://evil.com/ HTTP/1.1\r\n" + own + b"\r\n").status == 400
    assert send(shared_server, b"GET / HTTP/1.1\r\n" + own + b"X: " + b"a" * 65536 + b"\r\n\r\n").status == 431
    assert send(shared_server, b"GET / HTTP/1.1\r\n" + own + b"X-Forwarded-For: 1.2.3.4\r\n\r\n").status == 403
    post = b"POST " + CREATE.encode() + b" HTTP/1.1\r\n" + own + b"Content-Type: application/json\r\n"
    assert send(shared_server, post + b"Content-Length: 20971521\r\n\r\n").status == 413
    assert send(shared_server, post + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}").status == 415
    assert send(shared_server, post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n").status == 400
    answer = send(shared_server, post + b"Origin: http://evil.com\r\nContent-Length: 2\r\n\r\n{}")
    assert (answer.status, answer.header("server")) == (403, None)


def test_a_request_under_way_is_finished_before_the_server_stops(server: RunningServer) -> None:
    body = json.dumps({"name": "written while stopping"}).encode()
    head = f"POST {CREATE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as conn:
        conn.sendall(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        # The server asks for the body once the request has reached its endpoint.
        assert conn.recv(65536).startswith(b"HTTP/1.1 100 ")
        assert server.process is not None
        server.process.terminate()
        conn.sendall(body)
        assert read_answer(conn, "POST").status == 200
        assert is_closed(conn)
    assert server.stop() == 0
    server.start()
    arguments = {"experiment_name": "written while stopping"}
    answer = httpx.get(f"{server.url}/api/2.0/mlflow/experiments/get-by-name", params=arguments)
    assert answer.json()["experiment"]["lifecycle_stage"] == "active"
