"""Which of many texts pass a test. As `db.text_sql` has it on the databases."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import contains, eq, ge, gt, le, lt

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns.search import found_in
from minleaf_server.filters.fold import fold
from minleaf_server.filters.pattern import compile_pattern
from minleaf_server.filters.tree import Operator

Mask = NDArray[np.bool_]

_COMPARISONS: dict[Operator, Callable[[str, str], bool]] = {
    Operator.EQ: eq,
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
}


def passing(texts: Sequence[str], operator: Operator, value: str) -> Mask:
    """Of each text, whether `text operator value` holds; `operator` is a positive one."""
    if operator is Operator.LIKE:
        return _like(texts, value, len(texts))
    if operator is Operator.ILIKE:
        return _like(_folded(texts), fold(value), len(texts))
    if operator is Operator.MATCH:
        return found_in(texts, compile_pattern(value))
    return _all(_COMPARISONS[operator], texts, value, len(texts))


def containing(texts: Sequence[str], word: str) -> Mask:
    """Of each text, whether it has the word in it, whatever the case."""
    return _all(contains, _folded(texts), fold(word), len(texts))


def _all(test: Callable[[str, str], bool], texts: Iterable[str], value: str, size: int) -> Mask:
    return np.fromiter(map(test, texts, repeat(value)), bool, size)


def _folded(texts: Sequence[str]) -> Iterator[str]:
    if "".join(texts).isascii():
        return map(str.lower, texts)
    return (text.lower() if text.isascii() else fold(text) for text in texts)


def _like(texts: Iterable[str], pattern: str, size: int) -> Mask:
    first, *others = pattern.split("%")
    if "_" not in pattern and len(others) <= 2:
        if not others:
            return _all(eq, texts, first, size)
        if others == [""]:
            return _all(str.startswith, texts, first, size)
        if not first and len(others) == 1:
            return _all(str.endswith, texts, others[0], size)
        if not first and not others[1]:
            return _all(contains, texts, others[0], size)
    return np.fromiter(map(_Like(pattern).matches, texts), bool, size)


class _Like:
    """A pattern cut at its %: what lies between is found from left to right, each piece at its first place."""

    def __init__(self, pattern: str) -> None:
        first, *others = [_Piece(piece) for piece in pattern.split("%")]
        self._first = first
        self._middle = [piece for piece in others[:-1] if piece.size]
        self._last = others[-1] if others else None

    def matches(self, text: str) -> bool:
        """Whether the whole text matches, in time linear in the text for each piece."""
        if not self._first.is_at(text, 0):
            return False
        place = self._first.size
        if self._last is None:
            return place == len(text)
        for piece in self._middle:
            found = piece.find(text, place)
            if found < 0:
                return False
            place = found + piece.size
        return len(text) - self._last.size >= place and self._last.is_at(text, len(text) - self._last.size)


class _Piece:
    """Characters one after the other, of which _ is any."""

    def __init__(self, text: str) -> None:
        self.size = len(text)
        self._text = text
        wildcards = "".join("." if character == "_" else re.escape(character) for character in text)
        self._wild = re.compile(wildcards, re.DOTALL) if "_" in text else None

    def is_at(self, text: str, place: int) -> bool:
        if self._wild is None:
            return text.startswith(self._text, place)
        return self._wild.match(text, place) is not None

    def find(self, text: str, place: int) -> int:
        """The first place from `place` on, or -1."""
        if self._wild is None:
            return text.find(self._text, place)
        found = self._wild.search(text, place)
        return found.start() if found else -1
