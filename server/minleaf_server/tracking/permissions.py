"""What the caller of the request under way may do.

Where a server asks for a login, `app` sets the caller before anything else runs. Without one there is no caller, and
everything is permitted. The checks of routes stand in `web/caller.py`; here is what searches and new resources need.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import auth as write
from minleaf_server.entities.permission import Permission, Resource
from minleaf_server.entities.user import User
from minleaf_server.entities.validation import parse_experiment_id
from minleaf_server.errors import InvalidParameter, NotFound, PermissionDenied
from minleaf_server.tracking.authority import Authority


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and the authority that knows what they may do."""

    user: User
    authority: Authority

    async def level(self, kind: Resource, resource: str) -> Permission:
        """What the caller may do with a resource, by its name as `db/tables/auth.py` says."""
        if self.user.is_admin:
            return Permission.MANAGE
        return (await self.authority.grants(self.user)).get((kind, resource), self.authority.default)


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def caller() -> Caller | None:
    """Who asks; None on a server without a login."""
    return _caller.get()


enter = _caller.set
leave = _caller.reset


def denied() -> PermissionDenied:
    """The one answer to whatever is not permitted. It does not tell whether the thing exists."""
    return PermissionDenied("Permission denied. An administrator, or who manages it, can permit it.")


@dataclass(frozen=True, slots=True)
class Readable:
    """Names of resources that the caller may read: those in `only` (all, if None), but never those in `hidden`."""

    only: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return (self.only is None or name in self.only) and name not in self.hidden


EVERYTHING = Readable()


async def readable(kind: Resource) -> Readable:
    """What the caller may read of one kind, for the condition of a search."""
    who = caller()
    if who is None or who.user.is_admin:
        return EVERYTHING
    own = {name: level for (of, name), level in (await who.authority.grants(who.user)).items() if of is kind}
    if who.authority.default >= Permission.READ:
        return Readable(hidden=frozenset(name for name, level in own.items() if level < Permission.READ))
    return Readable(only=frozenset(name for name, level in own.items() if level >= Permission.READ))


def own(tx: Transaction, who: Caller | None, kind: Resource, resource: str) -> None:
    """Called in the transaction that makes a resource: its maker manages it. Call `noted` when it is committed."""
    if who is not None:
        write.own(tx, who.user.id, kind, resource)
    else:
        write.forget(tx, kind, resource)


def noted(who: Caller | None) -> None:
    """Called after a transaction that changed permissions, so that the next request sees it."""
    if who is not None:
        who.authority.changed()


def experiment_name(text: str) -> str:
    """The name of an experiment among permissions: its id as a number is written, or the text where it is none."""
    try:
        return str(parse_experiment_id(text))
    except (InvalidParameter, NotFound):
        return text
