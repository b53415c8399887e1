"""A server with webhooks that may call this machine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.config import Settings, load
from minleaf_server.db.store import Store
from minleaf_server.tracking.services import Services
from tests.rest.conftest import Api
from tests.support.services import services_over

KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="


@pytest.fixture
def settings(database_uri: str, tmp_path: Path) -> Settings:
    flags = {"webhook_schemes": "http", "webhook_secret_key": KEY, "webhook_retries": "0"}
    return load({**flags, "data": str(tmp_path), "backend_store_uri": database_uri}, {})


@pytest.fixture
def services(store: Store, settings: Settings) -> Iterator[Services]:
    made = services_over(store, settings)
    yield made
    made.courier.close()


@pytest.fixture
async def api(services: Services) -> AsyncIterator[Api]:
    transport = httpx.ASGITransport(application(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as client:
        yield Api(client)
