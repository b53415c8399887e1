"""A server that asks for a login, called without a socket, with users of every kind."""

import base64
from collections.abc import Mapping
from functools import lru_cache

import httpx

from minleaf_server import rest
from minleaf_server.app.assembly import application, guarded
from minleaf_server.config import load
from minleaf_server.db.store import Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import auth as write
from minleaf_server.entities.permission import Permission, Resource
from minleaf_server.tracking import passwords
from minleaf_server.tracking.services import Services
from tests.support.services import services_over

PASSWORD = "correct horse battery"
ADMIN = "admin"


@lru_cache
def password_hash() -> str:
    """What is kept of PASSWORD, worked out once."""
    return passwords.hashed(PASSWORD)


def authorization(name: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of basic authentication."""
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class Site:
    """The server, and clients for its users. Every user has the same PASSWORD."""

    def __init__(self, store: Store, *, first: bool = True, **settings: str) -> None:
        if first:
            store.write_now(lambda tx: _add(tx, ADMIN, True))
        chosen = load({"auth": "true", **settings}, {})
        self.store = store
        self.services: Services = services_over(store, chosen)
        self.app = application(self.services)
        self.asgi = guarded(self.app, chosen, rest.exact_routes())

    def add(self, name: str, grants: Mapping[tuple[Resource, str], Permission] | None = None) -> None:
        """A user with these permissions."""

        def job(tx: Transaction) -> None:
            user = _add(tx, name, False)
            for (kind, resource), level in (grants or {}).items():
                write.grant(tx, user, kind, resource, level)

        self.store.write_now(job)
        assert self.services.authority is not None
        self.services.authority.changed()

    def client(self, name: str | None) -> httpx.AsyncClient:
        """A client that sends the credentials of a user, or none."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.asgi),
            base_url="http://127.0.0.1:5000",
            headers={} if name is None else authorization(name),
        )

    def close(self) -> None:
        assert self.services.authority is not None
        self.services.authority.close()


def _add(tx: Transaction, name: str, is_admin: bool) -> int:
    return write.create_user(tx, name, password_hash(), is_admin).id
