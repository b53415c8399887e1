"""What every artifact store can do. Paths are relative to the repository's root and come from `artifacts.paths`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file or folder. `path` is relative to the repository's root; the rest is None for a folder.

    `size` is in bytes, `modified_ms` in milliseconds since 1970. `etag` changes with every new content; it is the
    quoted text of the HTTP header, and only `Repository.stat` and `Repository.open` tell it.
    """

    path: str
    is_dir: bool
    size: int | None
    modified_ms: int | None = None
    etag: str | None = None


async def _nothing_to_close() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Download:
    """An opened file. `size` is that of the whole file in bytes; `parts` yields the range that was asked for.

    `parts` closes the file when it has come to its end or has raised; whoever stops earlier calls `close`. Iterating
    raises Unavailable where the store stops answering or the file has become shorter than it was.
    """

    size: int
    parts: AsyncIterator[bytes]
    modified_ms: int = 0
    etag: str = ""
    close: Callable[[], Awaitable[None]] = _nothing_to_close


class Repository(Protocol):
    """One store of artifacts. All methods raise Unavailable where the store does not answer.

    No path leads to anything outside the root: a symbolic link, a device and the like are NotFound to readers.
    """

    async def entries(self, path: str) -> list[FileInfo]:
        """The direct children of a folder, sorted by path. Empty for a file and for what does not exist."""
        ...

    async def stat(self, path: str) -> FileInfo:
        """What a path names, "" being the root. Raises NotFound."""
        ...

    async def open(self, path: str, start: int = 0, end: int | None = None) -> Download:
        """The bytes from `start` up to, not including, `end`, as far as there are any.

        Raises NotFound where there is no such file, also where a folder has that path.
        """
        ...

    async def write(self, path: str, parts: AsyncIterator[bytes]) -> None:
        """Store a file whole or, where `parts` raises, not at all. Replaces what was there.

        Raises InvalidParameter where a folder has that path or a file stands where a folder has to be, and Exhausted
        where the store is full.
        """
        ...

    async def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it. Raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that a client may send to the store itself, for a short time, without credentials of its own."""

    url: str
    headers: dict[str, str]
    """What the client has to send along, or the signature does not fit."""


@dataclass(frozen=True, slots=True)
class SignedUpload:
    """An upload in parts that has begun. `parts[i]` takes part number i + 1 as the body of a PUT."""

    upload_id: str
    parts: list[SignedRequest]


@runtime_checkable
class Presigning(Protocol):
    """What a store offers beside `Repository` where clients can be sent to it directly: `isinstance` tells.

    A client that loads up this way gets the ETag of every part from the store and hands them to `complete`.
    Every method raises NotSupported where the server itself has no lasting credentials to sign with.
    """

    async def create(self, path: str, number_of_parts: int) -> SignedUpload:
        """Begin an upload in 1 to 10,000 parts. Raises InvalidParameter for another number."""
        ...

    async def complete(self, path: str, upload_id: str, etags: dict[int, str]) -> None:
        """Make the file of its parts, by part number. Raises InvalidParameter where they do not fit, NotFound."""
        ...

    async def abort(self, path: str, upload_id: str) -> None:
        """Give the upload up. Raises NotFound where there is none of this id."""
        ...

    async def signed_get(self, path: str, seconds: int) -> tuple[SignedRequest, FileInfo]:
        """An address from which a file can be read, and its size. Raises NotFound."""
        ...

    async def signed_put(self, path: str, seconds: int) -> SignedRequest:
        """An address to which a file can be written in one piece."""
        ...
