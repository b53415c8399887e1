"""Lists of artifacts. A folder may hold a hundred thousand files, so a long list is encoded and sent in parts."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec import UNSET

from minleaf_server.artifacts.repository import FileInfo
from minleaf_server.rest.artifacts.messages import ArtifactFile, Artifacts, ProxiedArtifacts
from minleaf_server.rest.endpoint import Parts

PART = 1_000
"""Entries that are encoded in one go: some milliseconds, in which no other request is answered."""

_encode = msgspec.json.Encoder().encode


def below_root(entries: Sequence[FileInfo], folder: str, root_uri: str) -> Artifacts | Parts:
    """The answer whose paths start at the root of a run or a model, as `artifacts/list` gives them."""
    prefix = folder.removesuffix("/") + "/" if folder else ""
    if len(entries) <= PART:
        return Artifacts(root_uri, _files(entries, prefix) or UNSET)
    return Parts(_long(b'{"root_uri":' + _encode(root_uri) + b',"files":', entries, prefix))


def below_folder(entries: Sequence[FileInfo]) -> ProxiedArtifacts | Parts:
    """The answer whose paths are bare names, as `mlflow-artifacts/artifacts` gives them."""
    if len(entries) <= PART:
        return ProxiedArtifacts(_files(entries, "") or UNSET)
    return Parts(_long(b'{"files":', entries, ""))


async def _long(head: bytes, entries: Sequence[FileInfo], prefix: str) -> AsyncIterator[bytes]:
    """The whole answer; each part but the first begins where the brackets of the one before were left open."""
    for start in range(0, len(entries), PART):
        part = _encode(_files(entries[start : start + PART], prefix))
        yield (b"," + part[1:-1]) if start else head + part[:-1]
        await asyncio.sleep(0)  # Others have their turn.
    yield b"]}"


def _files(entries: Sequence[FileInfo], prefix: str) -> list[ArtifactFile]:
    return [_file(entry, prefix) for entry in entries]


def _file(entry: FileInfo, prefix: str) -> ArtifactFile:
    name = entry.path.rpartition("/")[2]
    return ArtifactFile(prefix + name, entry.is_dir, UNSET if entry.size is None else entry.size)
