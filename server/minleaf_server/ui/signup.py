"""The page on which an administrator makes a user: `/signup`, MLflow's address of it."""

import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from minleaf_server.entities.user import NAME_MAX, PASSWORD_MAX, PASSWORD_MIN
from minleaf_server.errors import NotFound
from minleaf_server.tracking.services import Services
from minleaf_server.ui.page import Crumb, links_of, render
from minleaf_server.web.policy import Access, access

# What rest/auth/form.py compares with the form.
_COOKIE = "minleaf_form"


@dataclass(frozen=True, slots=True)
class SignupPage:
    """`token` is in the form and in a cookie. `created` is the user who was made just now, or ""."""

    action: str
    token: str
    created: str
    name_max: int
    password_min: int
    password_max: int


@access(Access.ADMIN)
async def page(request: Request) -> Response:
    """The form for a new user."""
    services: Services = request.app.state.services
    if services.authority is None:
        raise NotFound("This server asks for no login, so it has no users. Start it with --auth.")
    asked = request.query_params.get("created", "")
    # Only a name that is there is shown: an address may hold any text.
    created = await services.authority.user(asked) if asked else None
    links = links_of(request)
    token = secrets.token_urlsafe(32)
    view = SignupPage(
        action=f"{links.prefix}/api/2.0/mlflow/users/create-ui",
        token=token,
        created=created.name if created else "",
        name_max=NAME_MAX,
        password_min=PASSWORD_MIN,
        password_max=PASSWORD_MAX,
    )
    response = render(request, "signup.html", view, title="New user", crumbs=(Crumb("New user"),))
    response.headers["cache-control"] = "no-store"
    response.set_cookie(
        _COOKIE, token, path=links.prefix or "/", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return response
