"""A small application behind the real gate, which remembers what got through."""

from dataclasses import dataclass, field, replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from minleaf_server.app import failures, service
from minleaf_server.app.assembly import guarded
from minleaf_server.app.protocol import GuardedProtocol
from minleaf_server.config import Settings
from minleaf_server.web.body import read_body
from minleaf_server.web.policy import Access, access
from tests.app.live import Live

MAX_BODY = 100_000
LARGE = 32 * 2**20


@dataclass
class Dummy:
    """`calls` are the requests that passed the gate, as "METHOD path"; `bodies` what was read of them."""

    settings: Settings = field(default_factory=lambda: Settings(max_body_bytes=MAX_BODY))
    calls: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def live(self, protocol: type[GuardedProtocol] = GuardedProtocol) -> Live:
        """The application on a real socket."""
        return Live(lambda port: guarded(self.application(), replace(self.settings, port=port)), protocol)

    def application(self) -> Starlette:
        """Without the gate: health and version, and routes that answer, read a body, fail, or fail half way."""
        app = Starlette()
        app.router.redirect_slashes = False
        failures.install(app)
        service.install(app)

        @access(Access.EDIT)
        async def thing(request: Request) -> Response:
            self.calls.append(f"{request.method} {request.url.path}")
            self.bodies.append(await read_body(request.receive, 100 * MAX_BODY))
            return PlainTextResponse(f"done {request.url.scheme} {request.url.netloc} {request.scope['root_path']}")

        @access(Access.READ)
        async def fail(request: Request) -> Response:
            raise RuntimeError("secret: /srv/secret.db")

        @access(Access.READ)
        async def fail_half_way(request: Request) -> Response:
            async def parts():  # type: ignore[no-untyped-def]
                yield b"half"
                raise RuntimeError("secret")

            return StreamingResponse(parts())

        @access(Access.READ)
        async def large(request: Request) -> Response:
            return Response(b"x" * LARGE)

        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        for path in ("/thing", "/api/2.0/mlflow/thing", "/ajax-api/2.0/mlflow/thing"):
            app.router.routes.append(Route(path, thing, methods=methods))
        for path in ("/fail", "/api/2.0/mlflow/fail"):
            app.router.routes.append(Route(path, fail, methods=["GET"]))
        app.router.routes.append(Route("/large", large, methods=["GET"]))
        app.router.routes.append(Route("/half", fail_half_way, methods=["GET"]))
        return app
