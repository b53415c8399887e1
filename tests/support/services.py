"""The services of a server, over a store that a test has opened."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.tracking.services import Services


@lru_cache
def _folder() -> "TemporaryDirectory[str]":
    """Removed when the process of the tests ends."""
    return TemporaryDirectory(prefix="minleaf-")


def services_over(store: Store, settings: Settings | None = None) -> Services:
    """Services with default settings, and a temporary folder for artifacts where the settings name no other.

    The store is closed by its fixture.
    """
    chosen = settings or Settings()
    if not chosen.artifacts_destination:
        chosen = replace(chosen, artifacts_destination=str(Path(mkdtemp(dir=_folder().name)) / "artifacts"))
    return Services.over(store, chosen)
