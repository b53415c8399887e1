"""Uploads of any size, that come whole or not at all."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from minleaf_server.rest import takes_files
from tests.app.live import is_closed, read_answer
from tests.support.artifact_site import PROXIED, Site, site
from tests.support.server import RunningServer

MEGABYTE = 2**20
WAIT_SECONDS = 20


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    """A server that takes JSON bodies of 64 kB at most, so that a file above its cap need not be large."""
    with site(tmp_path, max_body_bytes=64 * 1024) as running:
        yield running


def head(place: Site, *headers: str, method: str = "PUT", path: str = f"{PROXIED}/a") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{place.live.port}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def everything(place: Site) -> list[str]:
    """All files of the store, those on their way included."""
    return sorted(place.files())


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, MEGABYTE - 1, MEGABYTE, 5 * MEGABYTE + 7])
def test_a_file_of_any_size_arrives_as_it_was(place: Site, size: int) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    assert place.put("a", content).status == 200
    assert place.files() == {"a": content}


def test_a_body_of_unknown_length_arrives_too(place: Site) -> None:
    def parts() -> Iterator[bytes]:
        for number in range(300):
            yield bytes([number % 256]) * 1_000

    answer = httpx.put(f"http://127.0.0.1:{place.live.port}{PROXIED}/a", content=parts())
    assert (answer.status_code, answer.json()) == (200, {})
    assert place.files() == {"a": b"".join(parts())}


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_the_cap_holds_for_everything_else(place: Site, prefix: str) -> None:
    """Whatever is not the upload of a file, however close its address comes to one."""
    url = f"http://127.0.0.1:{place.live.port}"
    files = f"{prefix}/2.0/mlflow-artifacts"
    large = b" " * (64 * 1024 + 1)
    with httpx.Client(base_url=url) as client:
        for method, path in (
            ("POST", f"{files}/artifacts/a"),
            ("DELETE", f"{files}/artifacts/a"),
            ("PUT", f"{files}/artifacts"),
            ("PUT", f"{files}/artifactsx/a"),
            ("PUT", f"/x{files}/artifacts/a"),
            ("POST", f"{files}/mpu/create/a"),
            ("POST", f"{prefix}/2.0/mlflow/runs/create"),
            ("PUT", f"{prefix}/2.0/mlflow/upload-artifact"),
        ):
            for content in (large, iter([large])):
                headers = {"content-type": "application/json"}
                answer = client.request(method, path, content=content, headers=headers)  # type: ignore[arg-type]
                # A body of unknown length is only refused where somebody reads it.
                assert answer.status_code == 413 or (content is not large and answer.status_code in (400, 404, 405))
                assert not everything(place)


def test_the_cap_is_lifted_for_two_routes_only() -> None:
    for prefix in ("/api", "/ajax-api"):
        assert takes_files("PUT", f"{prefix}/2.0/mlflow-artifacts/artifacts/a\n/b")
        assert takes_files("POST", f"{prefix}/2.0/mlflow/upload-artifact")
        assert not takes_files("POST", f"{prefix}/2.0/mlflow/upload-artifact/")
        assert not takes_files("GET", f"{prefix}/2.0/mlflow-artifacts/artifacts/a")
    assert not takes_files("PUT", "/api/2.0/mlflow-artifacts/artifacts")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_is_gone_before_the_end_leaves_nothing(place: Site, chunked: bool) -> None:
    assert place.put("a", b"before").status == 200
    sent = b"x" * (3 * MEGABYTE)
    with place.live.connect() as conn:
        if chunked:
            conn.sendall(head(place, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (len(sent), sent))
        else:
            conn.sendall(head(place, f"Content-Length: {len(sent) + 1}") + sent)
        wait_until(lambda: len(everything(place)) == 2)  # The beginning is there, beside the file.
        assert place.files()["a"] == b"before"
    wait_until(lambda: everything(place) == ["a"])
    assert place.files() == {"a": b"before"}


def test_what_follows_the_promised_length_is_not_part_of_the_file(place: Site) -> None:
    with place.live.connect() as conn:
        conn.sendall(head(place, "Content-Length: 4") + b"filemore")
        assert read_answer(conn).status in (200, 400)
        assert is_closed(conn)
    assert place.files() in ({}, {"a": b"file"})


@pytest.mark.parametrize("lengths", [("4", "5"), ("-1",), ("4x",), ("9" * 30,)])
def test_a_length_that_is_none(place: Site, lengths: tuple[str, ...]) -> None:
    with place.live.connect() as conn:
        conn.sendall(head(place, *(f"Content-Length: {length}" for length in lengths)) + b"file")
        assert read_answer(conn).status in (400, 413)
    assert place.files() == {}


def test_a_compressed_body_is_not_taken_for_the_file(place: Site) -> None:
    assert place.call("PUT", f"{PROXIED}/a", "Content-Encoding: gzip", body=b"x").status == 415
    assert place.files() == {}


def test_of_many_uploads_of_one_path_one_is_there(place: Site) -> None:
    bodies = [bytes([number]) * (200_000 + number) for number in range(20)]
    statuses: list[int] = []

    def upload(body: bytes) -> None:
        statuses.append(place.put("a", body).status)

    threads = [threading.Thread(target=upload, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
    assert list(place.files()) == ["a"]
    assert place.files()["a"] in bodies


@pytest.mark.parametrize("origin", ["http://evil.com", "null"])
def test_no_page_of_another_site_can_write(place: Site, origin: str) -> None:
    for method, path in (("PUT", f"{PROXIED}/a"), ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=a&path=a")):
        assert place.call(method, path, f"Origin: {origin}", body=b"x").status == 403
    assert place.files() == {}


def upload_large(port: int, size: int) -> int:
    """Send `size` bytes, a multiple of a megabyte, over a raw socket. Returns the status."""
    part = b"\xa5" * MEGABYTE
    with socket.create_connection(("127.0.0.1", port), timeout=60) as conn:
        lines = [f"PUT {PROXIED}/large HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {size}"]
        conn.sendall("\r\n".join([*lines, "", ""]).encode())
        for _ in range(size // MEGABYTE):
            conn.sendall(part)
        return read_answer(conn).status


def peak_memory(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def test_a_large_file_goes_through_a_small_server(tmp_path: Path) -> None:
    """200 MB up, and down to a client that is slow at first: the server grows by less than 50 MB."""
    size = 200 * MEGABYTE
    with RunningServer(f"sqlite:///{tmp_path}/minleaf.db", tmp_path) as server:
        assert server.process is not None
        httpx.put(f"{server.url}{PROXIED}/small", content=b"x").raise_for_status()
        before = peak_memory(server.process.pid)
        assert upload_large(server.port, size) == 200
        received = 0
        with httpx.stream("GET", f"{server.url}{PROXIED}/large") as answer:
            assert answer.headers["content-length"] == str(size)
            time.sleep(1)  # What the server is ready to put into buffers, it has put there.
            for part in answer.iter_raw():
                received += len(part)
        assert received == size
        assert peak_memory(server.process.pid) - before < 50 * MEGABYTE
