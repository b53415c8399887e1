"""One HTTP call to the tracking server: retries, redirects, credentials, and what counts as an answer.

An answer is JSON from the configured origin. Anything else (a sign-in page, a redirect to another host) is an error,
so that no write is taken for done that was not.
"""

import atexit
import ipaddress
import json
import os
import random
import threading
import time
import weakref
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from minleaf._settings import Endpoint, endpoint
from minleaf._version import __version__
from minleaf.exceptions import ConfigurationError, ConnectionFailed, MinleafException, UnexpectedAnswer, refusal

TRIES = 5
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0
MOST_REDIRECTS = 3
TIMEOUT = httpx.Timeout(120.0, connect=10.0)
# Shorter than servers keep an idle connection (uvicorn: 5 s), so that no request meets one that is being closed.
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)

_BUSY = frozenset({429, 503})
_TRANSIENT = _BUSY | {502, 504}
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True)
class _Call:
    """One request. `repeatable` tells whether sending it twice does no harm."""

    method: str
    path: str
    params: dict[str, Any] | None
    body: bytes | None
    repeatable: bool


class Transport:
    """Sends requests to one server. Threads may share it, and a forked child makes its own connections.

    `tries` bounds the attempts of a call, `first_wait` is the pause in seconds before the second one; it doubles.
    """

    def __init__(self, server: Endpoint, *, tries: int = TRIES, first_wait: float = FIRST_WAIT) -> None:
        self.server = server
        self.tries = tries
        self.first_wait = first_wait
        self._start()
        _transports.add(self)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def after_fork(self) -> None:
        """In a forked child: leave the parent's connections alone. They are kept, because closing them sends bytes."""
        _of_the_parent.append(self._http)
        self._start()

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _connections(self) -> httpx.Client:
        http = self._http
        if http is None:
            with self._lock:
                http = self._http = self._http or self._open()
        return http

    def _open(self) -> httpx.Client:
        url = httpx.URL(self.server.address)
        # A proxy of the environment is of no use for this machine itself, and often set without an exception for it.
        from_environment = not (url.scheme == "http" and _is_this_machine(url.host))
        try:
            return httpx.Client(
                headers={"User-Agent": f"minleaf/{__version__}", "Accept": "application/json"},
                timeout=TIMEOUT,
                limits=LIMITS,
                follow_redirects=False,
                trust_env=from_environment,
            )
        except (ValueError, ImportError, OSError) as error:
            raise ConfigurationError(
                f"The proxy or certificate settings of the environment cannot be used: {error}."
            ) from error

    def json(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        repeatable: bool = True,
        gone_is_done: bool = False,
    ) -> dict[str, Any]:
        """Call `path` and return the JSON object of the answer.

        `gone_is_done`: a 404 that follows an attempt with an unknown end means that this attempt did delete.
        Raises ConnectionFailed, UnexpectedAnswer or a RestException.
        """
        data = None if body is None else json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
        response, in_doubt = self._attempts(_Call(method, path, params, data, repeatable))
        if response.status_code == 404 and in_doubt and gone_is_done:
            return {}
        return self._decoded(response)

    def text(self, path: str) -> str:
        """GET a plain text, such as the version. Raises as `json` does."""
        response, _ = self._attempts(_Call("GET", path, None, None, True))
        if response.status_code != 200:
            raise self._error(response)
        # MLflow's server calls its version text/html, so the type tells nothing.
        if response.text.lstrip().startswith("<"):
            raise self._unexpected(response)
        return response.text

    def _attempts(self, call: _Call) -> tuple[httpx.Response, bool]:
        """The last response, and whether an earlier attempt may have done its work without an answer arriving."""
        in_doubt = False
        for attempt in range(1, self.tries + 1):
            wait: float | None = None
            try:
                response = self._redirected(call)
            except httpx.RequestError as error:
                sent = not isinstance(error, _NEVER_SENT)
                if attempt == self.tries or (sent and not call.repeatable):
                    # The reason is in the message; the three tracebacks of the layers below would bury it.
                    raise self._failed(error, attempt, sent=sent, call=call) from None
                in_doubt = in_doubt or sent
            else:
                if not self._worth_repeating(call, response, attempt):
                    return response, in_doubt
                in_doubt = in_doubt or response.status_code not in _BUSY
                wait = _retry_after(response)
            # Not before the time asked for, but not with every other client at that very moment either.
            time.sleep((wait or 0.0) + self._pause(attempt if wait is None else 1))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _worth_repeating(self, call: _Call, response: httpx.Response, attempt: int) -> bool:
        status = response.status_code
        if attempt == self.tries or status not in _TRANSIENT or (_retry_after(response) or 0.0) > LONGEST_WAIT:
            return False
        return call.repeatable or status in _BUSY

    def _pause(self, attempt: int) -> float:
        return self.first_wait * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)

    def _redirected(self, call: _Call) -> httpx.Response:
        """The response after redirects within the configured origin; one to another origin is an error."""
        url = httpx.URL(self.server.address + call.path)
        response = self._once(call, url)
        for _ in range(MOST_REDIRECTS + 1):
            if not response.has_redirect_location:
                return response
            target = self._target(url, response)
            if _origin(target) != _origin(url) or (call.method != "GET" and response.status_code not in (307, 308)):
                raise UnexpectedAnswer(
                    f"The server at {self.server.address} redirects to {target.scheme}://{target.netloc.decode()} "
                    f"(HTTP {response.status_code}), which is not followed because credentials and data stay with the "
                    "configured address. Set the tracking URI to the address that answers."
                )
            response = self._once(_Call(call.method, call.path, None, call.body, call.repeatable), target)
        raise UnexpectedAnswer(f"The server at {self.server.address} redirects more than {MOST_REDIRECTS} times.")

    def _target(self, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        try:
            return url.join(response.headers["location"])
        except httpx.InvalidURL as error:
            raise UnexpectedAnswer(
                f"The server at {self.server.address} redirects to an address that cannot be read."
            ) from error

    def _once(self, call: _Call, url: httpx.URL) -> httpx.Response:
        headers = {"Authorization": self.server.authorization} if self.server.authorization else {}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return self._connections().request(call.method, url, params=call.params, content=call.body, headers=headers)

    def _decoded(self, response: httpx.Response) -> dict[str, Any]:
        if response.status_code != 200:
            raise self._error(response)
        try:
            body = json.loads(response.content)
        except ValueError as error:
            raise self._unexpected(response) from error
        if not isinstance(body, dict):
            raise self._unexpected(response)
        return body

    def _error(self, response: httpx.Response) -> MinleafException:
        try:
            body = json.loads(response.content)
            return refusal(str(body["message"]), body.get("error_code"), response.status_code)
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._error_without_json(response)

    def _error_without_json(self, response: httpx.Response) -> MinleafException:
        status = response.status_code
        error = refusal(f"{self.server.address} answered HTTP {status} {response.reason_phrase}.", None, status)
        speaks_for_itself = status in (401, 403, 413) or status >= 500 or status == 429
        return error if speaks_for_itself else self._unexpected(response)

    def _unexpected(self, response: httpx.Response) -> UnexpectedAnswer:
        kind = response.headers.get("content-type", "no content type")
        return UnexpectedAnswer(
            f"{self.server.address} answered HTTP {response.status_code} with {kind} where JSON was expected. A "
            "sign-in page, a proxy or another program may stand at this address; check the tracking URI."
        )

    def _failed(self, error: httpx.RequestError, attempts: int, *, sent: bool, call: _Call) -> ConnectionFailed:
        times = "once" if attempts == 1 else f"{attempts} times"
        reason = str(error) or type(error).__name__
        if sent:
            message = f"The connection to the tracking server at {self.server.address} broke ({reason}), tried {times}."
            if not call.repeatable:
                message += " Whether the server did what was asked is unknown, so it was not asked again."
            return ConnectionFailed(message)
        return ConnectionFailed(
            f"No tracking server at {self.server.address} ({reason}), tried {times}. Start one with `minleaf ui`, or "
            "set MINLEAF_TRACKING_URI or set_tracking_uri() to the address of yours."
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    # httpx leaves out the port where it is the usual one of the scheme.
    return url.scheme, url.host, url.port


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait, from a number or a date, or None."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


_transports: "weakref.WeakSet[Transport]" = weakref.WeakSet()
_of_the_parent: list[httpx.Client | None] = []
_shared: dict[Endpoint, Transport] = {}


def shared(uri: str) -> Transport:
    """The transport to the server at `uri`, one per server and credentials. Raises ConfigurationError."""
    server = endpoint(uri)
    try:
        httpx.URL(server.address)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"The tracking URI {server.address!r} cannot be read: {error}.") from error
    # setdefault is atomic; a transport that loses the race has opened no connection yet.
    return _shared.get(server) or _shared.setdefault(server, Transport(server))


def _after_fork() -> None:
    for transport in list(_transports):
        transport.after_fork()


def _close_all() -> None:
    for transport in list(_transports):
        transport.close()


# Registered before the handler that ends open runs, so it runs after it.
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
