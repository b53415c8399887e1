"""Compression of large answers, as the client asks for it: zstd before gzip.

A client on the same machine gets all as it is, because there compression takes longer than sending.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from typing import Protocol

import zstandard
from starlette.types import Scope

from minleaf_server.web.peer import is_local

WORTHWHILE = 4096
"""Bytes from which an answer is compressed. It takes 15 to 20 µs there, and what is saved are packets."""
IN_THREAD = 128 * 1024
"""Bytes from which it is done in a thread, so that no other request waits for it."""
ASKED_MAX = 200
"""Bytes of the longest Accept-Encoding that is read; no client sends half as many."""

Header = tuple[bytes, bytes]

VARY: Header = (b"vary", b"Accept-Encoding")


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


# The first level of each: the next ones take up to twice as long and save a tenth.
_MAKERS: dict[bytes, Callable[[], _Compressor]] = {
    b"zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    b"gzip": lambda: zlib.compressobj(1, zlib.DEFLATED, 31),
}


def encoding_for(scope: Scope) -> bytes | None:
    """How a large answer to this request is compressed; None where it is not."""
    asked = b",".join([value for name, value in scope["headers"] if name == b"accept-encoding"])
    return None if not asked or is_local(scope) else best_of(asked)


def best_of(asked: bytes) -> bytes | None:
    """The encoding that an Accept-Encoding prefers, of those that are known by name here; the first of equals."""
    return _best_of(asked) if len(asked) <= ASKED_MAX else None


@lru_cache(256)
def _best_of(asked: bytes) -> bytes | None:
    weights: dict[bytes, float] = {}
    for entry in asked.lower().split(b","):
        name, *parameters = [part.strip() for part in entry.split(b";")]
        weights[name] = _weight(parameters)
    best = max(_MAKERS, key=lambda name: weights.get(name, 0.0))
    return best if weights.get(best, 0.0) > 0 else None


def _weight(parameters: list[bytes]) -> float:
    for one in parameters:
        name, _, value = one.partition(b"=")
        if name.strip() == b"q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def compressed(encoding: bytes, body: bytes) -> bytes:
    """A whole body."""

    def work() -> bytes:
        one = _MAKERS[encoding]()
        return one.compress(body) + one.flush()

    return work() if len(body) < IN_THREAD else await asyncio.to_thread(work)


async def compressed_parts(encoding: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body that comes in parts, in the parts that come out."""
    one = _MAKERS[encoding]()
    async for part in parts:
        if made := one.compress(part) if len(part) < IN_THREAD else await asyncio.to_thread(one.compress, part):
            yield made
    yield one.flush()
