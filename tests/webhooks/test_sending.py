"""One call over a real socket: where it goes, what ends it, and what is read of the answer."""

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from minleaf_server.errors import InvalidParameter
from minleaf_server.webhooks import sending
from minleaf_server.webhooks.addresses import Refused, Rule
from minleaf_server.webhooks.sending import Failed, Sender
from tests.webhooks.receiver import LOOPBACK, Receiver, Reply

HEADERS = [("Content-Type", "application/json"), ("X-Test", "1")]


def to(*addresses: str) -> sending.Resolve:
    """A resolver that knows every name by these addresses."""
    return lambda host, port: list(addresses)


def test_what_is_sent() -> None:
    with Receiver() as receiver:
        answer = Sender(LOOPBACK, 5).send(receiver.url + "?a=b", HEADERS, b'{"a": 1}')
    assert (answer.status, answer.body, answer.retry_after) == (200, "thanks", "")
    (call,) = receiver.received
    assert call.path == "/hook?a=b"
    assert call.body == b'{"a": 1}'
    assert call.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-type": "application/json",
        "x-test": "1",
        "content-length": "8",
    }


def test_a_name_is_looked_up_once_and_the_host_header_keeps_it() -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    with Receiver() as receiver:
        Sender(LOOPBACK, 5, resolve).send(f"http://hook.example.com:{receiver.port}/x", HEADERS, b"")
    assert asked == [("hook.example.com", receiver.port)]
    assert receiver.received[0].headers["host"] == f"hook.example.com:{receiver.port}"


def test_a_name_that_rebinds_never_reaches_the_second_address() -> None:
    """The attack: public when it is checked, this machine when it is connected to."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    with Receiver() as receiver:
        sender = Sender(Rule(("https", "http")), 0.5, lambda host, port: answers.pop(0))
        with pytest.raises(Failed):
            sender.send(f"https://rebind.example.com:{receiver.port}/", HEADERS, b"")
        assert len(answers) == 1  # looked up once
        with pytest.raises(Refused):
            sender.send(f"https://rebind.example.com:{receiver.port}/", HEADERS, b"")
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["0.0.0.0"], ["::"]]
)
def test_names_that_resolve_to_this_machine(addresses: list[str]) -> None:
    with Receiver() as receiver:
        url = f"https://hook.example.com:{receiver.port}/"
        with pytest.raises(Refused):
            Sender(Rule(), 5, to(*addresses)).send(url, HEADERS, b"")
    assert receiver.connections == 0


def test_a_url_is_judged_again_when_it_is_called() -> None:
    with Receiver() as receiver, pytest.raises(InvalidParameter):
        Sender(Rule(), 5).send(receiver.url, HEADERS, b"")
    assert receiver.connections == 0


def test_the_real_resolver_is_judged_too() -> None:
    with Receiver() as receiver:
        url = f"http://localhost:{receiver.port}/"
        assert Sender(Rule(("http",)), 5).send(url, HEADERS, b"").status == 200
        only_private = Rule(("http", "https"), (ip_network("10.0.0.0/8"),))
        with pytest.raises(InvalidParameter):
            Sender(only_private, 5).send(url.replace("http:", "https:"), HEADERS, b"")
    assert receiver.connections == 1


def test_the_next_address_is_tried_where_one_refuses() -> None:
    with Receiver() as receiver:
        url = f"http://hook.example.com:{receiver.port}/"
        assert Sender(LOOPBACK, 5, to("::1", "127.0.0.1")).send(url, HEADERS, b"").status == 200


def test_a_name_without_an_address() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Failed, match=r"the name 'no\.example\.com' cannot be resolved"):
        Sender(Rule(), 5, unknown).send("https://no.example.com/", HEADERS, b"")


def test_a_resolver_that_hangs() -> None:
    release = threading.Event()

    def hang(host: str, port: int) -> Sequence[str]:
        release.wait()
        return []

    try:
        with pytest.raises(Failed, match=r"did not answer within 0\.2 seconds"):
            Sender(Rule(), 0.2, hang).send("https://slow.example.com/", HEADERS, b"")
    finally:
        release.set()


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(Failed, match="cannot be reached"):
            Sender(LOOPBACK, 5).send(url, HEADERS, b"")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with Receiver() as other, Receiver(Reply(status, headers=(("Location", other.url),))) as receiver:
        assert Sender(LOOPBACK, 5).send(receiver.url, HEADERS, b"").status == status
    assert other.connections == 0


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        Sender(LOOPBACK, 5).send(receiver.url, HEADERS, b"")
    assert (proxy.connections, receiver.connections) == (0, 1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """An answer that sends a byte now and then and never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        handler.wfile.write(b"a")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(2)


@pytest.mark.parametrize("write", [drip, silent])
def test_the_deadline_is_for_the_whole_call(write: object) -> None:
    with Receiver(Reply(write=write)) as receiver:  # type: ignore[arg-type]
        with pytest.raises(Failed, match=r"did not answer within 0\.5 seconds"):
            Sender(LOOPBACK, 0.5).send(receiver.url, HEADERS, b"")
        assert len(receiver.received) == 1


def test_a_huge_answer_is_cut_and_says_so() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            pass

    with Receiver(Reply(write=endless)) as receiver:
        answer = Sender(LOOPBACK, 5).send(receiver.url, HEADERS, b"")
    assert answer.body == "x" * 65536 + "… (cut after 65536 bytes)"


@pytest.mark.parametrize(
    "wire", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"\x16\x03"]
)
def test_answers_that_are_no_http(wire: bytes) -> None:
    with (
        Receiver(Reply(write=lambda handler: handler.wfile.write(wire))) as receiver,  # type: ignore[arg-type,return-value]
        pytest.raises(Failed, match="broke off or did not speak HTTP"),
    ):
        Sender(LOOPBACK, 5).send(receiver.url, HEADERS, b"")


def test_bytes_that_are_no_text() -> None:
    with Receiver(Reply(body=b"\xff\x00\xed\xa0\x80", headers=(("Retry-After", "7"),))) as receiver:
        answer = Sender(LOOPBACK, 5).send(receiver.url, HEADERS, b"")
    assert answer.body.startswith("\ufffd\x00")
    assert answer.retry_after == "7"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A certificate of hook.example.com that this machine believes in, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example.com")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "hook.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    sending._tls.cache_clear()
    yield file
    sending._tls.cache_clear()


def over_tls(receiver: Receiver, certificate: Path) -> Receiver:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver._server.socket = context.wrap_socket(receiver._server.socket, server_side=True)
    return receiver


def test_tls_is_for_the_name_though_the_address_is_connected_to(certificate: Path) -> None:
    with over_tls(Receiver(), certificate) as receiver:
        sender = Sender(LOOPBACK, 5, to("127.0.0.1"))
        assert sender.send(f"https://hook.example.com:{receiver.port}/", HEADERS, b"").status == 200
        with pytest.raises(Failed, match="certificate"):
            sender.send(f"https://other.example.com:{receiver.port}/", HEADERS, b"")
    assert len(receiver.received) == 1


def test_a_certificate_that_nobody_vouches_for(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with over_tls(Receiver(), certificate) as receiver:
        sender = Sender(LOOPBACK, 5, to("127.0.0.1"))
        with pytest.raises(Failed, match="certificate"):
            sender.send(f"https://hook.example.com:{receiver.port}/", HEADERS, b"")
    assert receiver.received == []
