"""Which web pages of other origins may call the API: none, unless the operator names them.

A browser asks first, with a preflight, before it sends what a page of another origin wants to change, and shows such a
page an answer only where a header allows it.
"""

import re
from collections.abc import Iterable

from minleaf_server.errors import SetupError

Headers = list[tuple[bytes, bytes]]

# An origin as a browser writes it, or with `*.` for every name below a domain of two labels or more.
_ORIGIN = re.compile(r"(https?)://((?:\*\.[a-z0-9-]+\.)?(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]))(:[0-9]{1,5})?")
_HEADER_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~ ,-]{0,1000}")
_METHODS = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
_PREFLIGHT_SECONDS = b"600"


class CorsRules:
    """The origins in `allowed`, each exact or with `*.` before a domain. Raises SetupError for anything else."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        exact: set[bytes] = set()
        below: list[tuple[bytes, bytes]] = []
        for entry in allowed:
            scheme, wildcard, rest = _parts(entry)
            if wildcard:
                below.append((scheme, rest))
            else:
                exact.add(scheme + rest)
        self._exact = frozenset(exact)
        self._below = tuple(below)

    def __bool__(self) -> bool:
        return bool(self._exact or self._below)

    def allows(self, origin: bytes | None) -> bool:
        """Whether pages of this origin may call the server."""
        if origin is None:
            return False
        return origin in self._exact or any(_is_below(origin, *entry) for entry in self._below)

    def headers(self, origin: bytes | None) -> Headers:
        """What every answer says to a browser; with credentials, because the origins are named and never `*`."""
        if not self:
            return []
        vary = (b"vary", b"Origin")
        if origin is None or not self.allows(origin):
            return [vary]
        return [
            vary,
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"Content-Disposition, ETag, Retry-After, X-Request-Id"),
        ]


def preflight_headers(asked: bytes) -> Headers:
    """The answer to a browser that asks whether it may send `asked`, the header names of its question."""
    found = [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _PREFLIGHT_SECONDS)]
    if asked and _HEADER_NAMES.fullmatch(asked):
        found.append((b"access-control-allow-headers", asked))
    return found


def _is_below(origin: bytes, scheme: bytes, domain: bytes) -> bool:
    """Whether the origin is `scheme` and a name that ends with `domain` (which begins with a dot)."""
    name = origin.removeprefix(scheme)
    if name == origin or not name.endswith(domain):
        return False
    return re.fullmatch(rb"[a-z0-9.-]+", name.removesuffix(domain)) is not None


def _parts(entry: str) -> tuple[bytes, bool, bytes]:
    """The scheme with its slashes, whether a `*` follows, and the rest."""
    text = entry.strip().lower().rstrip("/")
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise SetupError(
            f"--cors-allowed-origins: {entry!r} is no origin. Give scheme, name and port as a browser shows them, such "
            "as https://app.example.org or http://localhost:3000, or https://*.example.org for the names of a domain. "
            "A bare * is not taken: it would let any web page read this server."
        )
    scheme, rest = match[1], match[2] + (match[3] or "")
    rest = rest.removesuffix(":443" if scheme == "https" else ":80")
    return f"{scheme}://".encode("ascii"), rest.startswith("*"), rest.removeprefix("*").encode("ascii")
