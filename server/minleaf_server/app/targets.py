"""The target in the first line of a request."""

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote

import httptools

DEFAULT_PORTS = {b"http": 80, b"https": 443}
REMEMBERED_MAX = 200
"""Bytes of a target that is remembered with its parts: logging asks for the same few again and again."""

Parts = tuple[str, bytes, bytes]


class BadHead(ValueError):
    """Raised inside the parser, which then stops; the client gets the status that was set before."""


def parsed(url: bytes) -> Parts:
    """The path, decoded and as it came, and the query of a target. Raises BadHead where it has no path."""
    return _remembered(url) if len(url) <= REMEMBERED_MAX else _parsed(url)


def _parsed(url: bytes) -> Parts:
    target = httptools.parse_url(url)
    if target.path is None:
        raise BadHead
    path = target.path.decode("ascii")
    return unquote(path) if "%" in path else path, target.path, target.query or b""


_remembered = lru_cache(512)(_parsed)


def check_absolute(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """`GET http://name/path`: the name must be the one in the Host header, which is what the gate looks at.

    Raises BadHead where it is not.
    """
    target = httptools.parse_url(url)
    hosts = [value.lower() for name, value in headers if name == b"host"]
    if target.schema is None or target.host is None or len(hosts) != 1:
        raise BadHead
    schema, name = target.schema.lower(), target.host.lower()
    default = DEFAULT_PORTS.get(schema)
    port = target.port or default
    name = b"[" + name + b"]" if b":" in name and not name.startswith(b"[") else name
    accepted = {name + b":%d" % port} if port else set()
    if default is None or hosts[0] not in accepted | ({name} if port == default else set()):
        raise BadHead
