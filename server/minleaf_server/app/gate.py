"""The gate: an ASGI middleware that stands before routing and checks every request, whatever its path.

It answers only to known names (Host), takes changes only from its own pages or from programs that are no browser
(Origin, Sec-Fetch-Site), and caps bodies. It has no list of guarded paths that a new route could be missing from.
"""

import logging
import secrets
from collections.abc import Callable
from itertools import count

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from minleaf_server.app.exchange import MeteredBody, Reply, security_headers
from minleaf_server.app.hosts import HostRules, split_host
from minleaf_server.app.origins import CorsRules, preflight_headers
from minleaf_server.app.proxies import TrustedProxies, last_value
from minleaf_server.app.refusals import (
    CROSS_SITE,
    ENCODED_BODY,
    HOST_MISSING,
    HOST_UNKNOWN,
    LENGTH_INVALID,
    PROXIED,
    TRANSFER_UNKNOWN,
    Refusal,
    body_too_large,
    internal_error,
)
from minleaf_server.config import Settings
from minleaf_server.log import request_id as current_request
from minleaf_server.web.peer import FORWARDED_HEADERS

SAFE_METHODS = frozenset(["GET", "HEAD", "OPTIONS"])
OPEN_PATHS = frozenset(["/health", "/version"])
PREFLIGHT = b"access-control-request-method"
WATCHED = FORWARDED_HEADERS | frozenset(
    [b"host", b"origin", b"sec-fetch-site", b"content-length", b"transfer-encoding", b"content-encoding", PREFLIGHT]
)
SINGLE = (b"origin", b"sec-fetch-site")
DEFAULT_PORTS = {b"http": b"80", b"https": b"443"}

log = logging.getLogger(__name__)

Header = tuple[bytes, bytes]
TakesFiles = Callable[[str, str], bool]


def takes_no_files(_method: str, _path: str) -> bool:
    """Every body is capped."""
    return False


