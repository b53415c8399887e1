"""The page that says what went wrong, in the look of the others. `app` calls it for paths outside the API."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.errors import (
    EndpointNotFound,
    MinleafError,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unavailable,
)
from minleaf_server.ui.page import render

_STATUS: tuple[tuple[type[MinleafError], int], ...] = (
    (NotFound, 404),
    (EndpointNotFound, 404),
    (PermissionDenied, 403),
    (TooLarge, 413),
    (Unavailable, 503),
)
_TITLES = {
    400: "That cannot be shown",
    403: "Not allowed",
    404: "Not found",
    405: "This page only answers to GET",
    413: "Too large",
    503: "Not available now",
}


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """`text` says what was wrong, and where it is known what would be right."""

    status: int
    title: str
    text: str


def error_response(request: Request, error: Exception) -> Response:
    """The page for an error that a page raised. The texts of errors nobody foresaw are not shown."""
    status, text = _read(error)
    page = ErrorPage(status, _TITLES.get(status, "Something went wrong" if status >= 500 else "Refused"), text)
    response = render(request, "error.html", page, title=page.title, status=status)
    if isinstance(error, Unavailable):
        response.headers["retry-after"] = str(error.retry_after_seconds)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _read(error: Exception) -> tuple[int, str]:
    if isinstance(error, HTTPException):
        return error.status_code, _HTTP_TEXTS.get(error.status_code, str(error.detail))
    if not isinstance(error, MinleafError):
        return 500, "The server failed to make this page. Its log says why."
    if error.code == "INTERNAL_ERROR":
        return 500, error.message
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400), error.message


_HTTP_TEXTS = {
    404: "There is no page at this address.",
    405: "This address answers only to GET.",
}
