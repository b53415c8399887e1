"""Faults between the client and the server, made with a real socket."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

import minleaf
from minleaf import MinleafClient
from minleaf._settings import Endpoint
from minleaf._transport import Transport
from minleaf.exceptions import (
    AlreadyExists,
    ConfigurationError,
    ConnectionFailed,
    InvalidParameter,
    NotFound,
    PermissionDenied,
    RestException,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)
from tests.support.scripted_server import HANG_UP, ScriptedServer, answer
from tests.support.server import free_port

OK = answer(200, {"done": True})
BUSY = answer(503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "busy"}, Retry_After="0")
SLOWER = answer(429, {"message": "slower"})
NOT_FOUND_PAGE = answer(404, "<html>", "text/html")
HTML = answer(200, "<html>Please sign in</html>", "text/html")


@contextmanager
def transport(url: str, authorization: str | None = None, tries: int = 3) -> Iterator[Transport]:
    made = Transport(Endpoint(url, authorization), tries=tries, first_wait=0.01)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_nobody_there_says_where_and_what_to_do(host: str) -> None:
    port = free_port()
    with transport(f"http://{host}:{port}") as to, pytest.raises(ConnectionFailed) as caught:
        to.json("POST", "/x", body={}, repeatable=False)
    assert f"http://{host}:{port}" in caught.value.message
    assert "tried 3 times" in caught.value.message
    assert "minleaf ui" in caught.value.message


def test_a_connection_never_made_is_tried_again_even_for_what_must_not_happen_twice() -> None:
    port = free_port()
    with transport(f"http://127.0.0.1:{port}", tries=12) as to:

        def open_later() -> None:
            listener = socket.create_server(("127.0.0.1", port))
            with listener:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(OK)

        timer = threading.Timer(0.1, open_later)
        timer.start()
        assert to.json("POST", "/x", body={}, repeatable=False) == {"done": True}
        timer.join()


@pytest.mark.parametrize(
    "first", [BUSY, answer(429, {"message": "slower"}), answer(502, "<html>", "text/html"), HANG_UP]
)
def test_a_passing_fault_is_tried_again(first: bytes) -> None:
    with ScriptedServer([first, OK]) as server, transport(server.url) as to:
        assert to.json("POST", "/x", body={"a": 1}) == {"done": True}
        assert [request.body for request in server.requests] == [b'{"a":1}'] * 2


@pytest.mark.parametrize("first", [BUSY, SLOWER])
def test_what_must_not_happen_twice_is_tried_again_after_a_refusal(first: bytes) -> None:
    with ScriptedServer([first, OK]) as server, transport(server.url) as to:
        assert to.json("POST", "/x", body={}, repeatable=False) == {"done": True}


@pytest.mark.parametrize(("first", "error"), [(HANG_UP, ConnectionFailed), (answer(504, "late"), Unavailable)])
def test_what_must_not_happen_twice_is_not_tried_again_when_in_doubt(first: bytes, error: type[Exception]) -> None:
    with ScriptedServer([first, OK]) as server, transport(server.url) as to:
        with pytest.raises(error):
            to.json("POST", "/x", body={}, repeatable=False)
        assert len(server.requests) == 1


def test_attempts_are_bounded() -> None:
    with ScriptedServer([BUSY]) as server, transport(server.url) as to:
        with pytest.raises(Unavailable, match="busy") as caught:
            to.json("GET", "/x")
        assert caught.value.status == 503
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "wait", ["3600", format_datetime(datetime.now(UTC) + timedelta(hours=1))], ids=["seconds", "date"]
)
def test_a_wait_that_is_too_long_is_not_waited_out(wait: str) -> None:
    asked = answer(503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "at night"}, Retry_After=wait)
    with ScriptedServer([asked, OK]) as server, transport(server.url) as to:
        with pytest.raises(Unavailable):
            to.json("GET", "/x")
        assert len(server.requests) == 1


@pytest.mark.parametrize("wait", ["soon", "-1", "Mon, 99 Foo"])
def test_a_retry_after_that_makes_no_sense_is_left_out(wait: str) -> None:
    asked = answer(503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "x"}, Retry_After=wait)
    with ScriptedServer([asked, OK]) as server, transport(server.url) as to:
        assert to.json("GET", "/x") == {"done": True}


@pytest.mark.parametrize(
    "reply",
    [HTML, answer(200, ""), answer(200, "[1]"), answer(200, '"ok"'), answer(204, ""), answer(302, ""), NOT_FOUND_PAGE],
)
def test_what_is_no_answer_of_a_tracking_server_acknowledges_nothing(reply: bytes) -> None:
    with ScriptedServer([reply]) as server, transport(server.url) as to:
        with pytest.raises(UnexpectedAnswer, match="check the tracking URI"):
            to.json("POST", "/x", body={})
        assert len(server.requests) == 1


def test_html_is_no_version() -> None:
    with ScriptedServer([HTML]) as server, transport(server.url) as to, pytest.raises(UnexpectedAnswer):
        to.text("/version")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leaves_the_origin(status: int) -> None:
    with ScriptedServer([OK]) as other:
        away = answer(status, "", Location=f"{other.url}/x")
        with ScriptedServer([away]) as server, transport(server.url, "Bearer secret") as to:
            with pytest.raises(UnexpectedAnswer, match="redirects to") as caught:
                to.json("GET", "/x")
            assert other.url in caught.value.message
        assert other.requests == []


def test_a_redirect_within_the_origin_is_followed() -> None:
    with ScriptedServer([answer(308, "", Location="/y/?z=1"), OK]) as server, transport(server.url, "Bearer s") as to:
        assert to.json("POST", "/x", body={"a": 1}) == {"done": True}
        assert server.requests[1].line == "POST /y/?z=1 HTTP/1.1"
        assert server.requests[1].body == b'{"a":1}'
        assert server.requests[1].headers["authorization"] == "Bearer s"


def test_a_redirect_that_would_turn_a_write_into_a_read_is_refused() -> None:
    with ScriptedServer([answer(302, "", Location="/y"), OK]) as server, transport(server.url) as to:
        with pytest.raises(UnexpectedAnswer):
            to.json("POST", "/x", body={})
        assert len(server.requests) == 1


def test_redirects_in_a_circle_end() -> None:
    with ScriptedServer([answer(307, "", Location="/x")]) as server, transport(server.url) as to:
        with pytest.raises(UnexpectedAnswer, match="more than 3 times"):
            to.json("GET", "/x")
        assert len(server.requests) == 5


def test_a_path_in_the_address_and_the_credentials_are_sent() -> None:
    with ScriptedServer([OK]) as server, transport(f"{server.url}/team", "Basic abc") as to:
        to.json("GET", "/api/x", params={"run_ids": ["a", "b"], "key": "a&b"})
        assert server.requests[0].line == "GET /team/api/x?run_ids=a&run_ids=b&key=a%26b HTTP/1.1"
        assert server.requests[0].headers["authorization"] == "Basic abc"


def test_a_deletion_whose_answer_was_lost_is_done() -> None:
    gone = answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No tag"})
    with ScriptedServer([HANG_UP, gone]) as server, transport(server.url) as to:
        assert to.json("POST", "/x", body={}, gone_is_done=True) == {}
    with ScriptedServer([gone]) as server, transport(server.url) as to, pytest.raises(NotFound):
        to.json("POST", "/x", body={}, gone_is_done=True)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "INVALID_PARAMETER_VALUE", InvalidParameter),
        (404, "RESOURCE_DOES_NOT_EXIST", NotFound),
        (400, "RESOURCE_ALREADY_EXISTS", AlreadyExists),
        (403, "PERMISSION_DENIED", PermissionDenied),
        (401, "UNAUTHENTICATED", Unauthenticated),
        (418, "SOMETHING_NEW", RestException),
    ],
)
def test_an_error_becomes_its_exception(status: int, code: str, kind: type[RestException]) -> None:
    reply = answer(status, {"error_code": code, "message": "because"})
    with ScriptedServer([reply]) as server, transport(server.url) as to, pytest.raises(RestException) as caught:
        to.json("GET", "/x")
    assert type(caught.value) is kind
    assert (caught.value.error_code, caught.value.status, str(caught.value)) == (code, status, "because")


def test_an_exception_survives_pickling() -> None:
    import pickle

    again = pickle.loads(pickle.dumps(NotFound("gone", "NOT_FOUND", 404)))
    assert (type(again), again.message, again.error_code, again.status) == (NotFound, "gone", "NOT_FOUND", 404)


@pytest.mark.parametrize(("asked", "least"), [({"Retry_After": "7"}, 7.0), ({}, 0.01 / 2)])
def test_the_pause_is_the_one_asked_for(asked: dict[str, str], least: float, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("minleaf._transport.time.sleep", pauses.append)
    busy = answer(503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "x"}, **asked)
    with ScriptedServer([busy, OK]) as server, transport(server.url) as to:
        assert to.json("GET", "/x") == {"done": True}
    assert len(pauses) == 1
    assert least <= pauses[0] <= least + 0.01


def test_settings_of_the_environment_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://proxy")
    with transport("http://example.invalid") as to, pytest.raises(ConfigurationError, match="proxy or certificate"):
        to.json("GET", "/x")


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ScriptedServer([OK]) as server, transport(server.url) as to:
        assert to.json("GET", "/x") == {"done": True}


@pytest.mark.parametrize("run", [None, [], {"info": {}}, {"info": {"run_id": "r"}, "data": 1}])
def test_json_of_another_program_is_no_run(run: object) -> None:
    with ScriptedServer([answer(200, {"run": run})]) as server:
        client = MinleafClient(server.url)
        with pytest.raises(UnexpectedAnswer, match="no usable 'run'"):
            client.get_run("r")


def test_half_a_surrogate_pair_is_never_sent() -> None:
    with ScriptedServer([OK]) as server:
        with pytest.raises(InvalidParameter, match="not valid Unicode"):
            MinleafClient(server.url).get_experiment_by_name("\ud800")
        assert server.requests == []


def test_the_error_of_the_block_is_not_hidden_by_a_server_that_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    info = {"run_id": "r", "experiment_id": "0", "status": "RUNNING", "start_time": 1, "lifecycle_stage": "active"}
    created = answer(200, {"run": {"info": info, "data": {}}})
    broken = answer(500, {"error_code": "INTERNAL_ERROR", "message": "disk full"})
    with ScriptedServer([created, broken]) as server:
        minleaf.set_tracking_uri(server.url)
        with pytest.raises(ZeroDivisionError), minleaf.start_run():
            print(1 / 0)
    assert "Run r could not be marked as FAILED: disk full" in caplog.text
    assert minleaf.active_run() is None
