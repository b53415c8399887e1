"""What every store does alike: a folder and an S3 server."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from minleaf_server.artifacts.paths import checked
from minleaf_server.artifacts.repository import FileInfo, Repository
from minleaf_server.errors import NotFound
from tests.support.artifacts import all_paths, body_of, parts, paths_in, put

LARGE = 20 * 2**20 + 17
ODD_NAMES = [
    "with space",
    "100%.txt",
    "%2541",
    "été",
    "e\u0301te\u0301",
    "\N{LEAF FLUTTERING IN WIND}",
    "....",
    "~",
    "a:b",
    "a?b",
    "a#b",
    "a+b",
    'a"b',
    "a&b;c=d",
    "x" * 255,
]


async def test_what_was_written_is_read(repository: Repository) -> None:
    await repository.write("0/run/artifacts/a.txt", parts(b"he", b"", b"llo"))
    assert await body_of(repository, "0/run/artifacts/a.txt") == b"hello"
    info = await repository.stat("0/run/artifacts/a.txt")
    assert (info.path, info.is_dir, info.size) == ("0/run/artifacts/a.txt", False, 5)
    assert info.modified_ms is not None
    assert info.modified_ms > 1_700_000_000_000
    assert await repository.stat("0/run") == FileInfo("0/run", True, None)


async def test_an_empty_file(repository: Repository) -> None:
    await repository.write("empty", parts())
    assert await body_of(repository, "empty") == b""
    assert (await repository.stat("empty")).size == 0
    assert await body_of(repository, "empty", 0, 10) == b""


async def test_a_folder_is_listed_in_order_and_not_deeper(repository: Repository) -> None:
    for path in ("b.txt", "a/x", "a/y/z", "c", "ab", "a.txt", "Z"):
        await put(repository, path, path.encode())
    assert await paths_in(repository) == ["Z", "a/", "a.txt", "ab", "b.txt", "c"]
    assert await paths_in(repository, "a") == ["a/x", "a/y/"]
    sizes = {info.path: info.size for info in await repository.entries("")}
    assert sizes == {"Z": 1, "a": None, "a.txt": 5, "ab": 2, "b.txt": 5, "c": 1}
    assert await repository.entries("c") == []
    assert await repository.entries("nothing/here") == []
    assert await repository.entries("c/below/a/file") == []


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_names_keep_their_bytes(repository: Repository, name: str) -> None:
    path = f"folder/{checked(name)}"
    await put(repository, path, name.encode())
    assert await paths_in(repository, "folder") == [path]
    assert await body_of(repository, path) == name.encode()
    await repository.delete(path)
    assert await repository.entries("folder") == []


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, b"0123456789"),
        (3, None, b"3456789"),
        (3, 5, b"34"),
        (0, 1, b"0"),
        (9, 10, b"9"),
        (5, 100, b"56789"),
        (10, None, b""),
        (11, 20, b""),
        (4, 4, b""),
    ],
)
async def test_a_range(repository: Repository, start: int, end: int | None, expected: bytes) -> None:
    await put(repository, "digits", b"0123456789")
    opened = await repository.open("digits", start, end)
    assert opened.size == 10
    assert b"".join([part async for part in opened.parts]) == expected
    await opened.close()


async def test_a_large_file_comes_back_whole_and_in_ranges(repository: Repository) -> None:
    block = bytes(range(256)) * 1024
    body = (block * (LARGE // len(block) + 1))[:LARGE]
    await repository.write("large", parts(*(body[at : at + 65_536] for at in range(0, LARGE, 65_536))))
    opened = await repository.open("large")
    digest = hashlib.sha256()
    async for part in opened.parts:
        assert len(part) < 2**21
        digest.update(part)
    assert digest.digest() == hashlib.sha256(body).digest()
    assert opened.size == LARGE
    assert await body_of(repository, "large", 9 * 2**20 - 3, 9 * 2**20 + 5) == body[9 * 2**20 - 3 : 9 * 2**20 + 5]
    assert await body_of(repository, "large", LARGE - 5) == body[-5:]


async def test_the_etag_follows_the_content(repository: Repository) -> None:
    await put(repository, "a", b"one")
    first = await repository.stat("a")
    assert first.etag is not None
    assert first.etag.startswith('"')
    assert (await repository.open("a")).etag == first.etag
    await put(repository, "a", b"two")
    assert (await repository.stat("a")).etag != first.etag


@pytest.mark.parametrize("path", ["nothing", "file/below", "folder", "folder/nothing"])
async def test_what_is_not_there_is_not_found(repository: Repository, path: str) -> None:
    await put(repository, "file")
    await put(repository, "folder/x")
    with pytest.raises(NotFound):
        await repository.open(path)
    with pytest.raises(NotFound):
        await repository.open(path, 1, 2)
    if path != "folder":
        with pytest.raises(NotFound):
            await repository.stat(path)
        with pytest.raises(NotFound):
            await repository.delete(path)


async def test_a_folder_is_deleted_with_all_that_is_in_it_and_nothing_else(repository: Repository) -> None:
    for path in ("run1/a", "run1/b/c/d", "run10/a", "run1.txt", "run", "other/run1/a"):
        await put(repository, path)
    await repository.delete("run1")
    assert await all_paths(repository) == ["other/run1/a", "run", "run1.txt", "run10/a"]
    with pytest.raises(NotFound):
        await repository.delete("run1")


async def test_a_listing_holds_only_the_folder_that_is_named(repository: Repository) -> None:
    await put(repository, "run1/a")
    await put(repository, "run10/b")
    assert await paths_in(repository, "run1") == ["run1/a"]
    assert await paths_in(repository, "run") == []


async def test_a_file_is_replaced(repository: Repository) -> None:
    await put(repository, "a", b"a long first body")
    await put(repository, "a", b"short")
    assert await body_of(repository, "a") == b"short"


class ClientGone(Exception):
    pass


async def broken(before: int) -> AsyncIterator[bytes]:
    for _ in range(before):
        yield b"y" * 2**20
    raise ClientGone


@pytest.mark.parametrize("before", [0, 1, 30])
@pytest.mark.parametrize("old", [None, b"old"])
async def test_a_body_that_breaks_off_leaves_nothing(
    repository: Repository, s3_client: Any, bucket: str, before: int, old: bytes | None
) -> None:
    if old is not None:
        await put(repository, "folder/a", old)
    with pytest.raises(ClientGone):
        await repository.write("folder/a", broken(before))
    assert await all_paths(repository) == ([] if old is None else ["folder/a"])
    if old is not None:
        assert await body_of(repository, "folder/a") == old
    assert "Uploads" not in s3_client.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("before", [0, 1, 30])
async def test_a_cancelled_upload_leaves_nothing(
    repository: Repository, s3_client: Any, bucket: str, before: int
) -> None:
    waiting = asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        for _ in range(before):
            yield b"y" * 2**20
        waiting.set()
        await asyncio.sleep(3600)

    upload = asyncio.create_task(repository.write("a", stuck()))
    await waiting.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await repository.entries("") == []
    assert "Uploads" not in s3_client.list_multipart_uploads(Bucket=bucket)


async def test_fifty_uploads_of_one_path_leave_exactly_one_body(repository: Repository) -> None:
    bodies = [bytes([number]) * (300_000 + number) for number in range(50)]
    await asyncio.gather(
        *(
            repository.write("a/b", parts(*(body[at : at + 50_000] for at in range(0, len(body), 50_000))))
            for body in bodies
        )
    )
    assert await body_of(repository, "a/b") in bodies
    assert await all_paths(repository) == ["a/b"]


async def test_a_reader_sees_the_old_file_or_the_new_one(repository: Repository) -> None:
    bodies = [bytes([number]) * 600_000 for number in range(2)]
    await put(repository, "a", bodies[0])
    written = asyncio.Event()

    async def write() -> None:
        for number in range(20):
            await put(repository, "a", bodies[number % 2])
        written.set()

    async def read() -> None:
        while not written.is_set():
            assert await body_of(repository, "a") in bodies

    await asyncio.gather(write(), read(), read())
