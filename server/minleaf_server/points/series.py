"""The points of one metric of one run, as columns, and the orders they are read in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_INT64_MAX = np.int64(2**63 - 1)
_NEGATIVE_NANS = np.int64(2**52 - 1)


class Place(NamedTuple):
    """One point of a history by what orders it; the value by its 64 bits, as a signed integer."""

    timestamp: int
    step: int
    bits: int


@dataclass(frozen=True, slots=True)
class Series:
    """Three arrays of equal length: steps (int64), timestamps in ms (int64), values (float64, any bits)."""

    steps: Integers
    timestamps: Integers
    values: npt.NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Iterable["Series"]) -> Self:
        """The points of all parts, one part behind the other."""
        listed = list(parts)
        if len(listed) == 1:
            return cls(listed[0].steps, listed[0].timestamps, listed[0].values)
        nothing = np.empty(0, np.int64)
        return cls(
            np.concatenate([nothing, *(part.steps for part in listed)]),
            np.concatenate([nothing, *(part.timestamps for part in listed)]),
            np.concatenate([nothing.view(np.float64), *(part.values for part in listed)]),
        )

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, chosen: slice | Flags | npt.NDArray[np.intp]) -> Self:
        return type(self)(self.steps[chosen], self.timestamps[chosen], self.values[chosen])

    def by_step(self) -> Self:
        """Sorted by (step, timestamp, value), each distinct point once; the same arrays where that is so already."""
        return self._sorted(self.steps, self.timestamps)

    def by_time(self) -> Self:
        """Sorted by (timestamp, step, value) as MLflow's history is, each distinct point once."""
        return self._sorted(self.timestamps, self.steps)

    def place(self, index: int) -> Place:
        """What orders the point at the index."""
        return Place(int(self.timestamps[index]), int(self.steps[index]), int(self.values.view(np.int64)[index]))

    def behind(self, place: Place) -> Flags:
        """Which points come after the place in a history."""
        rank = rank_of(np.array([place.bits]).view(np.float64))[0]
        later_step = (self.steps > place.step) | ((self.steps == place.step) & (rank_of(self.values) > rank))
        later: Flags = (self.timestamps > place.timestamp) | ((self.timestamps == place.timestamp) & later_step)
        return later

    def has(self, place: Place) -> bool:
        """Whether one of the points is that of the place, by the bits."""
        same = (self.timestamps == place.timestamp) & (self.steps == place.step)
        return bool(np.any(same & (self.values.view(np.int64) == place.bits)))

    def _sorted(self, first: Integers, second: Integers) -> Self:
        # Chunks are sorted by step, and time mostly grows with it: then one look is all.
        if bool(np.all(first[1:] > first[:-1])):
            return self
        rank = rank_of(self.values)
        if _ascends(first, second, rank):
            return self
        order = np.lexsort((rank, second, first))
        first, second, rank = first[order], second[order], rank[order]
        # Points are the same when their bits are: a float comparison would keep the twins of a NaN.
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1]) | (rank[1:] != rank[:-1])
        return self[order[fresh]]


def rank_of(values: npt.NDArray[np.float64]) -> Integers:
    """An integer for every value: in the order of the values, -0.0 before 0.0, NaN last, other bits another integer."""
    bits = values.view(np.int64)
    # Negative numbers have their magnitude's bits: turned round, all numbers are in order, but for the NaN with a sign,
    # which come first; the subtraction wraps around and moves them to the end.
    return np.asarray((bits ^ ((bits >> np.int64(63)) & _INT64_MAX)) - _NEGATIVE_NANS)


def _ascends(first: Integers, second: Integers, rank: Integers) -> bool:
    """Whether the triples are in order and each is there once."""
    later = (second[1:] > second[:-1]) | ((second[1:] == second[:-1]) & (rank[1:] > rank[:-1]))
    return bool(np.all((first[1:] > first[:-1]) | ((first[1:] == first[:-1]) & later)))
