"""What every artifact store can do. Paths are relative to the repository's root and come from `paths.checked`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file or folder. `path` is relative to the repository's root; `size` is in bytes, None for a folder."""

    path: str
    is_dir: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class Download:
    """An opened file. `size` is that of the whole file in bytes; `parts` yields the range that was asked for."""

    size: int
    parts: AsyncIterator[bytes]


class Repository(Protocol):
    """One store of artifacts. All methods raise Unavailable where the store does not answer."""

    async def entries(self, path: str) -> list[FileInfo]:
        """The direct children of a folder, sorted by path. Empty for a file and for what does not exist."""
        ...

    async def open(self, path: str, start: int = 0, end: int | None = None) -> Download:
        """The bytes from `start` up to, not including, `end`. Raises NotFound where there is no such file."""
        ...

    async def write(self, path: str, parts: AsyncIterator[bytes]) -> None:
        """Store a file whole or, where `parts` raises, not at all. Replaces what was there.

        Raises InvalidParameter where a folder has that path or a file stands where a folder has to be.
        """
        ...

    async def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it. Raises NotFound."""
        ...
