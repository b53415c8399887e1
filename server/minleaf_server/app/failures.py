"""From an exception to an answer: JSON in MLflow's shape for the API, a page elsewhere."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.app.refusals import internal_error, is_api
from minleaf_server.errors import EndpointNotFound, MinleafError
from minleaf_server.log import request_id
from minleaf_server.rest.errors import body_of, rendered
from minleaf_server.ui.errors import error_response

_HTTP_TEXTS = {
    404: "There is no endpoint of this name. /docs lists all that there are.",
    405: "This endpoint does not take this method. /docs says which it takes.",
}


def install(app: Starlette) -> None:
    """Set the handlers of every kind of exception."""
    app.add_exception_handler(MinleafError, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, MinleafError)
    if not _in_api(request):
        return error_response(request, error)
    status, body, headers = rendered(error)
    more = {name.decode("ascii"): value.decode("ascii") for name, value in headers}
    return Response(body, status, more, media_type="application/json")


async def _http(request: Request, error: Exception) -> Response:
    """What routing itself raises: no such path, another method, a static file that is not there."""
    assert isinstance(error, HTTPException)
    if not _in_api(request):
        return error_response(request, error)
    code = EndpointNotFound.code if error.status_code in _HTTP_TEXTS else "BAD_REQUEST"
    body = body_of(code, _HTTP_TEXTS.get(error.status_code, str(error.detail)))
    return Response(body, error.status_code, error.headers, media_type="application/json")


async def _unforeseen(request: Request, error: Exception) -> Response:
    """Nothing of the error is told; the gate logs it, since the exception goes on to it after this answer."""
    return await _known(request, MinleafError(internal_error(request_id.get()).message))


def _in_api(request: Request) -> bool:
    return is_api(request.scope["path"].removeprefix(request.scope.get("root_path", "")))
