"""The runs of a page in their order, without sorting all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns.keys import Key, Level, Places, Value, keys_of
from minleaf_server.columns.table import Mask, Rows
from minleaf_server.filters import OrderBy

Indexes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Found:
    """The places of the runs in their columns, in order, and the sort values of the last where more runs follow."""

    indexes: Indexes
    last: tuple[Value, ...] | None


def find(rows: Rows, mask: Mask, orders: Sequence[OrderBy], after: Sequence[Value] | None, limit: int) -> Found:
    """The first `limit` of the masked runs that come behind the sort values `after`."""
    order = keys_of(orders, rows)
    places: Places = slice(None) if mask.all() else np.flatnonzero(mask)
    if after is not None:
        places = _picked(places, _behind(order.keys, after, places))
    first = _sorted(_first(order.levels, places, limit + 1, rows.size), order.levels)
    if len(first) <= limit:
        return Found(first, None)
    return Found(first[:limit], order.values(int(first[limit - 1])))


def _picked(places: Places, mask: Mask) -> Indexes:
    return np.flatnonzero(mask) if isinstance(places, slice) else places[mask]


def _behind(keys: Sequence[Key], values: Sequence[Value], places: Places) -> Mask:
    """Of each run, whether it comes strictly behind these values. Only what is at a value is asked of the next key."""
    found = keys[0].behind(values[0], places)
    if len(keys) > 1:
        tied = np.flatnonzero(keys[0].is_at(values[0], places))
        if len(tied):
            found[tied] |= _behind(keys[1:], values[1:], tied if isinstance(places, slice) else places[tied])
    return found


def _first(levels: Sequence[Level], places: Places, count: int, size: int) -> Indexes:
    """The first `count` runs in any order. Only what is tied with the last of them is asked of the next level."""
    size = size if isinstance(places, slice) else len(places)
    if count >= size or not levels:
        return np.arange(size)[:count] if isinstance(places, slice) else places[:count]
    values = levels[0](places)
    edge = np.partition(values, count - 1)[count - 1]
    if edge == edge:
        ahead, tied = values < edge, values == edge
    else:
        tied = np.isnan(values)
        ahead = ~tied
    sure = _picked(places, ahead)
    return np.concatenate([sure, _first(levels[1:], _picked(places, tied), count - len(sure), size)])


def _sorted(places: Indexes, levels: Sequence[Level]) -> Indexes:
    # The last key of lexsort is the first to sort by.
    return places[np.lexsort([level(places) for level in reversed(levels)])] if len(places) else places
