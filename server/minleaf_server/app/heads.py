"""The head of an answer as bytes. Nearly every line of it is a line of the answer before, so lines are remembered."""

import string
from collections.abc import Iterable
from http import HTTPStatus
from typing import NamedTuple

Header = tuple[bytes, bytes]

LINES_MAX = 2048
_NAME = (string.ascii_lowercase + string.digits + "!#$%&'*+.^_`|~-").encode("ascii")
_VALUE = bytes([ord("\t"), *range(0x20, 0x7F), *range(0x80, 0x100)])
_FRAMING = frozenset([b"content-length", b"transfer-encoding", b"connection"])
_REPEATED = frozenset(
    [
        b"cache-control",
        b"content-encoding",
        b"content-security-policy",
        b"content-type",
        b"cross-origin-opener-policy",
        b"cross-origin-resource-policy",
        b"referrer-policy",
        b"vary",
        b"x-content-type-options",
        b"x-frame-options",
    ]
)
"""Headers with few values. The length of an answer, where it is short, is one too."""

# MLflow's server writes the phrases in capitals, and programs look for them in the errors of `requests`.
STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase.upper()}\r\n".encode("ascii") for one in HTTPStatus}

_lines: dict[Header, bytes] = {}


class Head(NamedTuple):
    """The lines of a head, without the empty one at its end, and what they say of the body and the connection.

    `length` is None where no line gives it.
    """

    data: bytes
    length: int | None
    chunked: bool
    closing: bool


def lines_of(headers: Iterable[Header]) -> bytes:
    """Headers as they are sent."""
    return b"".join(b"%s: %s\r\n" % header for header in headers)


def head_of(status: int, first_lines: bytes, headers: Iterable[Header]) -> Head:
    """The head with these headers behind `first_lines`.

    Raises RuntimeError for a name or a value that no header may have.
    """
    lines = [STATUS_LINES[status], first_lines]
    length: int | None = None
    chunked = closing = False
    for header in headers:
        line = _lines.get(header)
        if line is None:
            header = (header[0].lower(), header[1])
            line = _line(*header)
        lines.append(line)
        name, value = header
        if name in _FRAMING:
            if name == b"content-length":
                length = int(value)
            elif name == b"connection":
                closing = b"close" in [token.strip() for token in value.lower().split(b",")]
            else:
                chunked = value.lower() == b"chunked"
    return Head(b"".join(lines), length, chunked, closing)


def _line(name: bytes, value: bytes) -> bytes:
    # What is left without the permitted bytes is not permitted.
    if not name or name.translate(None, _NAME) or value.translate(None, _VALUE):
        raise RuntimeError(f"{name!r} with {value!r} is no HTTP header.")
    line = b"%s: %s\r\n" % (name, value)
    if (name in _REPEATED or (name == b"content-length" and len(value) <= 3)) and len(_lines) < LINES_MAX:
        _lines[name, value] = line
    return line
