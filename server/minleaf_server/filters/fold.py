"""Which characters are the same letter when the case does not count. Not the database's rules, so both agree.

Two characters are the same letter when their lower cases are equal. ASCII letters are the same as ASCII letters only
(the Kelvin sign is no k), so that a database can compare them by itself.
"""

from functools import cache

# The scripts with two cases end before this code point.
_LAST_CASED = 0x1E944


@cache
def _upper_cases() -> dict[str, str]:
    """To each lower-case letter beyond ASCII the other characters whose lower case it is."""
    others: dict[str, str] = {}
    for code in range(0x80, _LAST_CASED):
        character = chr(code)
        lower = character.lower()
        if lower != character and len(lower) == 1 and not lower.isascii():
            others[lower] = others.get(lower, "") + character
    return others


def lower(character: str) -> str:
    """The one character that stands for all the same letters."""
    lowered = character.lower()
    if len(lowered) != 1 or lowered.isascii() != character.isascii():
        return character
    return lowered


def variants(character: str) -> str:
    """Every character that is the same letter, this one included."""
    if character.isascii():
        return "".join(sorted({character.lower(), character.upper()}))
    base = lower(character)
    return base + _upper_cases().get(base, "")


def fold(text: str) -> str:
    """`text` with every letter as `lower` gives it: equal for texts that differ in case only."""
    return "".join(map(lower, text))
