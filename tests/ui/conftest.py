"""The pages over a real store, asked in this process."""

from collections.abc import AsyncIterator

import httpx
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.db.store import Store
from tests.support.services import services_over


@pytest.fixture
async def pages(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the pages. Redirects are not followed: the pages make none."""
    transport = httpx.ASGITransport(application(services_over(store)))
    async with httpx.AsyncClient(transport=transport, base_url="http://minleaf.test") as client:
        yield client
