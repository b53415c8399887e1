"""Which part of a file a request asks for, and whether it needs any: Range, If-Range and If-None-Match (RFC 9110)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """The status of the answer and the bytes from `start` up to, not including, `end` that it holds."""

    status: int
    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def plan(headers: Mapping[bytes, bytes], size: int, etag: str, modified_ms: int) -> Plan:
    """What to answer: 200, 206 with a part, 304, or 416 where no byte of the file is asked for.

    A header that is not understood, and one with several ranges, counts as if it were not there, as RFC 9110 allows.
    """
    if etag and _matches(headers.get(b"if-none-match", b""), etag):
        return Plan(304, 0, 0)
    whole = Plan(200, 0, size)
    asked = _RANGE.fullmatch(headers.get(b"range", b"").decode("latin-1").strip())
    if asked is None or not _is_same(headers.get(b"if-range"), etag, modified_ms):
        return whole
    first, last = asked.groups()
    if not first:
        return _part(max(size - int(last), 0), size, size) if last else whole
    if last and int(last) < int(first):
        return whole
    return _part(int(first), min(int(last) + 1, size) if last else size, size)


def http_date(modified_ms: int) -> str:
    """A time as HTTP writes it, to the second."""
    return formatdate(modified_ms // 1000, usegmt=True)


def _part(start: int, end: int, size: int) -> Plan:
    return Plan(206, start, end) if start < min(end, size) else Plan(416, 0, 0)


def _matches(header: bytes, etag: str) -> bool:
    texts = [text.strip().removeprefix("W/") for text in header.decode("latin-1").split(",")]
    return "*" in texts or etag.removeprefix("W/") in texts


def _is_same(condition: bytes | None, etag: str, modified_ms: int) -> bool:
    """Whether the file is still the one of which the client has a part. Only a strong ETag tells that for sure."""
    if condition is None:
        return True
    text = condition.decode("latin-1").strip()
    strong = bool(etag) and not etag.startswith("W/")
    return (strong and text == etag) or (modified_ms > 0 and text == http_date(modified_ms))
