"""The rules that keys and values obey, checked before anything is sent.

The limits are MLflow's. One difference is deliberate: MLflow's server shortens a value that is too long, here it is
an error, because nothing is cut off in silence.
"""

import math
import operator
import posixpath
import re
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from minleaf.exceptions import InvalidParameter

MAX_KEY_LENGTH = 250
MAX_PARAM_LENGTH = 6000
MAX_TAG_LENGTH = 8000
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_KEY = re.compile(r"[/\w.\- :]+")


@lru_cache(maxsize=4096)
def checked_key(kind: str, key: str) -> str:
    """`key` when it may name a metric, param or tag; `kind` says which, for the message.

    Raises InvalidParameter.
    """
    if not isinstance(key, str):
        raise InvalidParameter(f"The name of a {kind} must be a string, not {type(key).__name__}: {key!r}.")
    if not key:
        raise InvalidParameter(f"The name of a {kind} must not be empty.")
    if len(key) > MAX_KEY_LENGTH:
        raise InvalidParameter(
            f"The name of a {kind} has at most {MAX_KEY_LENGTH} characters; {key[:40]!r}... has {len(key)}."
        )
    if not _KEY.fullmatch(key):
        raise InvalidParameter(
            f"{key!r} cannot name a {kind}: names are made of letters, digits, underscores, dashes, periods, spaces, "
            "colons and slashes."
        )
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise InvalidParameter(
            f"{key!r} cannot name a {kind}: read as a path it would be {posixpath.normpath(key)!r}. Leave out leading, "
            "trailing and double slashes and the parts '.' and '..'."
        )
    return key


def metric_value(key: str, value: Any) -> float:
    """`value` as a double: numbers, booleans, numpy scalars, arrays and tensors of one element, as MLflow takes them.

    An integer that no double can hold exactly is rounded with a warning. Raises InvalidParameter.
    """
    if type(value) is float:
        return value
    try:
        plain = _plain(value)
        number = float(plain)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InvalidParameter(
            f"The value of metric {key!r} must be one number; {_shown(value)} of type {type(value).__name__} is not: "
            f"{error}."
        ) from error
    if isinstance(plain, int) and int(number) != plain:
        warnings.warn(f"Metric {key!r}: {plain} was rounded to {number!r}, the nearest double.", stacklevel=4)
    return number


def _plain(value: Any) -> Any:
    """The Python number inside a numpy scalar, or inside an array or tensor of one element, whatever its shape."""
    item = getattr(value, "item", None)
    return item() if callable(item) else value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."


def int64(name: str, value: Any) -> int:
    """`value` as a signed 64-bit integer; a float counts when it is whole. Raises InvalidParameter."""
    try:
        number = _to_int(value)
    except (TypeError, ValueError, OverflowError) as error:
        hint = " For a time in milliseconds write int(time.time() * 1000)." if name == "timestamp" else ""
        raise InvalidParameter(f"The {name} must be a whole number, not {_shown(value)}.{hint}") from error
    if not INT64_MIN <= number <= INT64_MAX:
        raise InvalidParameter(f"The {name} must lie between -2**63 and 2**63 - 1, and {number} does not.")
    return number


def _to_int(value: Any) -> int:
    if isinstance(value, float):
        if not value.is_integer():
            raise ValueError("not a whole number")
        return int(value)
    return operator.index(value)


def timestamp_ms(value: Any) -> int:
    """`value` as a time in milliseconds since 1970. Raises InvalidParameter."""
    number = int64("timestamp", value)
    if number < 0:
        raise InvalidParameter(f"The timestamp counts milliseconds since 1970 and cannot be negative: {number}.")
    return number


def param_text(key: str, value: Any) -> str:
    """`str(value)` when it may be the value of param `key`. Raises InvalidParameter."""
    return _text("param", key, value, MAX_PARAM_LENGTH)


def tag_text(key: str, value: Any) -> str:
    """`str(value)` when it may be the value of tag `key`. Raises InvalidParameter."""
    return _text("tag", key, value, MAX_TAG_LENGTH)


def _text(kind: str, key: str, value: Any, limit: int) -> str:
    text = str(value)
    if len(text) > limit:
        raise InvalidParameter(
            f"The value of {kind} {key!r} has {len(text)} characters and at most {limit} are allowed. "
            "Nothing was logged."
        )
    return utf8(f"The value of {kind} {key!r}", text)


def utf8(what: str, text: str) -> str:
    """`text` when it can be encoded, which half a surrogate pair cannot. Raises InvalidParameter."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidParameter(f"{what} is not valid Unicode text: {error.reason} at {error.start}.") from error
    return text


def wire_float(value: float) -> float | str:
    """`value` as JSON carries it: a number, or one of the strings NaN, Infinity and -Infinity."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def checked_params(params: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Params as checked text. A key that comes twice with two values raises InvalidParameter."""
    checked: dict[str, str] = {}
    for key, value in params.items() if isinstance(params, Mapping) else params:
        text = param_text(checked_key("param", key), value)
        if checked.setdefault(key, text) != text:
            raise InvalidParameter(
                f"A param is written once: {key!r} comes twice in this call, as {checked[key]!r} and as {text!r}."
            )
    return checked
