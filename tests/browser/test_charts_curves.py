"""Line charts in a real browser: every spike is drawn, zooming reaches every point, nothing is hidden in silence."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.charts import (
    INFINITE_STEP,
    NAN_STEPS,
    SPIKES,
    STEPS,
    Site,
    chromium,
    complaints,
    data,
    fill,
    inked_rows,
    ready,
    value_at,
)
from tests.support.server import RunningServer


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
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    found = complaints(page)
    yield page
    page.close()
    assert found == []


def loss(page: Page, site: Site, query: str = "") -> Locator:
    """The chart of the long run's loss, ready."""
    page.goto(f"{site.url}/runs/{site.long_run}{query}")
    return ready(page.locator("figure[data-metric=loss]"))


def asked(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query)


def drag(page: Page, figure: Locator, start: float, end: float) -> None:
    """Drag over the plot from one step to another."""
    low, high = data(figure, "x-min"), data(figure, "x-max")
    box = figure.locator(".u-over").bounding_box()
    assert box is not None
    x = [box["x"] + box["width"] * (step - low) / (high - low) for step in (start, end)]
    page.mouse.move(x[0], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(x[1], box["y"] + 60, steps=4)
    page.mouse.up()


def test_the_spikes_of_50_000_steps_are_drawn(page: Page, site: Site) -> None:
    with page.expect_response(re.compile("metric=loss")) as loaded:
        figure = loss(page, site)
    series = loaded.value.json()["series"][0]
    drawn = dict(zip(series["x"], series["y"], strict=True))
    assert {step: drawn.get(step) for step in SPIKES} == SPIKES
    assert data(figure, "total") == STEPS
    assert data(figure, "points") == len(series["x"]) < STEPS / 10
    low, high = data(figure, "y-min"), data(figure, "y-max")
    assert low < min(SPIKES.values()) < max(SPIKES.values()) < high
    at, top, foot = 31_234 / STEPS, (high - 9.5) / (high - low), (high - 1) / (high - low)
    assert inked_rows(figure, at - 0.006, top + 0.01, at + 0.006, foot) > 0.95
    assert inked_rows(figure, at - 0.06, top + 0.01, at - 0.03, foot) == 0


def test_the_caption_counts_points_nan_and_infinities(page: Page, site: Site) -> None:
    figure = loss(page, site)
    count = int(data(figure, "points"))
    expect(figure.locator(".chart-count")).to_have_text(f"{count:,} of 50,000 points")
    expect(figure.locator(".chart-marks")).to_contain_text(f"{len(NAN_STEPS)} NaN")
    expect(figure.locator(".chart-marks")).to_contain_text("1 infinite")
    assert (data(figure, "nan"), data(figure, "inf")) == (len(NAN_STEPS), 1)
    nan_at, infinite_at = NAN_STEPS[0] / STEPS, INFINITE_STEP / STEPS
    assert inked_rows(figure, nan_at - 0.005, 0.97, nan_at + 0.005, 1) > 0.5
    assert inked_rows(figure, infinite_at - 0.01, 0, infinite_at + 0.01, 0.03) > 0.5
    assert inked_rows(figure, 0.5, 0.97, 0.6, 1) == 0


def test_zooming_loads_finer_until_every_point_is_there(page: Page, site: Site) -> None:
    figure = loss(page, site)
    before = data(figure, "points")
    with page.expect_response(re.compile("start=")) as loaded:
        drag(page, figure, 31_000, 32_500)
    ready(figure)
    start, end = (int(asked(loaded.value.request)[name][0]) for name in ("start", "end"))
    assert abs(start - 31_000) < 200
    assert abs(end - 32_500) < 200
    series = loaded.value.json()["series"][0]
    assert series["x"] == list(range(start, end + 1))
    assert series["y"] == [value_at(step) for step in series["x"]]
    assert data(figure, "points") == data(figure, "in-range") == end - start + 1
    expect(figure.locator(".chart-count")).to_contain_text("in view, 50,000 in all")
    figure.locator(".u-over").dblclick()
    expect(figure).to_have_attribute("data-points", str(int(before)))
    assert (data(figure, "x-min"), data(figure, "x-max")) == (0, STEPS - 1)


def test_the_keyboard_zooms_and_moves(page: Page, site: Site) -> None:
    figure = loss(page, site)
    plot = figure.locator(".chart-plot")
    plot.focus()
    for key, start, end in (("+", 12_499, 37_500), ("ArrowRight", 18_749, 43_751), ("0", 0, STEPS - 1)):
        plot.press(key)
        expect(figure).to_have_attribute("data-x-min", str(start))
        expect(figure).to_have_attribute("data-x-max", str(end))
    expect(figure.get_by_role("button", name="Reset zoom")).to_be_hidden()


def test_fitting_the_axis_is_a_choice_and_counts_what_it_leaves_out(page: Page, site: Site) -> None:
    figure = loss(page, site)
    assert data(figure, "y-max") > max(SPIKES.values())
    figure.get_by_role("button", name="Fit to typical values").click()
    assert data(figure, "y-max") < 7
    chip = figure.get_by_role("button", name="Show all, at least 2 points off scale")
    expect(chip).to_have_attribute("aria-pressed", "true")
    at = 31_234 / STEPS
    assert inked_rows(figure, at - 0.01, 0, at + 0.01, 0.03) > 0.5
    chip.click()
    assert data(figure, "y-max") > max(SPIKES.values())


def test_axis_log_and_smoothing_live_in_the_address(page: Page, site: Site) -> None:
    figure = loss(page, site)
    figure.get_by_role("button", name="Relative").click()
    expect(figure).to_have_attribute("data-axis", "relative")
    figure = ready(figure)
    assert data(figure, "x-max") == 900 * (STEPS - 1)
    figure.get_by_role("button", name="Log").click()
    assert data(figure, "y-min") > 0
    figure.get_by_role("slider", name="Smoothing of loss").fill("0.9")
    assert parse_qs(urlsplit(page.url).query) == {"axis": ["relative"], "log": ["loss"], "smooth": ["0.9"]}
    shown = {name: figure.get_attribute(f"data-{name}") for name in ("axis", "x-max", "y-min", "y-max", "points")}
    page.reload()
    figure = ready(page.locator("figure[data-metric=loss]"))
    assert {name: figure.get_attribute(f"data-{name}") for name in shown} == shown
    expect(figure.get_by_role("button", name="Log")).to_have_attribute("aria-pressed", "true")
    expect(figure.locator(".chart-readout")).to_contain_text("smoothed")
    expect(figure.locator(".chart-marks")).to_contain_text("at or below 0")


def test_only_charts_near_the_screen_load(page: Page, site: Site) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if "/charts/curves" in request.url else None)
    page.goto(f"{site.url}/runs/{site.long_run}")
    figures = page.locator("figure[data-chart=curves]")
    ready(figures.first)
    assert figures.count() == 31
    assert len(loaded) < 20
    ready(figures.last)
    assert data(figures.last, "points") == 50


