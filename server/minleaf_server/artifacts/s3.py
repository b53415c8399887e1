"""Artifacts in an S3-compatible store, through obstore.

A folder is what names below it begin with, so a file and a folder may have one name. Uploads that are larger than a
part become whole at their end; a server that is killed leaves parts that only the bucket's own rules remove.

obstore is called in threads: where its coroutines are used, the process aborts when it ends soon after one of them.
"""

import asyncio
import logging
import posixpath
import queue
import re
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from minleaf_server.artifacts.paths import is_name
from minleaf_server.artifacts.repository import Download, FileInfo
from minleaf_server.artifacts.s3_presigned import S3Presigning
from minleaf_server.artifacts.s3_settings import S3Settings
from minleaf_server.artifacts.streams import gathered
from minleaf_server.errors import InvalidParameter, MinleafError, NotFound, Unavailable

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta
    from obstore.store import S3Store

T = TypeVar("T")

# 10,000 parts are the most that S3 takes, so a file has 80 GB at most.
UPLOAD_PART_BYTES = 8 * 2**20
_PARTS_AT_ONCE = 2
_DOWNLOAD_PART_BYTES = 2**20
_PIECE_BYTES = 2**20
_THREADS = 16
# A large upload holds a thread, and three parts in memory, as long as its client takes.
_UPLOADS_AT_ONCE = 32
_GIVE_UP_SECONDS = 10
_DELETED_AT_ONCE = 1000
_KEY_BYTES = 1024
_CONNECT_SECONDS = 5
# For the next bytes of an answer, not for the whole of it.
_READ_SECONDS = 60
_RETRIES = 3

# obstore has errors of their own for these, but not for every call.
_REFUSED = re.compile("401 Unauthorized|403 Forbidden")

log = logging.getLogger(__name__)


class S3Repository(S3Presigning):
    """A bucket, or a prefix in it, as a store, obeying `artifacts.repository.Repository`.

    Nothing is imported and no connection made before the first use. Credentials and the endpoint come from the
    variables that `S3Settings` reads.
    """

    def __init__(self, bucket: str, prefix: str = "", settings: S3Settings | None = None) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self._settings = settings
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")
        self._uploads = ThreadPoolExecutor(_UPLOADS_AT_ONCE, thread_name_prefix="s3-upload")

    @property
    def settings(self) -> S3Settings:
        """How the store is reached, as it was at the first use."""
        self._settings = self._settings or S3Settings.read()
        return self._settings

    @cached_property
    def _store(self) -> "S3Store":
        from obstore.store import S3Store

        settings = self.settings
        config: dict[str, Any] = {"region": settings.region, **settings.keys}
        if settings.endpoint:
            config["endpoint"] = settings.endpoint
        return S3Store(
            self.bucket,
            config=config,  # type: ignore[arg-type]
            client_options={
                "allow_http": settings.endpoint.startswith("http://"),
                "allow_invalid_certificates": not settings.verify,
                "connect_timeout": f"{_CONNECT_SECONDS}s",
                "read_timeout": f"{_READ_SECONDS}s",
                # The default of 30 seconds would end every long download.
                "timeout": "1d",
            },
            retry_config={"max_retries": _RETRIES},
        )

    def key(self, path: str) -> str:
        """The key of an object in the bucket. Raises InvalidParameter where S3 takes none so long."""
        key = posixpath.join(self.prefix, path) if path else self.prefix
        if len(key.encode()) > _KEY_BYTES:
            raise InvalidParameter("Invalid path")
        return key

    async def entries(self, path: str) -> list[FileInfo]:
        """The direct children of a folder, sorted by path. Empty for a file and for what does not exist."""
        folder = self.key(path)
        found = await self._run(path, lambda: self._store.list_with_delimiter(folder or None))
        folders = [FileInfo(self._path(name), True, None) for name in found["common_prefixes"]]
        # Some tools mark a folder with an empty object whose name ends with a slash.
        files = [self._info(meta) for meta in found["objects"] if meta["path"] != folder]
        kept = [info for info in folders + files if is_name(posixpath.basename(info.path))]
        return sorted(kept, key=lambda info: (info.path, info.is_dir))

    async def stat(self, path: str) -> FileInfo:
        """What a path names, "" being the root. Raises NotFound."""
        if path:
            try:
                key = self.key(path)
                return self._info(await self._run(path, lambda: self._store.head(key)))
            except NotFound:
                if not await self.entries(path):
                    raise
        return FileInfo(path, True, None)

    async def open(self, path: str, start: int = 0, end: int | None = None) -> Download:
        """The bytes from `start` up to, not including, `end`, as far as there are any. Raises NotFound."""
        whole = start == 0 and end is None
        if not whole:
            found = await self.stat(path)
            if found.is_dir:
                raise _missing(path)
            size = found.size or 0
            end = size if end is None else min(end, size)
            if start >= end:
                return Download(size, _no_parts(), found.modified_ms or 0, found.etag or "")
        options: Any = {} if whole else {"range": (start, end)}
        key = self.key(path)
        result = await self._run(path, lambda: self._store.get(key, options=options))
        parts = _Parts(result, lambda function: self._run(path, function))
        info = self._info(result.meta)
        return Download(info.size or 0, parts, info.modified_ms or 0, info.etag or "", parts.aclose)

    async def write(self, path: str, parts: AsyncIterator[bytes]) -> None:
        """Store a file whole or, where `parts` raises or the task is cancelled, not at all."""
        pieces = gathered(parts, _PIECE_BYTES)
        first: list[bytes] = []
        size = 0
        async for piece in pieces:
            first.append(b"".join(piece))
            size += len(first[-1])
            if size > UPLOAD_PART_BYTES:
                await self._upload(path, first, pieces)
                return
        key = self.key(path)
        await self._run(path, lambda: self._store.put(key, b"".join(first), use_multipart=False))

    async def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it. Raises NotFound."""
        key = self.key(path)
        if not await self._run(path, lambda: self._delete(key)):
            raise _missing(path)

    def _delete(self, key: str) -> bool:
        """Delete a file and what lies below it. Whether there was anything."""
        found = self._delete_file(key)
        for listed in self._store.list(key, chunk_size=_DELETED_AT_ONCE):
            found = True
            self._store.delete([meta["path"] for meta in listed])
        return found

    def _delete_file(self, key: str) -> bool:
        try:
            self._store.head(key)
        except FileNotFoundError:
            return False
        self._store.delete(key)
        return True

    async def _upload(self, path: str, first: list[bytes], more: AsyncIterator[list[bytes]]) -> None:
        """A large file in parts. The thread is never left alone: it would leave its parts in the store."""
        key, pipe = self.key(path), _Pipe()
        options: Any = {"chunk_size": UPLOAD_PART_BYTES, "max_concurrency": _PARTS_AT_ONCE}
        upload = asyncio.ensure_future(
            self._run(path, lambda: self._store.put(key, iter(pipe), **options), self._uploads)
        )
        # Its end is awaited in every case but one, and then its error is of no interest.
        upload.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            while first:
                await _hand_over(pipe, first.pop(0), upload)
            async for piece in more:
                await _hand_over(pipe, b"".join(piece), upload)
            pipe.end(None)
            await asyncio.shield(upload)
        except BaseException:
            pipe.end(_GivenUp())
            await asyncio.shield(asyncio.wait({upload}, timeout=_GIVE_UP_SECONDS))
            raise

    async def _run(self, path: str, function: Callable[[], T], pool: ThreadPoolExecutor | None = None) -> T:
        with _translated(path):
            return await asyncio.get_running_loop().run_in_executor(pool or self._pool, function)

    def _path(self, key: str) -> str:
        return key[len(self.prefix) :].strip("/")

    def _info(self, meta: "ObjectMeta") -> FileInfo:
        modified_ms = round(meta["last_modified"].timestamp() * 1000)
        return FileInfo(self._path(meta["path"]), False, meta["size"], modified_ms, meta["e_tag"])


class _GivenUp(Exception):
    """Ends an upload whose request has ended."""


class _Pipe:
    """Hands the parts of an upload from a task to a thread, one at a time."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[bytes | _GivenUp | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(1)
        self._loop = asyncio.get_running_loop()

    async def put(self, part: bytes) -> None:
        """Hand a part over as soon as the one before it is taken."""
        await self._room.acquire()
        self._queue.put(part)

    def end(self, how: _GivenUp | None) -> None:
        """End the upload: whole, or by an error in its thread."""
        self._queue.put(how)

    def __iter__(self) -> Iterator[bytes]:
        while (part := self._queue.get()) is not None:
            if isinstance(part, _GivenUp):
                raise part
            yield part
            self._loop.call_soon_threadsafe(self._room.release)


