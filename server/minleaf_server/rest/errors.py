"""Errors on the wire: the one table from error code to HTTP status, and the JSON body of an error."""

import json

from minleaf_server.errors import MinleafError, TooManyAttempts, Unavailable

STATUS = {
    "BAD_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "INVALID_STATE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "REQUEST_TOO_LARGE": 413,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
}
"""MLflow's statuses, but for INVALID_STATE, which is 500 there: the request is at fault, and its client retries a 500.

REQUEST_TOO_LARGE is ours; MLflow has no limit on a body.
"""

Headers = list[tuple[bytes, bytes]]


def body_of(code: str, message: str) -> bytes:
    """MLflow's JSON body of an error. Everything but ASCII is escaped, so that no text can break out of it."""
    return json.dumps({"error_code": code, "message": message}).encode("ascii")


def rendered(error: MinleafError) -> tuple[int, bytes, Headers]:
    """Status, body and additional headers of the answer that tells `error`."""
    headers: Headers = []
    if isinstance(error, (Unavailable, TooManyAttempts)):
        headers.append((b"retry-after", str(error.retry_after_seconds).encode("ascii")))
    return STATUS.get(error.code, 500), body_of(error.code, str(error)), headers
