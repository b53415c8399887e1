"""Bytes on their way: small parts gathered to larger ones."""

from collections.abc import AsyncIterator


async def gathered(parts: AsyncIterator[bytes], size: int) -> AsyncIterator[list[bytes]]:
    """The parts in lists of at least `size` bytes together; the last may have fewer, and there is at least one."""
    waiting: list[bytes] = []
    total = 0
    async for part in parts:
        waiting.append(part)
        total += len(part)
        if total >= size:
            yield waiting
            waiting, total = [], 0
    yield waiting
