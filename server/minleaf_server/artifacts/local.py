"""Artifacts in a folder of this machine."""

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from minleaf_server.artifacts import removal
from minleaf_server.artifacts.disk import (
    descriptor,
    etag,
    is_missing,
    look_at,
    missing,
    open_file,
    open_folder,
    translated,
)
from minleaf_server.artifacts.paths import TEMPORARY, is_name
from minleaf_server.artifacts.repository import Download, FileInfo
from minleaf_server.artifacts.streams import gathered
from minleaf_server.artifacts.upload import Upload
from minleaf_server.errors import PermissionDenied, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

PART_BYTES = 256 * 1024
_THREADS = 8


class LocalRepository:
    """A folder as a store, obeying `artifacts.repository.Repository`. It is made when something is written to it.

    No symbolic link below the root is followed. `hidden` are paths below the root, such as that of a database, that are
    no artifacts: what begins with one of them is neither listed nor opened, written or deleted.
    """

    def __init__(self, root: Path, hidden: Iterable[str] = ()) -> None:
        self.root = root
        self._hidden = tuple(path.lower() for path in hidden)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="artifacts")
        if (root / TEMPORARY).is_dir():
            self._pool.submit(removal.sweep, root)

    async def entries(self, path: str) -> list[FileInfo]:
        """The direct children of a folder, sorted by path. Empty for a file and for what does not exist."""
        return await self._run(path, self._entries, path)

    async def stat(self, path: str) -> FileInfo:
        """What a path names, "" being the root. Raises NotFound."""
        self._refuse_hidden(path)
        found = await self._run(path, look_at, self.root, path)
        if stat.S_ISDIR(found.st_mode):
            return FileInfo(path, True, None)
        return FileInfo(path, False, found.st_size, found.st_mtime_ns // 1_000_000, etag(found))

    async def open(self, path: str, start: int = 0, end: int | None = None) -> Download:
        """The bytes from `start` up to, not including, `end`, as far as there are any. Raises NotFound."""
        self._refuse_hidden(path)
        parts, found = await self._run(path, self._open, path, start, end)
        return Download(found.st_size, parts, found.st_mtime_ns // 1_000_000, etag(found), parts.aclose)

    async def write(self, path: str, parts: AsyncIterator[bytes]) -> None:
        """Store a file whole or, where `parts` raises or the task is cancelled, not at all."""
        self._refuse_hidden(path)
        upload = Upload(self.root, path)
        try:
            waiting: list[bytes] = []
            async for large in gathered(parts, PART_BYTES):
                if waiting:
                    await self._run(path, upload.write, waiting)
                waiting = large
            await self._run(path, upload.finish, waiting)
        except BaseException:
            # The thread of a cancelled call may still be at work. This waits for its turn, whatever becomes of us.
            await asyncio.shield(self._run(path, upload.abandon))
            raise

    async def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it. Raises NotFound."""
        self._refuse_hidden(path)
        if any(hidden.startswith(f"{path.lower()}/") for hidden in self._hidden):
            raise PermissionDenied(f"'{path}' cannot be deleted: it holds files that are no artifacts.")
        await self._run(path, removal.remove, self.root, path)

    async def _run(self, path: str, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        with translated(path):
            call: Any = lambda: function(*arguments, **named)  # noqa: E731
            result: T = await asyncio.get_running_loop().run_in_executor(self._pool, call)
            return result

    def _refuse_hidden(self, path: str) -> None:
        if self._is_hidden(path):
            raise missing(path)

    def _is_hidden(self, path: str) -> bool:
        return bool(self._hidden) and path.lower().startswith(self._hidden)

    def _entries(self, path: str) -> list[FileInfo]:
        try:
            folder = open_folder(self.root, path.split("/") if path else [])
        except OSError as error:
            if is_missing(error):
                return []
            raise
        with descriptor(folder), os.scandir(folder) as found:
            listed = [_info(f"{path}/{entry.name}" if path else entry.name, entry) for entry in found]
        kept = [info for info in listed if info is not None and not self._is_hidden(info.path)]
        kept.sort(key=attrgetter("path"))
        return kept

    def _open(self, path: str, start: int, end: int | None) -> tuple["_Parts", os.stat_result]:
        opened, found = open_file(self.root, path)
        parts = _Parts(opened, start, found.st_size if end is None else min(end, found.st_size), self._run)
        parts.fetch()
        return parts, found


def _info(path: str, entry: "os.DirEntry[str]") -> FileInfo | None:
    """The entry of a folder, or None where it is nothing that could be opened."""
    if not is_name(entry.name):
        return None
    if entry.is_dir(follow_symlinks=False):
        return FileInfo(path, True, None)
    if not entry.is_file(follow_symlinks=False):
        return None
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return FileInfo(path, False, found.st_size, found.st_mtime_ns // 1_000_000)


class _Parts:
    """The bytes of an opened file, read in threads. The descriptor is closed with the last part."""

    def __init__(self, opened: int, start: int, end: int, run: Any) -> None:
        self._opened = opened
        self._at = start
        self._end = end
        self._run = run
        self._lock = threading.Lock()
        self._ready: bytes | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ready is None and self._opened >= 0:
            await self._run("", self.fetch)
        part, self._ready = self._ready, None
        if not part:
            raise StopAsyncIteration
        return part

    def fetch(self) -> None:
        """Read the next part. Called in a thread; so that a small file is opened, read and closed in one call."""
        with self._lock:
            if self._opened < 0:
                return
            try:
                wanted = min(PART_BYTES, self._end - self._at)
                part = os.pread(self._opened, wanted, self._at) if wanted > 0 else b""
                if wanted > 0 and not part:
                    raise Unavailable("The artifact has become shorter while it was read.")
                self._at += len(part)
                self._ready = part
            except BaseException:
                self._close()
                raise
            if self._at >= self._end:
                self._close()

    async def aclose(self) -> None:
        """Close the file before its end."""
        await self._run("", self._close_locked)

    def _close_locked(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        opened, self._opened = self._opened, -1
        if opened >= 0:
            os.close(opened)

    def __del__(self) -> None:
        # Where the request was cancelled between opening and handing over.
        self._close()
