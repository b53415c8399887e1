"""What the page /signup posts: a form, as in MLflow, with a token against requests of other sites.

The gate refuses what a page of another origin sends, whatever it holds. The token is in the form and in a cookie, and
a stranger's page can neither read the one nor set the other.
"""

import hmac
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from minleaf_server.errors import InvalidParameter
from minleaf_server.rest.auth.users import authority_of
from minleaf_server.rest.endpoint import RawEndpoint
from minleaf_server.tracking import users
from minleaf_server.tracking.services import Services
from minleaf_server.web.body import read_body
from minleaf_server.web.policy import Access, access

COOKIE = "minleaf_form"
FORM_BYTES_MAX = 16_384
_FORM = "application/x-www-form-urlencoded"


@access(Access.ADMIN)
async def create(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Create the user of the form, and lead back to the page."""
    authority = authority_of(services)
    request = Request(scope)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise InvalidParameter(f"Invalid content type. Must be {_FORM}")
    fields = _fields(await read_body(receive, FORM_BYTES_MAX))
    token, cookie = fields.get("csrf_token", ""), request.cookies.get(COOKIE, "")
    if not token:
        raise InvalidParameter("The CSRF token is missing. Open /signup and send its form.")
    if not cookie or not hmac.compare_digest(token.encode(), cookie.encode()):
        raise InvalidParameter("The CSRF token is not that of this browser. Open /signup again and send its form.")
    made = await users.create(authority, fields.get("username", ""), fields.get("password", ""))
    there = f"{scope.get('root_path', '')}/signup?{urlencode({'created': made.name})}"
    headers = [(b"location", there.encode("ascii")), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise InvalidParameter("The form cannot be read: it is not UTF-8 in percent-encoding.") from None
    return {name: values[0] for name, values in pairs.items()}


ENDPOINTS = (RawEndpoint("POST", "/2.0/mlflow/users/create-ui", create),)