class Gate:
    """See the module. `app` is what stands behind the gate; it gets only requests that passed.

    `takes_files` tells by method and path (without the static prefix) for which requests the cap does not hold.
    """

    def __init__(self, app: ASGIApp, settings: Settings, takes_files: TakesFiles = takes_no_files) -> None:
        self._app = app
        self._takes_files = takes_files
        self._prefix = settings.static_prefix.rstrip("/")
        any_name = settings.insecure_no_auth or settings.auth
        self._hosts = HostRules(settings.host, settings.port, settings.allowed_hosts, any_name)
        self._cors = CorsRules(settings.cors_allowed_origins)
        self._headers = security_headers(settings.x_frame_options)
        self._proxies = TrustedProxies(settings.trusted_proxy)
        self._guard_proxy = not self._proxies and not settings.insecure_no_auth and not settings.auth
        self._max_body = settings.max_body_bytes
        self._too_large = body_too_large(settings.max_body_bytes)
        self._name = secrets.token_hex(4)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:  # No route speaks WebSocket. Closed before it is accepted, it is answered with 403.
            await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"{self._name}-{next(self._numbers):x}"
        current_request.set(request_id)
        path: str = self._inner_path(scope) if self._prefix else scope["path"]
        watched = [header for header in scope["headers"] if header[0] in WATCHED]
        seen = dict(watched)
        origin = seen.get(b"origin")
        headers = [*self._headers, *self._cors.headers(origin)] if self._cors else self._headers
        reply = Reply(send, request_id, path, headers)
        refusal = self._refusal(scope, path, seen, watched)
        if refusal is not None:
            await reply.refuse(refusal)
            return
        method = scope["method"]
        if method == "OPTIONS" and self._cors.allows(origin) and PREFLIGHT in seen:
            await _preflight(scope, reply)
            return
        if b"transfer-encoding" in seen and not self._takes_files(method, path):
            receive = MeteredBody(receive, self._max_body, reply, self._too_large).receive
        if method == "HEAD":
            # Whoever serves us sends no body for HEAD, so every page answers HEAD exactly as it answers GET. Whoever
            # would read a large file for it looks at the mark.
            scope = {**scope, "method": "GET", "minleaf.head": True}
        try:
            await self._app(scope, receive, reply.send)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("A request failed", extra={"fields": {"method": method}})
            # Where half an answer is out, nothing more is sent; uvicorn then closes the connection, which tells it.
            await reply.refuse(internal_error(request_id))

    def _inner_path(self, scope: Scope) -> str:
        """The path without the static prefix; the prefix becomes the `root_path` that links are built with."""
        path: str = scope["path"]
        prefix = self._prefix
        if not path.startswith(prefix) or path[len(prefix) : len(prefix) + 1] not in ("", "/"):
            return path
        scope["root_path"] = prefix
        if path == prefix:
            scope["path"] = prefix + "/"
        return path[len(prefix) :] or "/"

    def _refusal(self, scope: Scope, path: str, seen: dict[bytes, bytes], watched: list[Header]) -> Refusal | None:
        """Why the request is refused; None where it may pass."""
        if len(seen) != len(watched) and (refusal := _repeated(watched)):
            return refusal
        if not FORWARDED_HEADERS.isdisjoint(seen) and (refusal := self._forwarded(scope, seen)):
            return refusal
        host = seen.get(b"host")
        if not host:
            return HOST_MISSING
        method = scope["method"]
        if not self._hosts.allows(host):
            return None if path in OPEN_PATHS and method in SAFE_METHODS else HOST_UNKNOWN
        unsafe = method not in SAFE_METHODS
        if unsafe and not _from_own_page(scope, host, seen) and not self._cors.allows(seen.get(b"origin")):
            return CROSS_SITE
        refusal = self._body_refusal(seen)
        return None if refusal is self._too_large and self._takes_files(method, path) else refusal

    def _forwarded(self, scope: Scope, seen: dict[bytes, bytes]) -> Refusal | None:
        """Take over what a trusted proxy says; what anybody else says is refused or ignored."""
        if not self._proxies.trusts(scope):
            through_proxy = b"x-forwarded-for" in seen or b"forwarded" in seen
            return PROXIED if through_proxy and self._guard_proxy else None
        scheme = last_value(seen.get(b"x-forwarded-proto", b"")).lower()
        if scheme in DEFAULT_PORTS:
            scope["scheme"] = scheme.decode("ascii")
        host = last_value(seen.get(b"x-forwarded-host", b""))
        if host:
            seen[b"host"] = host
            scope["headers"] = [(b"host", host), *(header for header in scope["headers"] if header[0] != b"host")]
        return None

    def _body_refusal(self, seen: dict[bytes, bytes]) -> Refusal | None:
        transfer = seen.get(b"transfer-encoding")
        if transfer is not None and transfer.lower() != b"chunked":
            return TRANSFER_UNKNOWN
        encoding = seen.get(b"content-encoding")
        if encoding and encoding.strip().lower() != b"identity":
            return ENCODED_BODY
        length = seen.get(b"content-length")
        if length is None:
            return None
        if not length.isdigit():
            return LENGTH_INVALID
        # The length of the text is looked at first: a number of thousands of digits is slow to convert.
        return self._too_large if len(length) > 18 or int(length) > self._max_body else None


def _repeated(watched: list[Header]) -> Refusal | None:
    names = [name for name, _ in watched]
    if names.count(b"host") > 1:
        return HOST_MISSING
    if names.count(b"transfer-encoding") > 1:
        return TRANSFER_UNKNOWN
    return CROSS_SITE if any(names.count(name) > 1 for name in SINGLE) else None


async def _preflight(scope: Scope, reply: Reply) -> None:
    """Tell a browser what a page of an allowed origin may send."""
    asked = next((value for name, value in scope["headers"] if name == b"access-control-request-headers"), b"")
    headers = [(b"content-length", b"0"), *preflight_headers(asked)]
    await reply.send({"type": "http.response.start", "status": 200, "headers": headers})
    await reply.send({"type": "http.response.body", "body": b""})


def _from_own_page(scope: Scope, host: bytes, seen: dict[bytes, bytes]) -> bool:
    """Whether an unsafe request comes from one of our own pages, or from a program that is no browser.

    Every browser sends Origin with such a request, and nearly all send Sec-Fetch-Site; a page cannot set either.
    """
    site = seen.get(b"sec-fetch-site")
    if site is not None and site not in (b"same-origin", b"none"):
        return False
    origin = seen.get(b"origin")
    if origin is None:
        return True
    scheme = scope["scheme"].encode("ascii")
    return origin == scheme + b"://" + host or origin == _origin(scheme, host)


def _origin(scheme: bytes, host: bytes) -> bytes:
    """The origin as browsers write it: in lower case and without the scheme's default port."""
    parts = split_host(host.lower())
    if parts is None:
        return b""
    name, port = parts
    return scheme + b"://" + name + (b":" + port if port and port != DEFAULT_PORTS[scheme] else b"")
