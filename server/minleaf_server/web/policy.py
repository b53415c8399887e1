"""Access policies: every route says what right it needs, and a server with a silent route does not start.

There is no login yet, so nothing is refused for want of a right. The declaration is made now, because a right that is
added later is forgotten on the one route that matters.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint")

_MARK = "__minleaf_access__"


class Access(Enum):
    """The right that a request needs on the experiment that it is about. PUBLIC needs none, ADMIN is server-wide."""

    PUBLIC = "public"
    READ = "read"
    LOG = "log"
    EDIT = "edit"
    MANAGE = "manage"
    ADMIN = "admin"


def access(policy: Access) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint (a function, or an ASGI application that is mounted) with its policy."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, policy)
        return endpoint

    return mark


def policy_of(endpoint: Any) -> Access | None:
    """The policy of an endpoint, seen through `functools.partial`; None where none was declared."""
    while isinstance(endpoint, partial) and not hasattr(endpoint, _MARK):
        endpoint = endpoint.func
    policy = getattr(endpoint, _MARK, None)
    return policy if isinstance(policy, Access) else None
