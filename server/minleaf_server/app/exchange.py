"""One request and its answer, as the gate sees them: what is added to every answer, and the cap on a body."""

from collections.abc import Awaitable, Sequence

from starlette.types import Message, Receive, Send

from minleaf_server.app.refusals import Refusal, is_api, rendered

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


Headers = Sequence[tuple[bytes, bytes]]


def security_headers(x_frame_options: str) -> Headers:
    """What every answer carries. MLflow's name for "no other site may show this in a frame" is one of them."""
    if x_frame_options == "NONE":
        return SECURITY_HEADERS
    return (*SECURITY_HEADERS, (b"x-frame-options", x_frame_options.encode("ascii")))


class Reply:
    """Sends an answer with `headers` added to it, and the request id. `path` is without the static prefix.

    After a refusal the application may still try to answer; nothing of that is sent.
    """

    __slots__ = ("_headers", "_id", "_path", "_refused", "_send", "_started")

    def __init__(self, send: Send, request_id: str, path: str, headers: Headers) -> None:
        self._send = send
        self._headers = headers
        self._id = request_id
        self._path = path
        self._refused = False
        self._started = False

    def send(self, message: Message) -> Awaitable[None]:
        """The `send` that the application gets."""
        if self._refused:
            return _nothing()
        if message["type"] == "http.response.start":
            self._started = True
            request_id = (b"x-request-id", self._id.encode("ascii"))
            message["headers"] = [*message.get("headers", ()), *self._headers, request_id]
        return self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal. Where an answer has begun already, it is only cut short."""
        if not self._started:
            body, headers = rendered(refusal, is_api(self._path))
            await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await self.send({"type": "http.response.body", "body": body})
        self._refused = True


async def _nothing() -> None:
    pass


class MeteredBody:
    """A `receive` that counts the bytes of a body of unknown length and refuses the request above `limit`."""

    __slots__ = ("_left", "_receive", "_refusal", "_reply")

    def __init__(self, receive: Receive, limit: int, reply: Reply, refusal: Refusal) -> None:
        self._receive = receive
        self._left = limit
        self._reply = reply
        self._refusal = refusal

    async def receive(self) -> Message:
        """The next part of the body; a disconnect once there is too much."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left >= 0:
            return message
        await self._reply.refuse(self._refusal)
        return {"type": "http.disconnect"}
