"""How a history is put in order of time without holding all of it: windows of the blocks in which its points lie.

A block is a chunk, or some segments, of which only the ends and the number of points are known until it is read. A
window is the next stretch of the history: every point of it lies in the blocks that the plan names.
"""

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Generic, NamedTuple, TypeVar

from minleaf_server.points.series import Flags, Place, Series

Source = TypeVar("Source")


class Corner(NamedTuple):
    """A time and a step: the order of blocks, within a millisecond too."""

    timestamp: int
    step: int


class Block(NamedTuple, Generic[Source]):
    """At most so many points, each with a time and a step from `first`'s to `last`'s; `source` says where they are."""

    first: Corner
    last: Corner
    points: int
    source: Source


class Window(NamedTuple, Generic[Source]):
    """The blocks to read for the points before the corner, or for all that are left."""

    blocks: list[Block[Source]]
    before: Corner | None


def window(blocks: Sequence[Block[Source]], after: Place | None, wanted: int) -> Window[Source]:
    """The shortest window behind `after` that holds `wanted` points, if the blocks hold what they say.

    The blocks come sorted by their first corners.
    """
    start = None if after is None else Corner(after.timestamp, after.step)
    chosen: list[Block[Source]] = []
    open_: list[tuple[Corner, int]] = []
    complete = 0
    for block in blocks:
        if start is not None and block.last < start:
            continue
        while open_ and open_[0][0] < block.first:
            complete += heappop(open_)[1]
        if complete >= wanted:
            return Window(chosen, block.first)
        chosen.append(block)
        # How much of a block round the start is left to tell is not known before it is read.
        if start is None or block.first > start:
            heappush(open_, (block.last, block.points))
    return Window(chosen, None)


def first_points(
    parts: Iterable[tuple[Block[Source], Series]], after: Place | None, before: Corner | None, held_max: int
) -> tuple[Series, bool]:
    """The points of the window, sorted by time, each once, and whether that is all of them.

    Where blocks overlap so much that the window has more than `held_max` points, at least half as many: its first.
    """
    kept: list[Series] = []
    held = 0
    end: Place | None = None
    for block, part in parts:
        part = _inside(block, part, after, before)
        if end is not None:
            part = part[~part.behind(end)]
        kept.append(part)
        held += len(part)
        if held > held_max:
            ordered = _ordered(kept)
            if len(ordered) > held_max // 2:
                ordered = ordered[: held_max // 2]
                end = ordered.place(-1)
            kept, held = [ordered], len(ordered)
    return _ordered(kept), end is None


def _ordered(parts: list[Series]) -> Series:
    """The points by time. The list is emptied, so that they are not held twice while they are sorted."""
    joined = Series.joined(parts)
    parts.clear()
    return joined.by_time()


def _inside(block: Block[Source], part: Series, after: Place | None, before: Corner | None) -> Series:
    if after is not None and block.first <= after[:2]:
        part = part[part.behind(after)]
    if before is not None and block.last >= before:
        part = part[_earlier(part, before)]
    return part


def _earlier(part: Series, corner: Corner) -> Flags:
    same_time = part.timestamps == corner.timestamp
    earlier: Flags = (part.timestamps < corner.timestamp) | (same_time & (part.steps < corner.step))
    return earlier
