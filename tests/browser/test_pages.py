"""The main job in a real browser: a sweep is filtered, sorted, paged, ticked and compared."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.charts import complaints
from tests.browser.site import MANY, Site, accuracy, fill
from tests.support.server import RunningServer


@pytest.fixture
def page(pages_browser: Browser) -> Iterator[Page]:
    page = pages_browser.new_page(viewport={"width": 1280, "height": 800})
    found = complaints(page)
    yield page
    page.close()
    assert found == []


def names(page: Page) -> list[str]:
    """The names of the runs in the table, from the top."""
    return page.locator("#runs tbody th bdi:last-child").all_inner_texts()


def type_filter(page: Page, text: str) -> None:
    page.get_by_label("Filter", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_typing_the_filter_leaves_exactly_the_right_runs(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    assert len(names(page)) == 15
    type_filter(page, "min_leaf = 3 and test_acc > 0.44")
    right = [f"tree-{depth}-3" for depth in range(5, 0, -1) if accuracy(depth, 3) > 0.44]
    expect(page.locator("#runs .choices .count")).to_have_text(f"{len(right)} of 15 runs")
    assert sorted(names(page)) == sorted(right)
    assert "filter=min_leaf" in page.url
    expect(page.get_by_label("Filter", exact=True)).to_be_focused()
    page.go_back()
    expect(page.locator("#runs tbody tr")).to_have_count(15)
    page.go_forward()
    expect(page.locator("#runs tbody tr")).to_have_count(len(right))
    page.reload()
    assert sorted(names(page)) == sorted(right)


def test_a_wrong_filter_keeps_the_rows_and_underlines_the_token(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    type_filter(page, "min_leaf = 3")
    expect(page.locator("#runs tbody tr")).to_have_count(5)
    type_filter(page, "min_leaf = 3 and tset_acc > 0.44")
    mark = page.locator(".problem mark")
    expect(mark).to_have_text("tset_acc")
    assert "underline" in mark.evaluate("(mark) => getComputedStyle(mark).textDecorationLine")
    assert len(names(page)) == 5
    expect(page.get_by_label("Filter", exact=True)).to_have_value("min_leaf = 3 and tset_acc > 0.44")
    page.get_by_role("link", name="Use test_acc").click()
    expect(page.locator(".problem")).to_have_count(0)
    expect(page.get_by_label("Filter", exact=True)).to_have_value("min_leaf = 3 and test_acc > 0.44")
    assert all(name.endswith("-3") for name in names(page))


def test_ticked_runs_are_compared(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    before = page.locator("#runs tbody tr").nth(3).bounding_box()
    box = page.get_by_label("Filter", exact=True).bounding_box()
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    page.get_by_label("Select tree-1-1").check()
    page.get_by_label("Select tree-5-3").check()
    expect(page.locator("[data-selected]")).to_have_text("2 selected")
    assert page.locator("#runs tbody tr").nth(3).bounding_box() == before
    assert page.get_by_label("Filter", exact=True).bounding_box() == box
    compare.click()
    page.wait_for_url("**/compare?*")
    heads = page.locator("section:has(#params) thead th bdi").all_inner_texts()
    assert sorted(heads) == ["tree-1-1", "tree-5-3"]
    rows = page.locator("section:has(#params) tbody th").all_inner_texts()
    assert [row.strip() for row in rows] == ["criterion", "max_depth", "min_leaf"]
    page.get_by_role("switch", name="Only differences").click()
    rows = page.locator("section:has(#params) tbody th").all_inner_texts()
    assert [row.strip() for row in rows] == ["max_depth", "min_leaf"]
    assert page.locator("figure[data-chart=curves][data-metric=loss]").count() == 1


def test_ticks_outlive_filters_and_pages(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    page.get_by_label("Select tree-1-1").check()
    type_filter(page, "max_depth = 5")
    expect(page.locator("#runs tbody tr")).to_have_count(3)
    expect(page.locator("[data-selected]")).to_have_text("1 selected, 1 not in view")
    page.get_by_label("Select tree-5-1").check()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?*")
    heads = page.locator("section:has(#params) thead th bdi").all_inner_texts()
    assert sorted(heads) == ["tree-1-1", "tree-5-1"]


def test_shift_ticks_a_range_and_clear_unticks(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    boxes = page.locator("#runs tbody input[name=run]")
    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("5 selected")
    page.get_by_label("Select all runs of this page").check()
    expect(page.locator("[data-selected]")).to_have_text("15 selected")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#runs tbody input:checked")).to_have_count(0)


def test_a_header_sorts_and_turns_round(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    header = page.get_by_role("columnheader", name="test_acc")
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    assert names(page)[0] == "tree-5-1"
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    assert names(page)[0] == "tree-1-3"


def test_paging_leads_through_all_runs(page: Page, pages_site: Site) -> None:
    page.goto(f"{pages_site.url}/experiments/{pages_site.many}?sort=params.number")
    seen = names(page)
    for start in (101, 201):
        page.get_by_role("link", name="Next").click()
        expect(page.locator("#runs .choices .count")).to_contain_text(f"{start}")
        seen += names(page)
    assert seen == [f"run-{number:03}" for number in range(MANY)]
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#runs tbody tr")).to_have_count(100)
    assert names(page)[0] == "run-100"


def test_columns_are_chosen(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    page.locator("#columns summary").click()
    page.get_by_label("criterion").check()
    page.get_by_label("loss").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="criterion")).to_be_visible()
    expect(page.get_by_role("columnheader", name="loss")).to_have_count(0)
    page.locator("#columns summary").click()
    page.keyboard.press("Escape")
    expect(page.locator("#columns .panel")).to_be_hidden()


def test_names_are_suggested_and_taken_by_keyboard(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    box = page.get_by_label("Filter", exact=True)
    with page.expect_response("**/names"):
        page.keyboard.press("/")
    expect(box).to_be_focused()
    page.keyboard.type("min_leaf = 3 and test")
    expect(page.get_by_role("option")).to_have_text(["test_accmetric"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("min_leaf = 3 and test_acc ")
    page.keyboard.type("> 0.44")
    expect(page.get_by_role("option")).to_have_count(0)
    page.keyboard.press("Enter")
    right = sum(accuracy(depth, 3) > 0.44 for depth in range(1, 6))
    expect(page.locator("#runs tbody tr")).to_have_count(right)


def test_mlflows_addresses_lead_to_our_pages(page: Page, pages_site: Site) -> None:
    run_id = pages_site.sweep[1, 1]
    page.goto(f"{pages_site.url}/#/experiments/{pages_site.sweep_experiment}/runs/{run_id}")
    page.wait_for_url(f"**/runs/{run_id}")
    page.goto(f"{pages_site.url}/#/experiments/{pages_site.sweep_experiment}")
    page.wait_for_url(f"**/experiments/{pages_site.sweep_experiment}")
    page.goto(f"{pages_site.url}/#/models/https:%2f%2fevil.example")
    expect(page.get_by_role("heading", name="Experiments")).to_be_visible()


def test_the_theme_is_switched_and_remembered(page: Page, pages_site: Site) -> None:
    page.emulate_media(color_scheme="dark")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page.goto(pages_site.url)
    dark = page.evaluate(background)
    page.locator("[data-theme-button]").click()
    light = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == light
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_a_link_to_a_run_leaves_the_table(page: Page, pages_site: Site) -> None:
    page.goto(pages_site.table)
    page.get_by_role("link", name="tree-2-2").click()
    page.wait_for_url("**/runs/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("tree-2-2")
    expect(page.locator("#run-id")).to_have_text(pages_site.sweep[2, 2])


def test_without_javascript_the_main_job_works(pages_browser: Browser, pages_site: Site) -> None:
    context = pages_browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages_site.table)
    page.get_by_label("Filter", exact=True).fill("min_leaf = 3 and tset_acc > 0.44")
    page.get_by_role("button", name="Filter").click()
    assert page.locator(".problem mark").inner_text() == "tset_acc"
    assert len(names(page)) == 15
    page.get_by_role("link", name="Use test_acc").click()
    right = [f"tree-{depth}-3" for depth in range(1, 6) if accuracy(depth, 3) > 0.44]
    assert sorted(names(page)) == right
    page.get_by_role("columnheader", name="test_acc").get_by_role("link").click()
    assert names(page)[0] == "tree-5-3"
    page.get_by_label("Select tree-5-3").check()
    page.get_by_label("Select tree-4-3").check()
    page.get_by_role("button", name="Compare").click()
    assert sorted(page.locator("section:has(#params) thead th bdi").all_inner_texts()) == ["tree-4-3", "tree-5-3"]
    assert "40 points of 2 runs" in page.locator("figure[data-metric=loss]").inner_text()
    page.get_by_role("switch", name="Only differences").click()
    assert page.locator("section:has(#params) tbody th").all_inner_texts() == ["max_depth"]
    page.goto(f"{pages_site.url}/experiments/{pages_site.many}")
    page.get_by_role("link", name="Next").click()
    assert len(names(page)) == 100
    assert not page.locator("[data-theme-button]").is_visible()
    context.close()


def test_pages_work_below_a_prefix(page: Page, tmp_path: Path) -> None:
    with RunningServer(f"sqlite:///{tmp_path}/minleaf.db", tmp_path, "--static-prefix", "/minleaf") as server:
        site = fill(f"{server.url}/minleaf", many=1)
        page.goto(f"{site.url}/#/experiments/{site.sweep_experiment}")
        page.wait_for_url("**/minleaf/experiments/*")
        type_filter(page, "min_leaf = 3")
        expect(page.locator("#runs tbody tr")).to_have_count(5)
        page.get_by_role("link", name="tree-2-3").click()
        page.wait_for_url("**/minleaf/runs/*")
        expect(page.locator("figure[data-metric=loss][data-state=ready]")).to_be_visible()
        page.locator("[data-theme-button]").click()
        page.get_by_role("link", name="Minleaf: experiments").click()
        page.wait_for_url("**/minleaf/")
        assert page.locator("html").get_attribute("data-theme") == "light"
