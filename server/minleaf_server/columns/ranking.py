"""Where distinct texts stand in their order, so that a column of them is sorted as integers."""

import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import ne

import numpy as np
from numpy.typing import NDArray

WHOLE = sys.maxsize
"""Characters of a text that sorts by all of them."""

_FEW = 32
"""Up to one in so many new texts are found their places one by one; with more, all are sorted anew."""


@dataclass(frozen=True)
class Ranking:
    """`ranks` by code: 0 for what sorts first; texts that sort alike have the same.

    The first `numbers` ranks are the numbers', by value. The others are the texts', by code points of their first
    `characters`; `sorted` has one code of each.
    """

    texts: Sequence[str]
    characters: int
    numbers: int
    ranks: NDArray[np.int32]
    sorted: NDArray[np.int32]

    @staticmethod
    def empty(texts: Sequence[str], characters: int) -> "Ranking":
        """Of no text yet; `texts` grow at their end."""
        return Ranking(texts, characters, 0, np.empty(0, np.int32), np.empty(0, np.int32))

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.ranks.nbytes + self.sorted.nbytes

    @property
    def size(self) -> int:
        """How many ranks there are."""
        return self.numbers + len(self.sorted)

    def place(self, text: str) -> tuple[int, bool]:
        """The rank of a text that is no number, and whether there is such a text. Otherwise where it would be."""
        place = bisect_left(self.sorted, text, key=self._key)
        exists = place < len(self.sorted) and self._key(self.sorted[place]) == text
        return self.numbers + place, exists

    def backwards(self) -> NDArray[np.int32]:
        """The ranks of the descending order, in which numbers still come before texts."""
        last_number, last_text = self.numbers - 1, self.numbers + self.size - 1
        return np.where(self.ranks < self.numbers, last_number, last_text).astype(np.int32) - self.ranks

    def extended(self, values: NDArray[np.float64]) -> "Ranking":
        """With the texts that have come; `values` by code, NaN for what is no number."""
        is_text = np.isnan(values)
        codes = np.flatnonzero(is_text).astype(np.int32)
        old = codes[codes < len(self.ranks)]
        new = codes[len(old) :]
        if len(new) * _FEW > len(old):
            text_ranks, in_order = self._sorted(codes)
        else:
            text_ranks, in_order = self._inserted(old, new)
        distinct, number_ranks = np.unique(values[~is_text], return_inverse=True)
        ranks = np.empty(len(values), np.int32)
        ranks[~is_text] = number_ranks
        ranks[codes] = text_ranks + len(distinct)
        return Ranking(self.texts, self.characters, len(distinct), ranks, in_order)

    def _key(self, code: int) -> str:
        return self.texts[code][: self.characters]

    def _keys(self, codes: NDArray[np.int32]) -> Iterator[str]:
        return (self.texts[code][: self.characters] for code in codes.tolist())

    def _sorted(self, codes: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        keys = list(self._keys(codes))
        order = np.fromiter(sorted(range(len(keys)), key=keys.__getitem__), np.int32, len(keys))
        is_first = np.ones(len(keys), bool)
        in_order = [keys[place] for place in order.tolist()]
        is_first[1:] = np.fromiter(map(ne, in_order[1:], in_order), bool, max(len(keys) - 1, 0))
        ranks = np.empty(len(keys), np.int32)
        ranks[order] = np.cumsum(is_first, dtype=np.int32) - 1
        return ranks, codes[order[is_first]]

    def _inserted(self, old: NDArray[np.int32], new: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        keys = list(self._keys(new))
        first = dict(zip(reversed(keys), reversed(new.tolist()), strict=True))
        places = {key: self.place(key) for key in sorted(first)}
        inserted = [(place - self.numbers, first[key]) for key, (place, exists) in places.items() if not exists]
        before = np.array([place for place, _ in inserted], np.intp)
        moved = np.cumsum(np.bincount(before, minlength=len(self.sorted) + 1)).astype(np.int32)
        in_order = np.insert(self.sorted, before, [code for _, code in inserted]).astype(np.int32)
        grown = Ranking(self.texts, self.characters, 0, self.ranks, in_order)
        old_ranks = self.ranks[old] - self.numbers
        new_ranks = np.array([grown.place(key)[0] for key in keys], np.int32)
        return np.concatenate([old_ranks + moved[old_ranks], new_ranks]), in_order