async def _hand_over(pipe: _Pipe, part: bytes, upload: "asyncio.Future[Any]") -> None:
    """Put a part into the pipe, or raise what has ended the upload."""
    putting = asyncio.ensure_future(pipe.put(part))
    try:
        await asyncio.wait({putting, upload}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        putting.cancel()
    if upload.done():
        upload.result()


async def _no_parts() -> AsyncIterator[bytes]:
    return
    yield b""


class _Parts:
    """The bytes of an answer of the store."""

    def __init__(self, result: "GetResult", run: Callable[[Callable[[], Any]], Any]) -> None:
        self._stream: Any = iter(result.stream(min_chunk_size=_DOWNLOAD_PART_BYTES))
        self._run = run

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        stream = self._stream
        part: bytes | None = None if stream is None else await self._run(lambda: _next(stream))
        if part is None:
            raise StopAsyncIteration
        return part

    async def aclose(self) -> None:
        """Let go of the connection before the end."""
        self._stream = None


def _next(stream: Any) -> bytes | None:
    part = next(stream, None)
    return None if part is None else bytes(part)


def _missing(path: str) -> NotFound:
    return NotFound(f"No such artifact: '{path}'")


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Turns what the store says into an error that may be shown. What it said goes to the log."""
    try:
        yield
    except (MinleafError, _GivenUp):
        raise
    except FileNotFoundError:
        raise _missing(path) from None
    except Exception as error:
        raise _translation(error, path) from None


def _translation(error: Exception, path: str) -> MinleafError:
    from obstore.exceptions import InvalidPathError

    if isinstance(error, InvalidPathError | ValueError):
        return InvalidParameter("Invalid path")
    log.error("the artifact store failed", extra={"fields": {"artifact": path, "error": str(error)}})
    if _REFUSED.search(str(error)):
        return Unavailable("The artifact store refuses the credentials of this server.", 60)
    return Unavailable("The artifact store does not answer as it should. The log of the server says why.", 5)