def test_the_readout_names_the_point_under_the_pointer(page: Page, site: Site) -> None:
    figure = loss(page, site)
    box = figure.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 31_234 / (STEPS - 1), box["y"] + 50)
    readout = figure.locator(".chart-readout")
    expect(readout).to_contain_text("step 31,")
    shown = re.fullmatch(r"(\S+) step ([\d,]+)", readout.inner_text())
    assert shown is not None
    assert math.isclose(float(shown[1]), value_at(int(shown[2].replace(",", ""))), rel_tol=1e-4)


def test_the_whole_series_and_a_picture_can_be_saved(page: Page, site: Site, tmp_path: Path) -> None:
    figure = loss(page, site)
    with page.expect_download() as csv:
        figure.get_by_role("link", name="CSV").click()
    lines = Path(csv.value.path()).read_text().splitlines()
    assert lines[0] == "step,timestamp,value"
    assert len(lines) == STEPS + 1
    assert all(
        repr(value_at(int(step))) == repr(float(value)) for step, _, value in (line.split(",") for line in lines[1:])
    )
    with page.expect_download() as png:
        figure.get_by_role("button", name="PNG").click()
    assert png.value.suggested_filename == "loss.png"
    assert Path(png.value.path()).read_bytes().startswith(b"\x89PNG\r\n")


def test_the_theme_redraws_and_a_small_screen_does_not_scroll_sideways(browser: Browser, site: Site) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, color_scheme="light")
    page = context.new_page()
    figure = loss(page, site)
    canvas = figure.locator("canvas").first
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert canvas.evaluate("c => c.width / c.getBoundingClientRect().width") == pytest.approx(2, abs=0.02)
    light = canvas.evaluate("c => c.toDataURL()")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "light => document.querySelector('figure[data-metric=loss] canvas')?.toDataURL() !== light", arg=light
    )
    context.close()


def test_without_javascript_the_servers_words_stay(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/runs/{site.long_run}")
    expect(page.locator("figure[data-metric=loss] .fallback")).to_be_visible()
    context.close()


def test_a_server_that_is_away_is_said_and_tried_again(browser: Browser, site: Site) -> None:
    context = browser.new_context()
    page = context.new_page()
    figure = loss(page, site)
    context.set_offline(True)
    figure.get_by_role("button", name="Relative").click()
    expect(figure.get_by_role("status")).to_contain_text("could not be loaded")
    context.set_offline(False)
    figure.get_by_role("button", name="Try again").click()
    expect(figure).to_have_attribute("data-axis", "relative")
    expect(figure.get_by_role("status")).to_be_empty()
    context.close()
