"""A regular expression over many texts. RE2 is quick and a call of it is not, so it is given many texts as lines."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minleaf_server.filters.pattern import Pattern
from minleaf_server.filters.regex import compiled

Mask = NDArray[np.bool_]

_AT_ONCE = 4096
_FEW = 3
_BLANKS, _BLANKS_OF_A_LINE = r" \t\n\r\f\v", r" \t\r\f\v"


def found_in(texts: Sequence[str], pattern: Pattern) -> Mask:
    """Of each text, whether the expression is found anywhere in it."""
    one = compiled(pattern.re2)
    source = _for_lines(pattern.re2)
    lines = compiled(source) if source else None
    found = np.zeros(len(texts), bool)
    for start in range(0, len(texts), _AT_ONCE):
        part = [text.encode() for text in texts[start : start + _AT_ONCE]]
        stretches = _stretches(lines, part) if lines else None
        if stretches is None:
            found[[start + place for place, text in enumerate(part) if one.search(text)]] = True
            continue
        for first, end in stretches:
            found[start + first : start + end] = True
        # Texts that match and do not by turns need as many calls as by themselves, and slower ones.
        if len(stretches) * _FEW > len(part):
            lines = None
    return found


def _for_lines(expression: str) -> str | None:
    """An expression that takes as many lines as follow each other and have a match, or None where that cannot be."""
    source = expression.removeprefix("(?s)").replace(_BLANKS, _BLANKS_OF_A_LINE)
    if any(character <= "\n" for character in source):
        return None  # It may ask for a newline: by itself, or as one of a range.
    line = re.sub(r"\\.|\[\^", lambda found: r"[^\n" if found[0] == "[^" else found[0], source, flags=re.DOTALL)
    return rf"(?m)(?:^.*(?:{line}).*$\n?)+"


def _stretches(lines: Any, texts: Sequence[bytes]) -> list[tuple[int, int]] | None:
    """The texts that have a match, from the first of a stretch to behind its last. None if a text is no line."""
    joined = b"\n".join(texts)
    ends = np.flatnonzero(np.frombuffer(joined, np.uint8) == ord("\n")).tolist()
    if len(ends) != len(texts) - 1:
        return None
    starts = [0, *(end + 1 for end in ends), len(joined) + 1]
    found: list[tuple[int, int]] = []
    place = 0
    while place <= len(joined) and (match := lines.search(joined, place)):
        first = bisect_right(starts, match.start()) - 1
        end = bisect_right(starts, max(match.start(), match.end() - 1))
        found.append((first, end))
        place = starts[end]
    return found
