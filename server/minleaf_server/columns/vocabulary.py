"""The distinct texts of a column, and what is worked out once for each of them."""

import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from operator import eq

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns.ranking import WHOLE, Ranking
from minleaf_server.entities.number import number_of

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

RECENT_MAX = 50_000
"""Texts in the dict of the index, which takes 100 bytes a text; older ones take 12."""

ANSWERS_MAX = 8
"""Tests whose answers are remembered, at a byte a text: a page that is refreshed asks the same again."""


class Vocabulary:
    """Distinct texts in the order of their first appearance. The place of a text is its code, which never changes.

    One thread at a time adds texts. Others may read meanwhile: they see as many texts as there were, or more.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts: list[str] = []
        self._index = _Index(self.texts)
        self._text_bytes = 0
        self._numbers = np.empty(0)
        self._rankings: dict[tuple[bool, int], Ranking] = {}
        self._answers: dict[Hashable, Mask] = {}
        self._lock = threading.Lock()
        self.codes_of(texts)

    @classmethod
    def of_distinct(cls, texts: Sequence[str]) -> "Vocabulary":
        """As `Vocabulary(texts)`, of texts that are known to be distinct: that takes a tenth of the time."""
        made = cls()
        made.texts.extend(texts)
        made._index.extended()
        made._text_bytes = sum(map(sys.getsizeof, texts))
        return made

    def code_of(self, text: str) -> int:
        """The code of a text, or -1 where it has none."""
        return self._index.code_of(text)

    def codes_of(self, texts: Iterable[str]) -> Codes:
        """The code of each of `texts`, in their order; those that have none yet are added."""
        size = len(self.texts)
        codes = self._index.codes_of(list(texts))
        self._text_bytes += sum(map(sys.getsizeof, islice(self.texts, size, None)))
        return codes

    @property
    def numbers(self) -> NDArray[np.float64]:
        """By code, the number that the text spells, or NaN where it spells none."""
        known, size = self._numbers, len(self.texts)
        if len(known) < size:
            found = (number_of(text) for text in islice(self.texts, len(known), size))
            more = np.fromiter((np.nan if number is None else number for number in found), float)
            self._numbers = known = np.concatenate([known, more])
        return known

    def ranking(self, numeric: bool = False, characters: int = WHOLE) -> Ranking:
        """Where each text stands among the others by its first `characters`; if `numeric`, numbers before texts."""
        known = self._rankings.get((numeric, characters)) or Ranking.empty(self.texts, characters)
        size = len(self.texts)
        if len(known.ranks) < size:
            values = self.numbers if numeric else np.full(size, np.nan)
            self._rankings[numeric, characters] = known = known.extended(values)
        return known

    def passing(self, test: Hashable, answer: Callable[[Sequence[str]], Mask]) -> Mask:
        """By code, whether the text passes a test. `answer` works it out for texts that `test` was not asked of yet."""
        known, size = self._answers.get(test), len(self.texts)
        if known is not None and len(known) >= size:
            return known
        if known is None:
            known = answer(self.texts[:size])
        else:
            known = np.concatenate([known, answer(self.texts[len(known) : size])])
        with self._lock:
            self._answers.pop(test, None)
            self._answers[test] = known
            while len(self._answers) > ANSWERS_MAX:
                del self._answers[next(iter(self._answers))]
        return known

    @property
    def nbytes(self) -> int:
        """Bytes of memory: of the texts and of everything that is remembered of them."""
        with self._lock:
            answers = sum(answer.nbytes for answer in self._answers.values())
        rankings = sum(ranking.nbytes for ranking in list(self._rankings.values()))
        texts = self._text_bytes + sys.getsizeof(self.texts)
        return texts + self._index.nbytes + self._numbers.nbytes + rankings + answers


class _Index:
    """From a text to its code: a dict of the latest texts, and the sorted hashes of the older ones."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts
        self._recent = _Recent(texts, _NO_HASHES)
        self._older = _NO_HASHES

    def code_of(self, text: str) -> int:
        code = self._recent.get(text)
        return _older_code(self._older, self._texts, text) if code is None else code

    def codes_of(self, texts: Sequence[str]) -> Codes:
        codes = self._older_codes(texts)
        rest = np.flatnonzero(codes < 0)
        codes[rest] = np.fromiter(map(self._recent.__getitem__, map(texts.__getitem__, rest.tolist())), np.int32)
        if len(self._recent) > RECENT_MAX:
            self._age()
        return codes

    def _older_codes(self, texts: Sequence[str]) -> Codes:
        """The code of each older text, all at once, and -1 of the others; of some older ones too, if hashes collide."""
        hashes, codes = self._older
        if not len(hashes):
            return np.full(len(texts), -1, np.int32)
        places = np.searchsorted(hashes, np.fromiter(map(hash, texts), np.int64, len(texts)))
        found: Codes = codes.take(places, mode="clip")
        is_it = map(eq, texts, map(self._texts.__getitem__, found.tolist()))
        found[~np.fromiter(is_it, bool, len(texts))] = -1
        return found

    def extended(self) -> None:
        """Take over texts that were put into the list of an empty index."""
        if len(self._texts) > RECENT_MAX:
            self._age()
        else:
            self._recent.update(zip(self._texts, range(len(self._texts)), strict=True))

    def _age(self) -> None:
        hashes = np.fromiter(map(hash, self._texts), np.int64, len(self._texts))
        order = np.argsort(hashes).astype(np.int32)
        # In this order, so that a reader finds every text in one of the two.
        self._older = (hashes[order], order)
        self._recent = _Recent(self._texts, self._older)

    @property
    def nbytes(self) -> int:
        # A dict counts its table only; each code in it is an integer object.
        return sys.getsizeof(self._recent) + 32 * len(self._recent) + sum(array.nbytes for array in self._older)


_Hashes = tuple[NDArray[np.int64], Codes]
_NO_HASHES: _Hashes = (np.empty(0, np.int64), np.empty(0, np.int32))


def _older_code(older: _Hashes, texts: list[str], text: str) -> int:
    hashes, codes = older
    if not len(hashes):
        return -1
    wanted = hash(text)
    place = int(np.searchsorted(hashes, wanted))
    while place < len(hashes) and hashes[place] == wanted:
        if texts[codes[place]] == text:
            return int(codes[place])
        place += 1
    return -1


class _Recent(dict[str, int]):
    """Codes by text. A text that is asked for and new gets the next one."""

    def __init__(self, texts: list[str], older: _Hashes) -> None:
        super().__init__()
        self._texts = texts
        self._older = older

    def __missing__(self, text: str) -> int:
        code = _older_code(self._older, self._texts, text)
        if code < 0:
            code = len(self._texts)
            # The text first: who finds the code finds its text.
            self._texts.append(text)
            self[text] = code
        return code
