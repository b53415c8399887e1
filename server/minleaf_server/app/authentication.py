"""Who asks: an ASGI middleware behind the gate and before every route, on a server that asks for a login.

Without credentials only the few paths in OPEN_PATHS and the static files are answered, whatever routes there are.
"""

import asyncio
import base64
import binascii

from starlette.types import ASGIApp, Receive, Scope, Send

from minleaf_server.app.attempts import Attempts
from minleaf_server.app.proxies import TrustedProxies, last_value
from minleaf_server.app.refusals import is_api
from minleaf_server.entities.user import NAME_MAX, PASSWORD_MAX, User
from minleaf_server.errors import MinleafError, SetupError, TooManyAttempts, Unauthenticated
from minleaf_server.rest.errors import rendered
from minleaf_server.tracking import permissions
from minleaf_server.tracking.authority import Authority
from minleaf_server.tracking.permissions import Caller

OPEN_PATHS = frozenset(["/health", "/health/ready", "/version"])
OPEN_FOLDER = "/static/"
CREDENTIALS_MAX = 8192
_CHALLENGE = (b"www-authenticate", b'Basic realm="minleaf", charset="UTF-8"')


class Authentication:
    """See the module. `app` is what stands behind it; it is called with the caller of the request set."""

    def __init__(self, app: ASGIApp, authority: Authority | None, proxies: TrustedProxies) -> None:
        if authority is None:
            raise SetupError("--auth: the services of this server know no users.")
        self._app = app
        self._authority = authority
        self._proxies = proxies
        self._attempts = Attempts()
        self._pending: dict[bytes, asyncio.Task[User | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            await self._app(scope, receive, send)
            return
        try:
            user = await self._user(scope)
        except MinleafError as error:
            await _refuse(send, error, is_api(path))
            return
        before = permissions.enter(Caller(user, self._authority))
        try:
            await self._app(scope, receive, send)
        finally:
            permissions.leave(before)

    async def _user(self, scope: Scope) -> User:
        """The user whose credentials the request carries. Raises Unauthenticated, TooManyAttempts, Unavailable."""
        headers = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(headers) != 1 or len(headers[0]) > CREDENTIALS_MAX:
            raise _unauthenticated()
        header = headers[0]
        known = await self._authority.known(header)
        if known is not None:
            return known
        name, password = _basic(header)
        # A program that starts with many connections sends the same credentials on all of them: one attempt.
        attempt = self._pending.get(header)
        if attempt is None:
            attempt = asyncio.create_task(self._attempt(header, name, password, self._address(scope)))
            self._pending[header] = attempt
            attempt.add_done_callback(lambda _: self._pending.pop(header))
        user = await asyncio.shield(attempt)
        if user is None:
            raise _unauthenticated()
        return user

    async def _attempt(self, header: bytes, name: str, password: str, address: str) -> User | None:
        """The user, where the password is right. Raises TooManyAttempts, Unavailable."""
        wait = self._attempts.wait(address, name)
        if wait:
            raise TooManyAttempts("Too many failed attempts to log in. Try again later.", wait)
        # Counted before the slow work, so that many attempts at once are counted too.
        self._attempts.failed(address, name)
        user = await self._authority.verify(header, name, password)
        if user is not None:
            self._attempts.succeeded(address, name)
        return user

    def _address(self, scope: Scope) -> str:
        """Where the request came from; a trusted proxy says it in X-Forwarded-For."""
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if self._proxies.trusts(scope):
            told = next((value for name, value in reversed(scope["headers"]) if name == b"x-forwarded-for"), b"")
            return last_value(told).decode("latin-1")[:64] or address
        return address


def _unauthenticated() -> Unauthenticated:
    return Unauthenticated(
        "You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html"
        "#authenticating-to-mlflow on how to authenticate: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
    )


def _basic(header: bytes) -> tuple[str, str]:
    """The name and the password of a Basic header. Raises Unauthenticated for anything else."""
    scheme, _, coded = header.partition(b" ")
    try:
        text = base64.b64decode(coded.strip(), validate=True).decode("utf-8") if scheme.lower() == b"basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    name, colon, password = text.partition(":")
    if not name or not colon or len(name) > NAME_MAX or len(password) > PASSWORD_MAX or "\0" in text:
        raise _unauthenticated()
    return name, password


async def _refuse(send: Send, error: MinleafError, api: bool) -> None:
    status, body, headers = rendered(error)
    kind = b"application/json"
    if not api:
        body, kind = f"{error}\n".encode(), b"text/plain; charset=utf-8"
    if status == 401:
        headers = [*headers, _CHALLENGE]
    length = (b"content-length", str(len(body)).encode("ascii"))
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), length, *headers]}
    )
    await send({"type": "http.response.body", "body": body})
