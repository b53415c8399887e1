"""Dates and spans of time, as a filter writes them. Times are milliseconds since 1970."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

_UNITS = {
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "min": 60_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_PART = r"([0-9]{1,12})(?:\.([0-9]{1,6}))?(w|d|h|min|ms|m|s)"
_SPAN = re.compile(rf"([+-]?)((?:{_PART})+)")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

SPAN_EXAMPLE = "45s, 90m, 2h30m or 7d"
DATE_EXAMPLE = "2026-11-23 or '2026-11-23 10:00'"


class Period(NamedTuple):
    """What a written date covers, from `first` to `last` (ms, both included): a day, a minute, a second or a ms."""

    first: int
    last: int


def parse_span(text: str) -> int | None:
    """The milliseconds of `-7d`, `2h30m` or `1.5h`, or None where `text` is no span. What is finer is cut off."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    total = 0
    for whole, fraction, unit in re.findall(_PART, match.group(2)):
        total += int(whole) * _UNITS[unit]
        if fraction:
            total += int(fraction) * _UNITS[unit] // 10 ** len(fraction)
    return -total if match.group(1) == "-" else total


def parse_date(text: str) -> Period | None:
    """The period that `text` names, in UTC unless it ends with an offset, or None where it is no date."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        zone = _zone(offset)
        start = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=zone
        )
    except ValueError:
        return None
    first = (start - _EPOCH) // _MILLISECOND + int((fraction or "").ljust(3, "0"))
    if fraction:
        return Period(first, first)
    length = 1000 if second else 60_000 if hour else 86_400_000
    return Period(first, first + length - 1)


def _zone(offset: str | None) -> timezone:
    if offset is None or offset == "Z":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
