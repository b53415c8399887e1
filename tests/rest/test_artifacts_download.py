"""How a file is sent: its type and name, parts of it, and that it can do nothing in a browser."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from minleaf_server.artifacts.repository import Download, FileInfo
from minleaf_server.artifacts.stores import Place
from minleaf_server.errors import Unavailable
from minleaf_server.rest.artifacts.conditions import plan
from minleaf_server.rest.artifacts.download import send_file
from minleaf_server.rest.artifacts.kinds import disposition, media_type
from tests.app.live import is_closed, read_answer
from tests.support.artifact_site import PROXIED, Site, site

CONTENT = bytes(range(256)) * 5_000
SIZE = len(CONTENT)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("download")) as running:
        assert running.put("data.bin", CONTENT).status == 200
        assert running.put("empty", b"").status == 200
        yield running


# The first nine are what MLflow's own tests ask for.
TYPES = {
    "a.txt": "text/plain",
    "b.pkl": "application/octet-stream",
    "c.png": "image/png",
    "d.pdf": "application/pdf",
    "MLmodel": "text/plain",
    "mlproject": "text/plain",
    "e.json": "text/plain",
    "f.yaml": "text/plain",
    "g.js": "text/plain",
    "h.html": "text/plain",
    "h.HTM": "text/plain",
    "h.xhtml": "text/plain",
    "h.xml": "text/plain",
    "h.svg": "image/svg+xml",
    "h.css": "text/plain",
    "h.mjs": "text/plain",
    "i.ipynb": "text/plain",
    "j.parquet": "application/octet-stream",
    "k.tar.gz": "application/gzip",
    "k.svgz": "application/gzip",
    "png": "application/octet-stream",
    "data:text/html,x": "application/octet-stream",
    "no extension": "application/octet-stream",
    ".html": "application/octet-stream",
    "trailing.": "application/octet-stream",
}


@pytest.mark.parametrize(("name", "expected"), TYPES.items())
def test_the_type_follows_from_the_name_and_is_none_that_a_browser_runs(name: str, expected: str) -> None:
    assert media_type(name) == expected


@pytest.mark.parametrize(
    "name", ["page.html", "image.svg", "data.xml", "page.xhtml", "paper.pdf", "book.ipynb", "none"]
)
def test_a_download_is_an_attachment_in_a_sandbox(place: Site, name: str) -> None:
    assert place.put(name, b"<script>alert(1)</script>").status == 200
    answer = place.get(name, "Accept: text/html")
    assert answer.status == 200
    assert (answer.header("content-disposition") or "").startswith("attachment; ")
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("cross-origin-resource-policy") == "same-origin"
    policies = [value for header, value in answer.headers if header == "content-security-policy"]
    assert "sandbox" in policies
    assert any("default-src 'none'" in policy for policy in policies)
    assert not (answer.header("content-type") or "").startswith(("text/html", "application/xhtml", "text/xml"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("with space.txt", 'attachment; filename="with space.txt"'),
        ('a"b\\c.txt', 'attachment; filename="a\\"b\\\\c.txt"; filename*=UTF-8\'\'a%22b%5Cc.txt'),
        ("été.txt", "attachment; filename=\"_t_.txt\"; filename*=UTF-8''%C3%A9t%C3%A9.txt"),
        ("100%.txt", "attachment; filename=\"100%.txt\"; filename*=UTF-8''100%25.txt"),
        ("a\r\nX: 1", "attachment; filename=\"a__X: 1\"; filename*=UTF-8''a%0D%0AX%3A%201"),
        ("\x7f\x80", "attachment; filename=\"__\"; filename*=UTF-8''%7F%C2%80"),
    ],
)
def test_the_name_of_a_download(name: str, expected: str) -> None:
    assert disposition(name) == expected


def test_a_name_puts_no_header_into_the_answer(place: Site) -> None:
    name = "a%22;%20filename=evil.html;%20b=%22"
    assert place.put(name).status == 200
    answer = place.get(name)
    assert answer.header("content-disposition") == (
        'attachment; filename="a\\"; filename=evil.html; b=\\""; '
        "filename*=UTF-8''a%22%3B%20filename%3Devil.html%3B%20b%3D%22"
    )


RANGES = {
    "bytes=0-0": (0, 1),
    "bytes=1-4": (1, 5),
    "BYTES = 1-4": (1, 5),
    "bytes=5-": (5, SIZE),
    "bytes=-5": (SIZE - 5, SIZE),
    f"bytes=-{SIZE * 2}": (0, SIZE),
    f"bytes=10-{SIZE * 2}": (10, SIZE),
    f"bytes={SIZE - 1}-{SIZE - 1}": (SIZE - 1, SIZE),
    "bytes=262143-262145": (262143, 262146),
}


@pytest.mark.parametrize(("header", "expected"), RANGES.items())
def test_a_part_of_a_file(place: Site, header: str, expected: tuple[int, int]) -> None:
    start, end = expected
    answer = place.get("data.bin", f"Range: {header}")
    assert answer.status == 206
    assert answer.header("content-range") == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.header("content-length") == str(end - start)
    assert answer.body == CONTENT[start:end]


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", f"bytes={10**17}-"])
def test_a_part_that_no_byte_is_in(place: Site, header: str) -> None:
    answer = place.get("data.bin", f"Range: {header}")
    assert answer.status == 416
    assert answer.header("content-range") == f"bytes */{SIZE}"
    assert answer.body == b""
    assert place.get("empty", "Range: bytes=0-").status == 416


NO_RANGES = ["bytes=0-1,3-4", "bytes=4-1", "bytes=-", "bytes=a-b", "lines=0-1", "bytes", "", "bytes=0-1-2", "bytes=--5"]
NO_RANGES += [f"bytes={'9' * 30}-", "bytes=0x1-2", "bytes=\u0661-\u0662"]


@pytest.mark.parametrize("header", NO_RANGES)
def test_a_range_that_is_none_or_several_gets_the_whole_file(place: Site, header: str) -> None:
    answer = place.live.raw(
        f"GET {PROXIED}/data.bin HTTP/1.1\r\nHost: 127.0.0.1:{place.live.port}\r\nRange: {header}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    assert (answer.status, answer.header("content-length")) == (200, str(SIZE))
    assert answer.body == CONTENT


def test_a_part_only_of_the_file_that_the_client_knows(place: Site) -> None:
    assert place.put("versions", b"first").status == 200
    whole = place.get("versions")
    etag, modified = whole.header("etag"), whole.header("last-modified")
    assert etag
    assert modified
    for condition, status in ((etag, 206), (modified, 206), ('"other"', 200), (f"W/{etag}", 200), ("x", 200)):
        answer = place.get("versions", "Range: bytes=1-2", f"If-Range: {condition}")
        assert (answer.status, answer.body) == (status, b"ir" if status == 206 else b"first"), condition
    assert place.put("versions", b"other").status == 200
    answer = place.get("versions", "Range: bytes=1-2", f"If-Range: {etag}")
    assert (answer.status, answer.body) == (200, b"other")
    assert answer.header("etag") != etag


def test_a_file_that_the_client_has_is_not_sent_again(place: Site) -> None:
    etag = place.get("data.bin").header("etag")
    for condition in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = place.get("data.bin", f"If-None-Match: {condition}")
        assert (answer.status, answer.body, answer.header("etag")) == (304, b"", etag)
    assert place.get("data.bin", 'If-None-Match: "other"').status == 200


def test_head_says_what_get_would(place: Site) -> None:
    for headers in ((), ("Range: bytes=1-4",)):
        got = place.get("data.bin", *headers)
        head = place.call("HEAD", f"{PROXIED}/data.bin", *headers)
        kept = [item for item in got.headers if item[0] not in ("date", "x-request-id")]
        assert [item for item in head.headers if item[0] not in ("date", "x-request-id")] == kept
        assert (head.status, head.body) == (got.status, b"")
    assert place.call("HEAD", f"{PROXIED}/missing").status == 404


def test_what_is_no_file(place: Site) -> None:
    assert place.put("folder/file").status == 200
    for path in ("missing", "folder", "folder/missing", "data.bin/missing"):
        for headers in ((), ("Range: bytes=0-1",), ("If-None-Match: *",)):
            answer = place.get(path, *headers)
            assert answer.status == 404, path
            assert json.loads(answer.body)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
            assert str(place.root) not in answer.body.decode()


def test_files_and_lists_travel_as_they_are(place: Site) -> None:
    """A compressed file would have another length than was promised, and a part of it would be of no use."""
    text = b"the same words again and again " * 10_000
    assert place.put("words.txt", text).status == 200
    for headers, body in (((), text), (("Range: bytes=0-99999",), text[:100_000])):
        answer = place.get("words.txt", "Accept-Encoding: gzip", *headers)
        assert answer.header("content-encoding") is None
        assert answer.body == body


def test_the_plan_for_an_empty_file() -> None:
    assert plan({}, 0, "", 0).length == 0
    assert plan({b"range": b"bytes=-5"}, 0, "", 0).status == 416


class Broken:
    """A store that fails after the first part of a file."""

    def __init__(self) -> None:
        self.closed = False

    async def stat(self, path: str) -> FileInfo:
        return FileInfo(path, False, 10, 1, '"old"')

    async def open(self, path: str, start: int = 0, end: int | None = None) -> Download:
        async def parts():  # type: ignore[no-untyped-def]
            yield b"01234"
            raise Unavailable("The store has gone.")

        async def close() -> None:
            self.closed = True

        return Download(10, parts(), 1, '"new"', close)


async def test_a_file_that_is_replaced_between_two_looks_is_asked_for_again() -> None:
    broken = Broken()
    scope = {"headers": [(b"range", b"bytes=0-4")]}
    with pytest.raises(Unavailable):
        await send_file(Place(broken, "a"), scope, None, None)  # type: ignore[arg-type]
    assert broken.closed


def test_a_download_that_breaks_off_is_no_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ends before the promised length, which every client takes for a failure."""
    with site(tmp_path) as running:
        monkeypatch.setattr(running.services.artifacts, "locate", lambda uri: Place(Broken(), ""))
        with running.live.connect() as conn:
            head = f"GET {PROXIED}/a HTTP/1.1\r\nHost: 127.0.0.1:{running.live.port}\r\n\r\n"
            conn.sendall(head.encode())
            with pytest.raises(Exception, match=r"IncompleteRead\(5 bytes read, 5 more expected\)"):
                read_answer(conn)
            assert is_closed(conn)


