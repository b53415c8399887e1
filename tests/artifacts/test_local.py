"""A folder as a store: links, special files, permissions, clashes, faults, and what is hidden in it."""

import asyncio
import ctypes
import errno
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import pytest

from minleaf_server.artifacts.disk import open_file
from minleaf_server.artifacts.local import LocalRepository
from minleaf_server.artifacts.paths import TEMPORARY
from minleaf_server.artifacts.removal import sweep
from minleaf_server.errors import Exhausted, InvalidParameter, NotFound, PermissionDenied, Unavailable
from tests.support.artifacts import body_of, parts, paths_in, put

SECRET = b"a canary outside"
INSIDE = b"inside"

AT_FDCWD, RENAME_EXCHANGE = -100, 2
SECONDS_MAX = 100


@pytest.fixture
def root(local: LocalRepository) -> Path:
    local.root.mkdir()
    return local.root


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder beside the store, which must be as it was when the test is over."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(SECRET)
    yield folder
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert (folder / "secret").read_bytes() == SECRET


def temporary_files(root: Path) -> list[str]:
    folder = root / TEMPORARY
    return os.listdir(folder) if folder.exists() else []


async def refuses_everything(local: LocalRepository, path: str) -> None:
    for call in (local.open(path), local.open(path, 1, 2), local.stat(path), local.delete(path), put(local, path)):
        with pytest.raises(NotFound):
            await call


async def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    local = LocalRepository(tmp_path / "deep" / "store")
    assert await local.entries("") == []
    with pytest.raises(NotFound):
        await local.open("a")
    with pytest.raises(NotFound):
        await local.delete("a")
    assert os.listdir(tmp_path) == []
    await put(local, "a/b")
    assert (tmp_path / "deep" / "store" / "a" / "b").read_bytes() == b"x"


async def test_a_store_that_was_deleted_is_made_again(local: LocalRepository, root: Path) -> None:
    await put(local, "a/b")
    os.rename(root, f"{root}-gone")
    assert await local.entries("") == []
    await put(local, "c")
    assert await paths_in(local) == ["c"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
async def test_files_and_folders_are_for_their_owner_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        local = LocalRepository(tmp_path / "made" / "store")
        await local.write("a/b/c", parts(b"y" * 400_000))
    finally:
        os.umask(before)
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "made").rglob("*")}
    assert {mode for path, mode in found.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in found.items() if path.is_dir()} == {0o700}
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700


@pytest.mark.parametrize("path", ["link", "link/secret", "to-file", "loop", "loop/x", "dangling", "dangling/x"])
async def test_symbolic_links_are_not_followed(local: LocalRepository, root: Path, outside: Path, path: str) -> None:
    (root / "link").symlink_to(outside)
    (root / "to-file").symlink_to(outside / "secret")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to(outside / "nothing")
    await refuses_everything(local, path)
    assert await local.entries(path) == []
    assert await local.entries("") == []
    assert len(os.listdir(root)) == 4 + (root / TEMPORARY).exists()
    assert temporary_files(root) == []


async def test_a_link_to_another_run_is_not_followed(local: LocalRepository, root: Path) -> None:
    await put(local, "run2/secret", SECRET)
    (root / "run1").mkdir()
    (root / "run1" / "x").symlink_to("../run2")
    await refuses_everything(local, "run1/x/secret")
    assert await body_of(local, "run2/secret") == SECRET


async def test_deleting_a_folder_removes_links_and_not_what_they_point_to(
    local: LocalRepository, root: Path, outside: Path
) -> None:
    await put(local, "a/b/c")
    (root / "a" / "link").symlink_to(outside)
    (root / "a" / "b" / "to-file").symlink_to(outside / "secret")
    await local.delete("a")
    assert not (root / "a").exists()
    assert temporary_files(root) == []


async def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    local = LocalRepository(tmp_path / "store")
    await put(local, "a/b", b"hello")
    assert await body_of(local, "a/b") == b"hello"


