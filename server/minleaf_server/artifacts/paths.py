"""The one guard for every artifact path that a request names. Pure: it looks at no disk and at no store."""

import re
from urllib.parse import unquote

from minleaf_server.errors import InvalidParameter

MAX_SEGMENT_BYTES = 255
MAX_PATH_BYTES = 1024

TEMPORARY = ".minleaf-tmp"
"""The folder in which a local store keeps what is not whole yet. No path may name it, in any spelling of its case."""

# Control characters, the backslash (a separator elsewhere), and what decoders make of bytes that are no UTF-8: halves
# of surrogate pairs or U+FFFD.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\" "\ud800-\udfff\ufffd]")
# A drive (`C:/x`) or the scheme of an address (`file:/x`). `a:b` is a name like any other.
_ROOTED = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:(/|$)")
# Between folders, and before the fragment, the query and the parameters of what is taken for an address.
_STEPS = re.compile(r"[/\\#?;]")
_DECODINGS_MAX = 10


def checked(path: str) -> str:
    """The path as it is, once percent-decoded, where it names something below a root. Raises InvalidParameter.

    Legal are 1 to 255 bytes of UTF-8 a segment and 1,024 in all, without control characters and backslashes. What
    MLflow refuses because it decodes a path again and again is refused too: `%2e%2e/x` as a literal name, `x#/..`.
    Otherwise `%`, `#`, `?` and `:` are characters of names, which in MLflow `#` is not.
    """
    if not _is_safe(path) or not _stays_safe(path):
        raise InvalidParameter("Invalid path")
    return path


def checked_folder(path: str) -> str:
    """The path of a folder to list, without a slash at its end; "" is the root. Raises InvalidParameter."""
    return checked(path.removesuffix("/")) if path else path


def is_name(name: str) -> bool:
    """Whether one segment is a name that `checked` lets pass, so that what a store lists can also be opened."""
    return _is_safe(name) and "/" not in name


def _is_safe(path: str) -> bool:
    if _FORBIDDEN.search(path) or _ROOTED.match(path):
        return False
    if len(path.encode()) > MAX_PATH_BYTES:
        return False
    return all(_is_segment(segment) for segment in path.split("/"))


def _is_segment(segment: str) -> bool:
    return (
        segment not in ("", ".", "..") and len(segment.encode()) <= MAX_SEGMENT_BYTES and segment.lower() != TEMPORARY
    )


def _stays_safe(path: str) -> bool:
    """Whether no reader who decodes the path further, or takes it for an address, ends up elsewhere."""
    for _ in range(_DECODINGS_MAX):
        if path.startswith(("/", "\\")) or ".." in _STEPS.split(path):
            return False
        plain = unquote(path)
        if plain == path:
            return True
        path = plain
    return False
