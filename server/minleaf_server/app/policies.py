"""The check at the start: every route has declared an access policy."""

from collections.abc import Iterator
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount

from minleaf_server.errors import SetupError
from minleaf_server.web.policy import Access, policy_of


def require_policies(routes: list[BaseRoute]) -> None:
    """Raises SetupError that names the routes without a policy, mounted applications included."""
    silent = [where for where, policy in declared(routes) if policy is None]
    if silent:
        raise SetupError(
            f"No access policy is declared for: {', '.join(silent)}. Mark each endpoint with @access(Access.…)."
        )


def declared(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Access | None]]:
    """Every route as "METHODS path" with its policy, mounts and included routers walked to their ends."""
    for route, path, methods, endpoint in _flat(routes):
        where = f"{prefix}{path}"
        inner: Any = getattr(route, "routes", None) if isinstance(route, Mount) else None
        if inner:
            yield from declared(inner, where)
        else:
            yield f"{','.join(sorted(methods)) or 'ANY'} {where}", policy_of(endpoint)


def _flat(routes: list[BaseRoute]) -> Iterator[tuple[BaseRoute, str, set[str], Any]]:
    """Route, path, methods and endpoint. What is no route of a known kind has no endpoint, so it fails the check."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        endpoint = route.app if isinstance(route, Mount) else context.endpoint
        yield route, context.path or repr(route), context.methods or set(), endpoint