async def test_a_file_with_a_second_hard_link_is_not_served_nor_written_through(
    local: LocalRepository, root: Path, outside: Path
) -> None:
    os.link(outside / "secret", root / "linked")
    with pytest.raises(NotFound, match="hard link"):
        await local.open("linked")
    with pytest.raises(NotFound, match="hard link"):
        await local.stat("linked")
    await put(local, "linked", b"new")
    assert await body_of(local, "linked") == b"new"
    os.link(outside / "secret", root / "again")
    await local.delete("again")


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
async def test_special_files_are_not_opened(local: LocalRepository, root: Path, kind: str) -> None:
    path = root / "special"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            here = os.getcwd()
            os.chdir(root)  # The path of a socket may have 107 bytes only.
            bound.bind("special")
            os.chdir(here)
    elif os.geteuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # /dev/zero: it has no end.
    else:
        path.symlink_to("/dev/zero")
    async with asyncio.timeout(20):
        for call in (local.open("special"), local.stat("special"), local.delete("special"), local.open("special/x")):
            with pytest.raises(NotFound):
                await call
        with pytest.raises((NotFound, InvalidParameter)):
            await put(local, "special")
        assert await local.entries("") == []
        assert await local.entries("special") == []


async def test_files_and_folders_do_not_take_each_others_names(local: LocalRepository, root: Path) -> None:
    await put(local, "file")
    await put(local, "folder/x")
    for path in ("file/b", "file/b/c", "folder"):
        with pytest.raises(InvalidParameter, match="cannot be written"):
            await put(local, path)
        with pytest.raises(InvalidParameter, match="cannot be written"):
            await local.write(path, parts(b"y" * 2**20))
    assert await paths_in(local) == ["file", "folder/"]
    assert temporary_files(root) == []


async def test_a_clash_is_told_before_the_body_has_come(local: LocalRepository) -> None:
    await put(local, "folder/x")
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield b"y" * 2**20

    with pytest.raises(InvalidParameter):
        await local.write("folder", body())
    assert taken < 10


async def test_what_is_not_whole_cannot_be_named_or_listed(local: LocalRepository, root: Path) -> None:
    waiting, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"y" * 2**20
        yield b"z" * 2**20
        yield b"."
        waiting.set()
        await go_on.wait()

    upload = asyncio.create_task(local.write("a", slow()))
    await waiting.wait()
    (name,) = temporary_files(root)
    assert len(name) == 32
    assert await local.entries("") == []
    go_on.set()
    await upload
    assert temporary_files(root) == []
    assert await body_of(local, "a") == b"y" * 2**20 + b"z" * 2**20 + b"."


async def test_a_temporary_folder_that_is_a_link_is_not_written_to(
    local: LocalRepository, root: Path, outside: Path
) -> None:
    (root / TEMPORARY).symlink_to(outside)
    with pytest.raises(NotFound):
        await put(local, "a")
    await put(LocalRepository(root / "below"), "b")


@pytest.mark.parametrize("how", ["broken", "cancelled"])
async def test_an_upload_that_ends_early_leaves_no_file_and_no_descriptor(
    local: LocalRepository, root: Path, how: str
) -> None:
    begun = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"y" * 2**20
        assert len(temporary_files(root)) == 1
        begun.set()
        if how == "broken":
            raise ConnectionResetError
        await asyncio.sleep(3600)

    await put(local, "a", b"old")
    before = len(os.listdir("/proc/self/fd"))
    upload = asyncio.create_task(local.write("a", body()))
    await begun.wait()
    if how == "cancelled":
        upload.cancel()
    with pytest.raises((ConnectionResetError, asyncio.CancelledError)):
        await upload
    assert temporary_files(root) == []
    assert len(os.listdir("/proc/self/fd")) == before
    assert await body_of(local, "a") == b"old"


