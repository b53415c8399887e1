"""Tokens that continue a search: the order, and the values of the last row of the page."""

import math
from collections.abc import Sequence

import msgspec

from minleaf_server.db.keyset import SortKey, Value
from minleaf_server.entities import token
from minleaf_server.entities.limits import INT64_MAX, INT64_MIN
from minleaf_server.errors import InvalidParameter


class _Token(msgspec.Struct, forbid_unknown_fields=True):
    order: list[str]
    after: list[str | None]


def encode(order: Sequence[str], keys: Sequence[SortKey], values: Sequence[object]) -> str:
    """The token behind a row with these values, in a search ordered by `order`."""
    texts = [_to_text(key, value) for key, value in zip(keys, values, strict=True)]
    return token.encode(_Token(list(order), texts))


def decode(text: str, order: Sequence[str], keys: Sequence[SortKey]) -> list[Value]:
    """The values of the row that the page starts behind. Raises InvalidParameter for anything but such a token."""
    read = token.decode(text, _Token)
    if read.order != list(order):
        raise InvalidParameter(
            "Invalid page token: it belongs to a search with another order_by. Start that search at its first page."
        )
    if len(read.after) != len(keys):
        raise InvalidParameter("Invalid page token: it does not fit the order of the search.")
    return [_from_text(key, text) for key, text in zip(keys, read.after, strict=True)]


def _to_text(key: SortKey, value: object) -> str | None:
    if value is None:
        return None
    return float(value).hex() if key.type is float else str(value)  # type: ignore[arg-type]


def _from_text(key: SortKey, text: str | None) -> Value:
    if text is None:
        if key.nullable:
            return None
    elif key.type is str:
        if "\x00" not in text:
            return text
    else:
        number = _number(key, text)
        if number is not None:
            return number
    raise InvalidParameter("Invalid page token: a value in it is not one that the order can have.")


def _number(key: SortKey, text: str) -> int | float | None:
    try:
        if key.type is float:
            value = float.fromhex(text)
            return None if math.isnan(value) else value
        whole = int(text) if len(text) <= 20 else INT64_MAX + 1
    except (ValueError, OverflowError):
        return None
    return whole if INT64_MIN <= whole <= INT64_MAX else None
