"""What every page must hold in a real browser: its width, its policy, its accessibility, and texts that stay texts."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.browser.charts import complaints
from tests.browser.site import TRAP, Site

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
KINDS = ["experiments", "runs", "wrong", "empty", "run", "compare", "search"]
REQUESTS_MAX = 10


@pytest.mark.parametrize("kind", [*KINDS, "error"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(pages_browser: Browser, pages_site: Site, kind: str, width: int) -> None:
    page = pages_browser.new_page(viewport={"width": width, "height": 844})
    page.goto(pages_site.addresses[kind])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").count() == 1
    page.close()


@pytest.mark.parametrize("kind", KINDS)
def test_pages_load_little_and_only_from_the_server(pages_browser: Browser, pages_site: Site, kind: str) -> None:
    page = pages_browser.new_page()
    found = complaints(page)
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    page.goto(pages_site.addresses[kind], wait_until="networkidle")
    assert all(request.url.startswith((pages_site.url, "data:")) for request in requests)
    assert len(requests) <= REQUESTS_MAX
    assert found == []
    page.close()


@pytest.mark.parametrize("kind", [*KINDS, "error"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(
    pages_browser: Browser, pages_site: Site, kind: str, scheme: str, width: int
) -> None:
    page = pages_browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(pages_site.addresses[kind], wait_until="networkidle")
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    serious = [
        (fault["id"], [node["html"][:200] for node in fault["nodes"]][:3])
        for fault in result["violations"]
        if fault["impact"] in ("critical", "serious")
    ]
    assert serious == []
    page.close()


def trapped(page: Page) -> bool:
    return bool(page.evaluate("'__xss' in window"))


def test_markup_in_any_text_is_inert_and_shown(pages_browser: Browser, pages_site: Site) -> None:
    page = pages_browser.new_page()
    found = complaints(page)
    table = f"{pages_site.url}/experiments/{pages_site.trap_experiment}"
    run = f"{pages_site.url}/runs/{pages_site.trap_run}"
    page.goto(table)
    ids = [box.get_attribute("value") for box in page.locator("input[name=run]").all()]
    columns = "".join(f"&col={c}" for c in ("params.trap", "tags.trap", "tags.mlflow.user", "params.script"))
    addresses = {
        pages_site.url: TRAP.rpartition("/")[2],
        table: TRAP,
        f"{table}?x=1{columns}": TRAP,
        run: TRAP,
        f"{pages_site.url}/compare?" + "&".join(f"run={i}" for i in ids): TRAP,
        f"{pages_site.url}/search?q=__xss": TRAP,
    }
    for address, shown in addresses.items():
        page.goto(address, wait_until="networkidle")
        assert not trapped(page), address
        assert shown[:30] in page.locator("body").inner_text(), address
        scripts = page.locator("script").evaluate_all("(all) => all.map((one) => one.getAttribute('src') ?? one.type)")
        assert all("vendor/app.js" in script or script == "application/json" for script in scripts)
        assert page.locator("img").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
        assert page.locator("[style]:not(figure *, .u-wrap *)").count() == 0
    link = page.goto(run) and page.locator("a[href^='https://example.org']").first
    assert link
    assert link.get_attribute("rel") == "noopener noreferrer"
    page.close()
    assert found == []


@pytest.mark.parametrize("where", ["filter", "good", "sort", "col", "page", "view"])
def test_markup_in_an_address_is_inert(pages_browser: Browser, pages_site: Site, where: str) -> None:
    page = pages_browser.new_page()
    found = complaints(page)
    for value in (TRAP, f"metrics.{TRAP}", "javascript:window.__xss=5"):
        query = page.evaluate("([name, value]) => new URLSearchParams([[name, value]]).toString()", [where, value])
        page.goto(f"{pages_site.table}?{query}", wait_until="networkidle")
        assert not trapped(page)
        assert page.locator("#runs tbody tr").count() == 15
    page.close()
    assert found == []
