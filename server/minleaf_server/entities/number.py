"""Text that is a number: how the value of a param is compared and sorted with numbers."""

import math
import re

# Digits are spelled out because \d takes every script's digits, and float() takes underscores and blanks.
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
)

MAX_NUMBER_LENGTH = 1100
"""A double needs at most 1,077 characters to be written out exactly; longer digits are text such as a hash."""


def number_of(text: str) -> float | None:
    """The number that `text` spells, or None where it spells none.

    A number is an optional sign, decimal digits with an optional point and exponent, or `inf` or `infinity` in any
    case. `nan`, hexadecimal, underscores, blanks and other scripts' digits are not numbers, and neither are digits
    whose value is too large for a double, because infinity is not what they say.
    """
    if len(text) > MAX_NUMBER_LENGTH or _NUMBER.fullmatch(text) is None:
        return None
    number = float(text)
    if math.isinf(number) and text[-1] not in "fFyY":
        return None
    return number