class Endless(Broken):
    """A store whose file never ends."""

    async def open(self, path: str, start: int = 0, end: int | None = None) -> Download:
        async def parts():  # type: ignore[no-untyped-def]
            while True:
                yield b"x" * 65536

        async def close() -> None:
            self.closed = True

        return Download(2**40, parts(), 1, '"new"', close)


def test_nothing_is_read_any_more_for_a_client_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Endless()
    with site(tmp_path) as running:
        monkeypatch.setattr(running.services.artifacts, "locate", lambda uri: Place(store, ""))
        with running.live.connect() as conn:
            conn.sendall(f"GET {PROXIED}/a HTTP/1.1\r\nHost: 127.0.0.1:{running.live.port}\r\n\r\n".encode())
            assert conn.recv(100_000)
            assert not store.closed
        end = time.monotonic() + 20
        while not store.closed:
            assert time.monotonic() < end
            time.sleep(0.01)


class Unopenable(Broken):
    """A store that knows its file and cannot open it."""

    async def open(self, path: str, start: int = 0, end: int | None = None) -> Download:
        raise AssertionError("A file was opened for nothing.")


def test_a_file_is_not_read_where_its_content_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(tmp_path) as running:
        monkeypatch.setattr(running.services.artifacts, "locate", lambda uri: Place(Unopenable(), ""))
        assert running.call("HEAD", f"{PROXIED}/a").status == 200
        assert running.get("a", 'If-None-Match: "old"').status == 304
        assert running.get("a", "Range: bytes=100-").status == 416
