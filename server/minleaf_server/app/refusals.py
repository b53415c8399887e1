"""The answers of the gate to requests that it does not let through."""

from dataclasses import dataclass, field

from minleaf_server.rest.errors import body_of
from minleaf_server.web.body import too_large

API_PREFIXES = ("/api/", "/ajax-api/")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to be refused: the status, MLflow's error code and a text that says what would be right.

    The text repeats nothing of the request.
    """

    status: int
    code: str
    message: str
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())


HOST_MISSING = Refusal(400, "BAD_REQUEST", "A request needs exactly one Host header, and it must not be empty.")
HOST_UNKNOWN = Refusal(
    403,
    "PERMISSION_DENIED",
    "Invalid Host header: this server does not answer to the name in the Host header of this request. If the name is "
    "right, start the server with --allowed-hosts NAME or --allowed-hosts NAME:PORT.",
)
CROSS_SITE = Refusal(
    403,
    "PERMISSION_DENIED",
    "Cross-origin request blocked: it changes data and was sent by a web page of another origin. Only pages of this "
    "server may do that, and those of origins given with --cors-allowed-origins. Behind a reverse proxy, start the "
    "server with --trusted-proxy ADDRESS and let the proxy set X-Forwarded-Proto.",
)
PROXIED = Refusal(
    403,
    "PERMISSION_DENIED",
    "This request came through a proxy, and this server has no login: whoever reaches the proxy could read and change "
    "everything. If the proxy lets in only the right people, start the server with --trusted-proxy ADDRESS (from which "
    "the proxy connects) and --allowed-hosts NAME (the name under which people reach it).",
)
ENCODED_BODY = Refusal(
    415,
    "BAD_REQUEST",
    "The body of this request has a Content-Encoding. Compressed bodies are not read: send the body as it is.",
    ((b"accept-encoding", b"identity"),),
)
# The parser passes over an encoding that it does not know, but a proxy in front might not: nothing more is read.
TRANSFER_UNKNOWN = Refusal(
    400,
    "BAD_REQUEST",
    "The Transfer-Encoding of this request is not known here. Only chunked is.",
    ((b"connection", b"close"),),
)
LENGTH_INVALID = Refusal(400, "BAD_REQUEST", "The Content-Length header is not a number of bytes.")


def body_too_large(limit: int) -> Refusal:
    """The refusal of a body of more than `limit` bytes."""
    error = too_large(limit)
    return Refusal(413, error.code, error.message)


def internal_error(request_id: str) -> Refusal:
    """What is said about an error that nobody foresaw; its details are in the log under `request_id`."""
    return Refusal(500, "INTERNAL_ERROR", f"Internal error (request {request_id})")


def is_api(path: str) -> bool:
    """Whether a path (without the static prefix) belongs to the REST API, where errors are JSON in MLflow's shape."""
    return path.startswith(API_PREFIXES)


def rendered(refusal: Refusal, api: bool) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The body and the headers of a refusal: JSON in MLflow's shape for the API, else plain text."""
    if api:
        body = body_of(refusal.code, refusal.message)
        content_type = b"application/json"
    else:
        body = refusal.message.encode() + b"\n"
        content_type = b"text/plain; charset=utf-8"
    length = str(len(body)).encode()
    return body, [(b"content-type", content_type), (b"content-length", length), *refusal.headers]
