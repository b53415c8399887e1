"""The services of a server, over a store that a test has opened."""

from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.tracking.services import Services


def services_over(store: Store, settings: Settings | None = None) -> Services:
    """Services with default settings. The store is closed by its fixture."""
    return Services.over(store, settings or Settings())
