"""Deliveries by a real courier to a real receiver: signed, repeated, bounded, and ended in order."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from minleaf_server.config import Settings, load
from minleaf_server.errors import Unavailable
from minleaf_server.webhooks import courier as module
from minleaf_server.webhooks import outcome
from minleaf_server.webhooks.courier import Courier
from minleaf_server.webhooks.subscriptions import Target
from tests.webhooks.receiver import Receiver, Reply

BODY = b'{"data": 1}'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"webhook_private_networks": "127.0.0.0/8", "webhook_schemes": "http", "data": str(tmp_path)}, {})


@pytest.fixture
def courier(settings: Settings) -> Iterator[Courier]:
    made = Courier.open(settings)
    yield made
    made.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the pause that a real receiver is given."""
    monkeypatch.setattr(outcome, "FIRST_DELAY_SECONDS", 0.01)


def said(caplog: pytest.LogCaptureFixture, text: str) -> list[dict[str, object]]:
    """What the lines of the log that begin so tell."""
    return [record.fields for record in caplog.records if record.getMessage().startswith(text)]  # type: ignore[attr-defined]


def held(release: threading.Event) -> Reply:
    """An answer that comes only when it is released."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        release.wait()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return Reply(write=write)


def wait_until(settled: object) -> None:
    end = time.monotonic() + 10
    while not settled():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_signed_delivery(courier: Courier) -> None:
    with Receiver() as receiver:
        secret = courier.vault.encrypt("whsec")
        courier.send([Target("one", receiver.url, secret), Target("two", receiver.url)], "a.b", BODY)
        signed, plain = sorted(receiver.wait_for(2), key=lambda call: len(call.headers), reverse=True)
    assert signed.is_signed_with("whsec")
    assert not signed.is_signed_with("other")
    assert "x-mlflow-signature" not in plain.headers
    for call in (signed, plain):
        assert call.body == BODY
        assert call.headers["content-type"] == "application/json"
        assert call.headers["user-agent"].startswith("Minleaf/")
        assert abs(int(call.headers["x-mlflow-timestamp"]) - time.time()) < 30
    assert signed.headers["x-mlflow-delivery-id"] != plain.headers["x-mlflow-delivery-id"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_retries_until_it_is_taken(courier: Courier, status: int) -> None:
    with Receiver(Reply(status), Reply(status), Reply()) as receiver:
        courier.send([Target("one", receiver.url, courier.vault.encrypt("whsec"))], "a.b", BODY)
        calls = receiver.wait_for(3)
        courier.close()
        assert len(receiver.received) == 3
    assert len({call.headers["x-mlflow-delivery-id"] for call in calls}) == 1
    assert all(call.is_signed_with("whsec") for call in calls)


@pytest.mark.usefixtures("quick")
def test_gives_up_after_the_retries_and_says_so(courier: Courier, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver(Reply(503)) as receiver:
        courier.send([Target("one", receiver.url)], "a.b", BODY)
        receiver.wait_for(4)
        wait_until(lambda: said(caplog, "a webhook was not delivered"))
    assert len(receiver.received) == 4
    reason = "The receiver answered with status 503."
    expected = {"webhook": "one", "event": "a.b", "calls": 4, "reason": reason}
    assert said(caplog, "a webhook was not delivered") == [expected]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("reply", [Reply(400), Reply(401), Reply(404), Reply(302, headers=(("Location", "/x"),))])
def test_what_is_not_worth_repeating(courier: Courier, reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver(reply) as receiver:
        courier.send([Target("one", receiver.url)], "a.b", BODY)
        wait_until(lambda: said(caplog, "a webhook was not delivered"))
    assert len(receiver.received) == 1


@pytest.mark.usefixtures("quick")
def test_a_receiver_that_is_down_for_a_moment(courier: Courier) -> None:
    receiver = Receiver(Reply(write=lambda handler: None), Reply())
    with receiver:
        courier.send([Target("one", receiver.url)], "a.b", BODY)
        assert len(receiver.wait_for(2)) == 2


def test_retry_after_is_waited_for(courier: Courier) -> None:
    times: list[float] = []

    def busy(handler: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        head = b"Retry-After: 1\r\n" if len(times) == 1 else b""
        status = b"429 Busy" if len(times) == 1 else b"200 OK"
        handler.wfile.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n" + head + b"\r\n")

    with Receiver(Reply(write=busy)) as receiver:
        courier.send([Target("one", receiver.url)], "a.b", BODY)
        receiver.wait_for(2)
        wait_until(lambda: len(times) == 2)
    assert times[1] - times[0] >= 1


def test_an_address_that_is_not_allowed_is_never_called(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    strict = Courier.open(load({"data": str(tmp_path)}, {}))
    with Receiver() as receiver:
        for url in (receiver.url, f"https://127.0.0.1:{receiver.port}/", f"https://localhost:{receiver.port}/"):
            strict.send([Target("one", url)], "a.b", BODY)
        wait_until(lambda: len(said(caplog, "a webhook was not delivered")) == 3)
        strict.close()
    assert receiver.connections == 0
    assert {fields["calls"] for fields in said(caplog, "a webhook was not delivered")} == {1}


def test_a_secret_that_cannot_be_read_is_not_sent_unsigned(courier: Courier, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver() as receiver:
        courier.send([Target("one", receiver.url, "gAAAAAbad")], "a.b", BODY)
        wait_until(lambda: said(caplog, "a webhook was not delivered"))
    assert receiver.connections == 0


def test_a_slow_receiver_does_not_hold_up_another(courier: Courier) -> None:
    release = threading.Event()
    with Receiver(held(release)) as slow, Receiver() as fast:
        courier.send([Target("slow", slow.url)] * 3, "a.b", BODY)
        slow.wait_for(3)
        courier.send([Target("fast", fast.url)], "a.b", BODY)
        fast.wait_for(1)
        release.set()


def test_no_more_threads_than_the_settings_say(settings: Settings, tmp_path: Path) -> None:
    made = Courier.open(load({"webhook_threads": "2", "webhook_schemes": "http", "data": str(tmp_path)}, {}))
    release = threading.Event()
    with Receiver(held(release)) as receiver:
        made.send([Target("one", receiver.url)] * 6, "a.b", BODY)
        receiver.wait_for(2)
        assert len(made._threads) == 2
        release.set()
        made.close()


def test_a_full_queue_drops_says_how_many_and_blocks_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 5)
    made = Courier.open(settings)
    release = threading.Event()
    with Receiver(held(release)) as receiver:
        for _ in range(50):
            made.send([Target("one", receiver.url)], "a.b", BODY)
        with pytest.raises(Unavailable):
            made.call(Target("one", receiver.url), "a.b", BODY)
        release.set()
        made.close()
    told = [*said(caplog, "webhooks were dropped"), *said(caplog, "webhooks were not delivered")]
    dropped = sum(int(str(fields["count"])) for fields in told)
    assert len(receiver.received) + dropped == 51
    assert len(told) == 2


def test_close_makes_the_calls_that_are_due(courier: Courier, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver() as receiver:
        courier.send([Target("one", receiver.url)] * 30, "a.b", BODY)
        courier.close()
        assert len(receiver.received) == 30
        courier.send([Target("one", receiver.url)], "a.b", BODY)
        assert len(receiver.received) == 30
    assert said(caplog, "webhooks were not delivered") == []


def test_close_gives_up_what_would_have_to_wait(courier: Courier, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver(Reply(503, headers=(("Retry-After", "300"),))) as receiver:
        courier.send([Target("one", receiver.url)], "a.b", BODY)
        receiver.wait_for(1)
        wait_until(lambda: courier._schedule._heap)
        courier.close()
    assert said(caplog, "webhooks were not delivered") == [{"count": 1}]


def test_close_does_not_wait_for_a_receiver_that_never_answers(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.2)
    made = Courier.open(settings)
    release = threading.Event()
    with Receiver(held(release)) as receiver:
        made.send([Target("one", receiver.url)], "a.b", BODY)
        receiver.wait_for(1)
        made.close()
        assert said(caplog, "webhooks were not delivered") == [{"count": 1}]
        release.set()
        for thread in made._threads:
            thread.join(10)
            assert not thread.is_alive()


def test_a_courier_that_is_not_used_has_no_threads(settings: Settings) -> None:
    before = threading.active_count()
    made = Courier.open(settings)
    made.close()
    assert threading.active_count() == before


def test_one_call_and_its_outcome(courier: Courier) -> None:
    with Receiver(Reply(418, b"no")) as receiver:
        found = courier.call(Target("one", receiver.url), "a.b", BODY).result(10)
    assert (found.status, found.body, found.problem) == (418, "no", "The receiver answered with status 418.")
    assert len(receiver.received) == 1


def test_one_call_is_not_repeated(courier: Courier) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        found = courier.call(Target("one", url), "a.b", BODY).result(10)
    assert found.status == 0
    assert "cannot be reached" in found.problem


def test_a_call_that_nobody_waits_for_any_more_is_not_made(settings: Settings, tmp_path: Path) -> None:
    made = Courier.open(load({"webhook_threads": "1", "webhook_schemes": "http", "data": str(tmp_path)}, {}))
    release = threading.Event()
    with Receiver(held(release), Reply()) as receiver:
        made.send([Target("one", receiver.url)], "a.b", BODY)
        receiver.wait_for(1)
        assert made.call(Target("two", receiver.url), "a.b", b"gone").cancel()
        kept = made.call(Target("three", receiver.url), "a.b", b"kept")
        release.set()
        kept.result(10)
        made.close()
    assert [call.body for call in receiver.received] == [BODY, b"kept"]


def test_a_fault_of_ours_does_not_end_the_thread(
    courier: Courier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver() as receiver, monkeypatch.context() as patch:
        patch.setattr(courier.vault, "decrypt", lambda stored: 1 / 0)
        found = courier.call(Target("one", receiver.url, "x"), "a.b", BODY).result(10)
        assert found.problem.startswith("The server failed")
        assert courier.call(Target("one", receiver.url), "a.b", BODY).result(10).problem == ""
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_logs_hold_no_secret_and_no_url(courier: Courier, caplog: pytest.LogCaptureFixture) -> None:
    """The path of a URL is often a secret itself."""
    caplog.set_level(logging.DEBUG, logger="minleaf_server")
    with Receiver(Reply(404)) as receiver:
        stored = courier.vault.encrypt("hunter2-secret")
        courier.send([Target("one", receiver.url + "/hunter2-path", stored)], "a.b", BODY)
        wait_until(lambda: said(caplog, "a webhook was not delivered"))
    assert "hunter2" not in "".join(str(record.__dict__) for record in caplog.records)