async def test_what_was_deleted_during_an_upload_is_made_again(local: LocalRepository) -> None:
    await put(local, "run/a/first")

    async def body() -> AsyncIterator[bytes]:
        yield b"y" * 2**20
        await local.delete("run")

    await local.write("run/a/second", body())
    assert await paths_in(local, "run/a") == ["run/a/second"]


async def test_uploads_and_deletes_at_the_same_time_end_in_one_or_the_other(local: LocalRepository, root: Path) -> None:
    async def delete() -> None:
        for _ in range(60):
            try:
                await local.delete("run")
            except NotFound:
                await asyncio.sleep(0)

    async def write(number: int) -> None:
        for _ in range(30):
            await put(local, f"run/{number}/a", b"y" * 10)

    await asyncio.gather(delete(), *(write(number) for number in range(4)))
    await put(local, "run/last")
    assert temporary_files(root) == []


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[LocalRepository]:
    """A store on a disk in memory where there is one, for what would take a real disk a minute."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else tmp_path) as folder:
        yield LocalRepository(Path(folder))


async def test_ten_thousand_folders_deep(in_memory: LocalRepository) -> None:
    local, root = in_memory, in_memory.root
    opened = os.open(root, os.O_RDONLY)
    for _ in range(10_000):
        os.mkdir("d", dir_fd=opened)
        below = os.open("d", os.O_RDONLY, dir_fd=opened)
        os.close(opened)
        opened = below
    os.close(opened)
    path = "/".join(["d"] * 500)
    assert await paths_in(local, path) == [f"{path}/d/"]
    await local.delete("d")
    assert await local.entries("") == []
    assert temporary_files(root) == []


async def test_a_hundred_thousand_files_in_a_folder(in_memory: LocalRepository) -> None:
    local, root = in_memory, in_memory.root
    (root / "many").mkdir()
    folder = os.open(root / "many", os.O_RDONLY)
    for number in range(100_000):
        os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    found = await local.entries("many")
    assert len(found) == 100_000
    assert [info.path for info in found] == sorted(f"many/{number}" for number in range(100_000))
    await local.delete("many")
    assert await local.entries("") == []


async def test_names_that_no_path_can_have_are_not_listed(local: LocalRepository, root: Path) -> None:
    for name in (b"back\\slash", b"\xff", b"new\nline", b"good"):
        (root / os.fsdecode(name)).touch()
    assert await paths_in(local) == ["good"]


async def test_the_files_of_the_server_are_no_artifacts(tmp_path: Path) -> None:
    for name in ("minleaf.db", "minleaf.db-wal", "data/minleaf.db", "data/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(SECRET)
    local = LocalRepository(tmp_path, ["minleaf.db", "data/minleaf.db"])
    for path in ("minleaf.db", "minleaf.db-wal", "MINLEAF.DB", "data/minleaf.db"):
        await refuses_everything(local, path)
    assert await paths_in(local) == ["data/"]
    assert await paths_in(local, "data") == ["data/a"]
    with pytest.raises(PermissionDenied):
        await local.delete("data")
    assert (tmp_path / "data" / "minleaf.db").read_bytes() == SECRET


async def test_a_file_that_shrinks_while_it_is_read_is_an_error(local: LocalRepository, root: Path) -> None:
    await local.write("a", parts(b"y" * 2**20))
    opened = await local.open("a")
    os.truncate(root / "a", 300_000)
    with pytest.raises(Unavailable, match="shorter"):
        async for _part in opened.parts:
            pass


async def test_descriptors_are_closed_whatever_happens(local: LocalRepository, root: Path) -> None:
    await local.write("a", parts(b"y" * 2**20))
    (root / "link").symlink_to("a")

    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def one_round() -> None:
        download = await local.open("a")
        await anext(download.parts)
        await download.close()
        await local.open("a")
        await body_of(local, "a")
        for path in ("link", "link/x", "a/x", "nothing/x"):
            for call in (local.open(path), local.delete(path), local.write(path, parts(b"y" * 2**20))):
                try:
                    await call
                except (NotFound, InvalidParameter):
                    continue
        await local.entries("a")

    await one_round()
    before = opened()
    for _ in range(50):
        await one_round()
    assert opened() <= before + 2


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.ENOSPC, Exhausted), (errno.EDQUOT, Exhausted), (errno.EIO, Unavailable), (errno.EROFS, Unavailable)],
)
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
async def test_a_disk_that_fails_is_told_without_its_paths(
    local: LocalRepository,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    expected: type[Exception],
    call: str,
) -> None:
    await put(local, "a", b"old")
    with monkeypatch.context() as patched:

        def failing(*_arguments: object, **_named: object) -> None:
            raise OSError(number, os.strerror(number), str(root / "a"))

        patched.setattr(f"minleaf_server.artifacts.upload.os.{call}", failing)
        with pytest.raises(expected) as raised:
            await local.write("a", parts(b"y" * 2**20))
    assert str(root) not in str(raised.value)
    assert await body_of(local, "a") == b"old"
    assert temporary_files(root) == []


class Swapper:
    """Swaps, as fast as it can, the folder `run` of a store or a file in it for a link to a place outside."""

    def __init__(self, root: Path, outside: Path, what: str) -> None:
        run = root / "run"
        run.mkdir()
        (run / "secret").write_bytes(INSIDE)
        self.one, self.other = run if what == "folder" else run / "secret", root / "other"
        self.other.symlink_to(outside if what == "folder" else outside / "secret")
        self.count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._swap)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _swap(self) -> None:
        exchange = ctypes.CDLL(None).renameat2
        while not self._stop.is_set():
            assert exchange(AT_FDCWD, bytes(self.one), AT_FDCWD, bytes(self.other), RENAME_EXCHANGE) == 0
            self.count += 1


async def attempt(local: LocalRepository, operation: str) -> None:
    if operation == "read":
        assert await body_of(local, "run/secret") == INSIDE
    elif operation == "stat":
        assert (await local.stat("run/secret")).size == len(INSIDE)
    elif operation == "list":
        found = await local.entries("run")
        assert {info.size for info in found} <= {len(INSIDE)}
        if not found:
            raise NotFound
    elif operation == "write":
        await put(local, "run/secret", INSIDE)
    else:
        with suppress(NotFound):
            await put(local, "run/secret", INSIDE)
        await local.delete("run/secret")


async def test_a_share_without_locks_is_written_and_not_swept(
    local: LocalRepository, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("minleaf_server.artifacts.disk.fcntl.flock", no_locks)
    await put(local, "a/b", b"hello")
    assert await body_of(local, "a/b") == b"hello"
    (root / TEMPORARY / "left").touch()
    sweep(root)
    assert temporary_files(root) == ["left"]


@pytest.mark.parametrize("operation", ["read", "stat", "list", "write", "delete"])
async def test_a_folder_swapped_for_a_link_never_leads_outside(
    local: LocalRepository, root: Path, outside: Path, operation: str
) -> None:
    done = refused = 0
    end = time.monotonic() + SECONDS_MAX
    with Swapper(root, outside, "folder") as swapper:
        while (done < 100 or refused < 100 or swapper.count < 10_000) and time.monotonic() < end:
            try:
                await attempt(local, operation)
                done += 1
            except (NotFound, InvalidParameter):
                refused += 1
    assert (done >= 100, refused >= 100, swapper.count >= 10_000) == (True, True, True)


def test_a_file_swapped_for_a_link_never_leads_outside(local: LocalRepository, root: Path, outside: Path) -> None:
    done = refused = 0
    with Swapper(root, outside, "file"):
        for _ in range(30_000):
            try:
                opened, found = open_file(root, "run/secret")
                os.close(opened)
                assert found.st_size == len(INSIDE)
                done += 1
            except (NotFound, OSError):
                refused += 1
    assert (done > 100, refused > 100) == (True, True)
