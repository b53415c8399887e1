"""The check at the start: every route has declared an access policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from starlette.routing import BaseRoute, Mount

from minleaf_server.app.shortcut import ExactRoutes
from minleaf_server.errors import SetupError
from minleaf_server.web.caller import understands
from minleaf_server.web.policy import Access, policy_of


@dataclass(frozen=True, slots=True)
class Declared:
    """One route; `policy` is None where none was declared. No methods: it takes any (a mounted application)."""

    path: str
    methods: tuple[str, ...]
    policy: Access | None
    understood: bool = True
    """Whether the check of rights knows how a request names what the policy is about."""

    def __str__(self) -> str:
        return f"{','.join(self.methods) or 'ANY'} {self.path}"


def require_policies(routes: list[BaseRoute], exact: ExactRoutes) -> None:
    """Raises SetupError that names the routes without a policy, mounted applications and shortcuts included."""
    short = (Declared(path, (method,), policy_of(one), understands(one)) for (method, path), one in exact.items())
    every = [*declared(routes), *short]
    if silent := [str(route) for route in every if route.policy is None]:
        raise SetupError(
            f"No access policy is declared for: {', '.join(silent)}. Mark each endpoint with @access(Access.…)."
        )
    if unclear := [str(route) for route in every if not route.understood]:
        raise SetupError(f"Nothing in the request names what the access policy is about: {', '.join(unclear)}.")


def declared(routes: list[BaseRoute], prefix: str = "") -> Iterator[Declared]:
    """Every route with its policy, mounts walked to their ends."""
    for route in routes:
        path = prefix + getattr(route, "path", repr(route))
        inner: Any = getattr(route, "routes", None) if isinstance(route, Mount) else None
        if inner:
            yield from declared(inner, path)
            continue
        # A route of a kind unknown here has no endpoint to ask, so it fails the check.
        endpoint = route.app if isinstance(route, Mount) else getattr(route, "endpoint", None)
        methods = tuple(sorted(getattr(route, "methods", None) or ()))
        yield Declared(path, methods, policy_of(endpoint), understands(endpoint))
