"""The whole server as one ASGI application: the gate, the routes of `rest` and `ui`, and HTTP on the socket."""

from minleaf_server.app.assembly import build

__all__ = ["build"]
