"""Putting the server together: the routes of `rest` and `ui`, the static files, and the gate before all of them."""

from starlette.applications import Starlette
from starlette.types import ASGIApp

from minleaf_server import rest, ui
from minleaf_server.app import failures, service
from minleaf_server.app.authentication import Authentication
from minleaf_server.app.compression import CompressedPages
from minleaf_server.app.gate import Gate, TakesFiles, takes_no_files
from minleaf_server.app.modes import limited
from minleaf_server.app.policies import require_policies
from minleaf_server.app.proxies import TrustedProxies
from minleaf_server.app.shortcut import ExactRoutes, Shortcut
from minleaf_server.app.static_files import VersionedFiles
from minleaf_server.config import Settings
from minleaf_server.resources import folder
from minleaf_server.tracking.services import Services
from minleaf_server.ui.page import static_version
from minleaf_server.web.policy import Access, access


def build(settings: Settings, services: Services) -> ASGIApp:
    """The whole server. Whoever opened the services closes them, after the last request is answered.

    Raises SetupError where a route has no access policy or a setting cannot be right.
    """
    return guarded(application(services), settings, rest.exact_routes(), rest.takes_files)


def application(services: Services) -> Starlette:
    """Every route, without the gate."""
    app = Starlette()
    app.router.redirect_slashes = False  # A redirect repeats the address that was asked for; a 404 says what is wrong.
    app.state.services = services
    app.add_middleware(CompressedPages, minimum_size=1_000, compresslevel=5)
    failures.install(app)
    service.install(app)
    rest.install(app)
    ui.install(app)
    app.mount("/static", access(Access.PUBLIC)(VersionedFiles(folder("static"), static_version())), name="static")
    return app


def guarded(
    app: Starlette, settings: Settings, exact: ExactRoutes | None = None, takes_files: TakesFiles = takes_no_files
) -> ASGIApp:
    """The application behind the gate, with a shortcut to the `exact` routes.

    Raises SetupError where a route has no access policy.
    """
    exact = exact or {}
    require_policies(app.routes, exact)
    inner = limited(Shortcut(app, exact), settings)
    if settings.auth:
        inner = Authentication(inner, app.state.services.authority, TrustedProxies(settings.trusted_proxy))
    return Gate(inner, settings, takes_files)
