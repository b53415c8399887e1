"""How the pages write numbers, times and long texts. Pure; a shortened text keeps its whole form beside it."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

SIGNIFICANT_DIGITS = 5
WHOLE_INTEGER_MAX = 10**6  # integers below this are shown with all their digits
CELL_CHARS_MAX = 80
TITLE_CHARS_MAX = 500

_SECOND = 1000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_UNITS = (("y", 365 * _DAY), ("mo", 30 * _DAY), ("d", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", _SECOND))
# Years 1 to 9999, what datetime can show; logged times may be any 64-bit number.
_EARLIEST = -62_135_596_800_000
_LATEST = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class Moment:
    """A time for a page: `text` relative to now, `title` absolute, `iso` for machines ("" where no clock shows it)."""

    text: str
    title: str
    iso: str


def number(value: float) -> str:
    """`value` with five significant digits: 0.43751, 1.2e-5, 500. NaN and infinities by their names."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    if value == int(value) and abs(value) < WHOLE_INTEGER_MAX:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    return _short_exponent(f"{value:.{SIGNIFICANT_DIGITS}g}")


def whole_number(value: float) -> str:
    """`value` with every digit it has, so that reading the text back gives the same double."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 2**53 and not (value == 0 and math.copysign(1, value) < 0):
        return str(int(value))
    return repr(value)


def _short_exponent(text: str) -> str:
    """Python writes e-05 and e+06; e-5 and e6 say the same."""
    mantissa, sign, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if sign else text


def count(value: int) -> str:
    """An integer with thousands separated: 1,204."""
    return f"{value:,}"


def span(first: int, last: int) -> str:
    """`101-200` with the dash of ranges."""
    return f"{count(first)}\N{EN DASH}{count(last)}"


def plural(value: int, one: str, many: str = "") -> str:
    """`1 run`, `1,204 runs`."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def decimals_padding(texts: list[str]) -> list[str]:
    """For each number of a column, the characters that, set behind it unseen, bring the decimal points into line.

    Numbers with an exponent and words such as NaN stay as they are.
    """
    tails = [_decimal_tail(text) for text in texts]
    widest = max((len(tail) for tail in tails if tail is not None), default=0)
    return ["" if tail is None else _padding(tail, widest) for tail in tails]


def _decimal_tail(text: str) -> str | None:
    digits = text.removeprefix("-")
    if not digits or not set(digits) <= set("0123456789."):
        return None
    whole, point, fraction = digits.partition(".")
    return point + fraction if whole else None


def _padding(tail: str, widest: int) -> str:
    missing = widest - len(tail)
    if missing <= 0:
        return ""
    return "0" * missing if tail else "." + "0" * (missing - 1)


def duration(ms: int) -> str:
    """A span in two units at most: `840 ms`, `12.4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if ms < 0:
        return "\N{MINUS SIGN}" + duration(-ms)
    if ms < _SECOND:
        return f"{ms} ms"
    if ms < _MINUTE:
        return f"{ms // 100 / 10:g} s"
    if ms < _HOUR:
        return _two_units(ms, _MINUTE, "min", _SECOND, "s")
    if ms < _DAY:
        return _two_units(ms, _HOUR, "h", _MINUTE, "min")
    return _two_units(ms, _DAY, "d", _HOUR, "h")


def _two_units(ms: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = ms % large // small
    head = f"{count(ms // large)} {large_name}"
    return f"{head} {rest} {small_name}" if rest else head


def relative(ms: int, now: int) -> str:
    """How long ago `ms` is, in one unit: `just now`, `4 min ago`, `3 d ago`, `in 2 h`."""
    distance = abs(now - ms)
    if distance < 10 * _SECOND:
        return "just now"
    unit, size = next((unit, size) for unit, size in _UNITS if distance >= size)
    amount = f"{count(distance // size)} {unit}"
    return f"{amount} ago" if ms <= now else f"in {amount}"


def moment(ms: int | None, now: int) -> Moment | None:
    """The time `ms` (milliseconds since 1970) as seen at `now`; None stays None."""
    if ms is None:
        return None
    if not _EARLIEST <= ms <= _LATEST:
        return Moment(text=f"{ms} ms", title=f"{ms} ms since 1970, outside the years 1 to 9999", iso="")
    at = datetime.fromtimestamp(ms // 1000, UTC)
    return Moment(
        text=relative(ms, now),
        title=at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        iso=at.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03d}Z",
    )


def shortened(text: str, limit: int = CELL_CHARS_MAX) -> str:
    """`text` on one line, cut at `limit` characters with a visible sign."""
    line = " ".join(text.split()) if any(c in text for c in "\n\r\t") else text
    return line if len(line) <= limit else line[: limit - 1] + "…"


def full_title(text: str, shown: str) -> str:
    """What a hover says of a text that stands in the page as `shown`: nothing, all of it, or its start and length."""
    if text == shown:
        return ""
    if len(text) <= TITLE_CHARS_MAX:
        return text
    return f"{text[:TITLE_CHARS_MAX]}… ({count(len(text))} characters; the run's page shows them all)"
