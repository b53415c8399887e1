"""What a test of an artifact store writes and reads."""

from collections.abc import AsyncIterator, Iterable

from minleaf_server.artifacts.repository import Repository


async def parts(*bodies: bytes) -> AsyncIterator[bytes]:
    """The parts of a body."""
    for body in bodies:
        yield body


async def put(repository: Repository, path: str, body: bytes = b"x") -> None:
    """Store a file."""
    await repository.write(path, parts(body))


async def body_of(repository: Repository, path: str, start: int = 0, end: int | None = None) -> bytes:
    """What a file holds."""
    return b"".join([part async for part in (await repository.open(path, start, end)).parts])


async def paths_in(repository: Repository, folder: str = "") -> list[str]:
    """The paths of what a folder holds; those of folders end with a slash."""
    return [info.path + "/" * info.is_dir for info in await repository.entries(folder)]


async def all_paths(repository: Repository, folders: Iterable[str] = ("",)) -> list[str]:
    """The paths of every file."""
    found = []
    for folder in folders:
        for info in await repository.entries(folder):
            found += await all_paths(repository, [info.path]) if info.is_dir else [info.path]
    return found
