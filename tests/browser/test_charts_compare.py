"""Charts of several runs in a real browser: overlaid curves, parallel coordinates, scatter plot."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.charts import HOSTILE_NAME, Site, chromium, complaints, data, fill, inked_columns, ready
from tests.support.server import RunningServer

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("charts")
    with RunningServer(f"sqlite:///{folder}/minleaf.db", folder) as server:
        yield fill(server.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    found = complaints(page)
    page.goto(site.compare)
    yield page
    page.close()
    assert found == []


def chart(page: Page, kind: str) -> Locator:
    return ready(page.locator(f"figure[data-chart={kind}]").first)


def box_of(locator: Locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box is not None
    return dict(box)


def test_the_curves_of_all_runs_lie_over_each_other(page: Page) -> None:
    figure = ready(page.locator("figure[data-metric=acc]"))
    assert data(figure, "total") == data(figure, "points") == 1200
    rows = figure.locator(".chart-legend tbody tr")
    expect(rows).to_have_count(12)
    values = [float(text) for text in rows.locator("td:nth-child(2)").all_inner_texts()]
    assert values == sorted(values, reverse=True)
    chips = rows.locator(".run-chip").evaluate_all(
        "chips => chips.map((chip) => getComputedStyle(chip).backgroundColor)"
    )
    assert len(set(chips)) == 12


def test_the_crosshair_shows_every_runs_value(page: Page) -> None:
    figure = ready(page.locator("figure[data-metric=acc]"))
    box = box_of(figure.locator(".u-over"))
    page.mouse.move(box["x"] + box["width"] * 50 / 99, box["y"] + 60)
    expect(figure.locator("thead")).to_contain_text("Value")
    expect(figure.locator(".chart-legend tbody tr td:nth-child(3)")).to_have_text(["step 50"] * 12)
    first = figure.locator(".chart-legend tbody tr").first
    expect(first).to_contain_text("sweep-0")
    expect(first).to_contain_text("0.91792")
    page.mouse.move(box["x"] + box["width"] * 50 / 99, box["y"] + box["height"] - 2)
    expect(figure.locator(".chart-legend .chart-near")).to_contain_text("sweep-11")
    expect(figure.locator(".chart-dot")).to_be_visible()


def test_parallel_coordinates_draw_what_differs(page: Page) -> None:
    figure = chart(page, "parallel")
    assert data(figure, "drawn") == 12
    named = figure.locator(".chart-handle").evaluate_all("handles => handles.map((handle) => handle.dataset.axis)")
    assert sorted(named) == ["metrics.acc", "metrics.f1", "params.depth", "params.lr", "params.optimizer"]
    assert inked_columns(figure) > 0.85
    figure.get_by_text("Axes").click()
    figure.get_by_role("checkbox", name="seed").check()
    expect(figure).to_have_attribute("data-axes", "6")


def test_brushing_an_axis_filters(page: Page) -> None:
    figure = chart(page, "parallel")
    handle = box_of(figure.locator('[data-axis="params.optimizer"]'))
    x, top = handle["x"] + handle["width"] / 2, handle["y"]
    page.mouse.move(x, top + 20)
    page.mouse.down()
    page.mouse.move(x, top + 120, steps=4)
    page.mouse.up()
    expect(figure).to_have_attribute("data-selected", "6")
    expect(figure.get_by_role("status")).to_have_text("6 of 12 runs selected")
    figure.get_by_role("button", name="Clear selection").click()
    expect(figure).to_have_attribute("data-selected", "12")


def test_hovering_a_line_names_its_run(page: Page) -> None:
    figure = chart(page, "parallel")
    axis = box_of(figure.locator('[data-axis="metrics.acc"]'))
    stage = box_of(figure.locator(".chart-stage"))
    tooltip = figure.locator(".chart-tooltip")
    # The first run has the highest accuracy, so its line ends at the upper end of that axis.
    for y in range(20, 60, 3):
        page.mouse.move(axis["x"] + axis["width"] / 2, stage["y"] + y)
        if tooltip.is_visible():
            break
    expect(tooltip).to_contain_text("sweep-0")
    expect(tooltip).to_contain_text("optimizer")


def test_the_scatter_plot_draws_counts_and_opens_a_run(page: Page, site: Site) -> None:
    figure = chart(page, "scatter")
    figure.get_by_label("X", exact=True).select_option("params.depth")
    figure.get_by_label("Y", exact=True).select_option("metrics.f1")
    expect(figure.locator(".chart-count")).to_have_text("10 of 12 runs, 2 without a finite value here")
    assert data(figure, "drawn") == 10
    assert re.search(r"scatter-x=params.depth&scatter-y=metrics.f1", page.url)
    stage = box_of(figure.locator(".chart-stage"))
    # The last run is the deepest with the highest f1: the upper right corner.
    for inset in range(16, 40, 4):
        page.mouse.move(stage["x"] + stage["width"] - 18 - inset / 2, stage["y"] + 14 + inset / 2)
        if figure.locator(".chart-tooltip").is_visible():
            break
    expect(figure.locator(".chart-tooltip")).to_contain_text("sweep-11")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url(f"{site.url}/runs/{site.sweep[11]}*")


@pytest.mark.parametrize(
    ("kind", "name"),
    [("curves", "acc.svg"), ("parallel", "Parallel coordinates.svg"), ("scatter", "acc against depth.svg")],
)
def test_every_chart_saves_an_svg_with_the_runs_names(page: Page, kind: str, name: str) -> None:
    figure = chart(page, kind)
    with page.expect_download() as download:
        figure.get_by_role("button", name="SVG").click()
    assert download.value.suggested_filename == name
    svg = ET.fromstring(Path(download.value.path()).read_text())
    texts = [element.text for element in svg.iter(f"{SVG}text")]
    assert HOSTILE_NAME in texts
    assert {element.tag.removeprefix(SVG) for element in svg.iter()} <= {"svg", "g", "clipPath", "path", "text"}
    assert len(list(svg.iter(f"{SVG}path"))) > 12


def test_colour_by_a_metric(page: Page) -> None:
    figure = chart(page, "scatter")
    own = figure.locator("canvas").first.evaluate("canvas => canvas.toDataURL()")
    figure.get_by_label("Colour").select_option("metrics.f1")
    expect(figure.locator(".chart-ramp")).to_contain_text("1.1")
    assert figure.locator("canvas").first.evaluate("canvas => canvas.toDataURL()") != own


def test_a_small_screen_scrolls_the_axes_and_not_the_page(browser: Browser, site: Site) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto(site.compare)
    figure = chart(page, "parallel")
    wide = figure.locator(".chart-scroller").evaluate("scroller => scroller.scrollWidth > scroller.clientWidth")
    assert wide
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()
