"""Access policies: every route says what right it needs, and a server with a silent route does not start.

`web/caller.py` checks them where the server asks for a login. A request to a PUBLIC route is answered without one.
"""

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint")

_MARK = "__minleaf_access__"
_SUBJECT = "__minleaf_subject__"


class Access(Enum):
    """The right that a request needs on what it is about. PUBLIC needs none, ADMIN is server-wide."""

    PUBLIC = "public"
    READ = "read"
    LOG = "log"
    EDIT = "edit"
    MANAGE = "manage"
    ADMIN = "admin"


class On(Enum):
    """What a request is about, which is where the right is needed. Runs and logged models have their experiment's."""

    SERVER = "server"
    """Nothing in particular: any known user may. A search leaves out what its caller may not read."""
    EXPERIMENT = "experiment"
    RUN = "run"
    LOGGED_MODEL = "logged model"
    REGISTERED_MODEL = "registered model"
    USER = "user"
    """The account of the caller. Those of others are for administrators."""
    ARTIFACT = "artifact"
    """A path of the proxied store, whose first part is the id of an experiment."""


def access(policy: Access, on: On = On.SERVER) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint (a function, or an ASGI application that is mounted) with its policy."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, policy)
        setattr(endpoint, _SUBJECT, on)
        return endpoint

    return mark


def policy_of(endpoint: Any) -> Access | None:
    """The policy of an endpoint, seen through `functools.partial`; None where none was declared."""
    policy = getattr(_marked(endpoint), _MARK, None)
    return policy if isinstance(policy, Access) else None


def subject_of(endpoint: Any) -> On:
    """What the policy of an endpoint is about."""
    found = getattr(_marked(endpoint), _SUBJECT, On.SERVER)
    assert isinstance(found, On)
    return found


def _marked(endpoint: Any) -> Any:
    while isinstance(endpoint, partial) and not hasattr(endpoint, _MARK):
        endpoint = endpoint.func
    return endpoint
