"""One filled server and one Chromium for the tests of the pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.charts import chromium
from tests.browser.site import Site, fill
from tests.support.server import RunningServer


@pytest.fixture(scope="package")
def pages_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real server with runs on it. Tests do not change it."""
    folder = tmp_path_factory.mktemp("pages")
    with RunningServer(f"sqlite:///{folder}/minleaf.db", folder) as server:
        yield fill(server.url)


@pytest.fixture(scope="module")
def pages_browser() -> Iterator[Browser]:
    """Chromium. Only one may run at a time, so each module starts and ends its own."""
    with chromium() as browser:
        yield browser
