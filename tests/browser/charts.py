"""What the tests of the charts share: a server with known curves, Chromium, and a look at a canvas's pixels."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STEPS = 50_000
SPIKES = {31_234: 9.5, 31_300: 7.25, 12_001: -3.0}
NAN_STEPS = range(20_000, 20_020)
INFINITE_STEP = 41_000
FIRST_TIME = 1_795_420_000_000
STEP_MS = 900
# The tests themselves read pixels back, which Chromium would like to be told in advance. Other tests of this machine
# may start containers, whose network interfaces come and go; the charts ask again then.
NOT_THE_PAGES_FAULT = ("Canvas2D: Multiple readback", "net::ERR_NETWORK_CHANGED")
HOSTILE_NAME = 'sweep-7 <img src=x onerror="alert(1)"> & "'


def value_at(step: int) -> float:
    """The planted curve."""
    if step in NAN_STEPS:
        return math.nan
    if step == INFINITE_STEP:
        return math.inf
    return SPIKES.get(step, 2.3 * math.exp(-step / 10_000) + 0.03 * math.sin(step))


class Api:
    """Logs as a client would."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def post(self, path: str, body: dict[str, Any]) -> Any:
        response = self.client.post(path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def experiment(self, name: str) -> str:
        experiment_id: str = self.post("experiments/create", {"name": name})["experiment_id"]
        return experiment_id

    def run(self, experiment_id: str, name: str, params: dict[str, str]) -> str:
        body = {"experiment_id": experiment_id, "run_name": name, "start_time": FIRST_TIME}
        run_id: str = self.post("runs/create", body)["run"]["info"]["run_id"]
        pairs = [{"key": key, "value": value} for key, value in params.items()]
        self.post("runs/log-batch", {"run_id": run_id, "params": pairs})
        return run_id

    def log(self, run_id: str, key: str, values: list[float]) -> None:
        points = [
            {"key": key, "value": wire(value), "step": step, "timestamp": FIRST_TIME + STEP_MS * step}
            for step, value in enumerate(values)
        ]
        for start in range(0, len(points), 1000):
            self.post("runs/log-batch", {"run_id": run_id, "metrics": points[start : start + 1000]})


def wire(value: float) -> float | str:
    """A value as MLflow's client sends it: JSON has no NaN and no infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


@dataclass(frozen=True)
class Site:
    """A running server and the runs on it: a long one with spikes, and a sweep."""

    url: str
    long_run: str
    sweep: tuple[str, ...]

    @property
    def compare(self) -> str:
        return f"{self.url}/compare?" + "&".join(f"run={run_id}" for run_id in self.sweep)


def fill(url: str) -> Site:
    """Log everything that the tests look at."""
    with httpx.Client(base_url=f"{url}/api/2.0/mlflow/", timeout=60) as client:
        api = Api(client)
        experiment_id = api.experiment("charts")
        long_run = api.run(experiment_id, "long", {"lr": "0.1"})
        api.log(long_run, "loss", [value_at(step) for step in range(STEPS)])
        for index in range(30):
            api.log(long_run, f"other/{index:02}", [float(step % (index + 2)) for step in range(50)])
        return Site(url, long_run, tuple(_sweep_run(api, experiment_id, index) for index in range(12)))


def _sweep_run(api: Api, experiment_id: str, index: int) -> str:
    params = {"lr": repr(10.0 ** -(1 + index % 5)), "optimizer": ["adam", "sgd"][index % 2], "seed": "7"}
    if index != 4:
        params["depth"] = str(index)
    name = HOSTILE_NAME if index == 7 else f"sweep-{index}"
    run_id = api.run(experiment_id, name, params)
    api.log(run_id, "acc", [1 - math.exp(-step / (20 + index)) for step in range(100)])
    api.log(run_id, "f1", [math.nan if index == 3 else index / 10])
    return run_id


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def complaints(page: Page) -> list[str]:
    """What the page complains of from now on: script errors, refused loads, breaches of its security policy."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(text in message.text for text in NOT_THE_PAGES_FAULT):
            found.append(message.text)

    page.on("console", heard)
    return found


def ready(figure: Locator) -> Locator:
    """Waits until the chart of a figure shows what it was asked for."""
    figure.scroll_into_view_if_needed()
    figure.and_(figure.page.locator("[data-state=ready]")).wait_for()
    return figure


def data(figure: Locator, name: str) -> float:
    """A number of the figure's data attributes."""
    return float(figure.get_attribute(f"data-{name}") or "nan")


INK = """
(figure, [x0, y0, x1, y1]) => {
  const canvas = figure.querySelector('canvas');
  const frame = canvas.getBoundingClientRect();
  const plot = (figure.querySelector('.u-over') ?? canvas).getBoundingClientRect();
  const scale = canvas.width / frame.width;
  const toX = (share) => Math.round((plot.left - frame.left + share * plot.width) * scale);
  const toY = (share) => Math.round((plot.top - frame.top + share * plot.height) * scale);
  const width = Math.max(1, toX(x1) - toX(x0));
  const height = Math.max(1, toY(y1) - toY(y0));
  const probe = figure.appendChild(document.createElement('span'));
  probe.style.color = `var(--run-${figure.dataset.colors})`;
  const color = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  const pixels = canvas.getContext('2d').getImageData(toX(x0), toY(y0), width, height).data;
  const rows = new Set();
  for (let i = 0; i < pixels.length; i += 4) {
    const away = Math.hypot(...color.map((part, k) => part - pixels[i + k]));
    if (pixels[i + 3] > 100 && away < 60) rows.add(Math.floor(i / 4 / width));
  }
  return rows.size / height;
}
"""


def inked_rows(figure: Locator, x0: float, y0: float, x1: float, y1: float) -> float:
    """The share of pixel rows in a part of the plot that hold the colour of the figure's only run.

    The part is given in shares of the plot, from its upper left corner.
    """
    share: float = figure.evaluate(INK, [x0, y0, x1, y1])
    return share


INKED_COLUMNS = """
(figure) => {
  const canvas = figure.querySelector('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const columns = new Set();
  for (let i = 3; i < data.length; i += 4) if (data[i] > 100) columns.add(((i - 3) / 4) % canvas.width);
  return columns.size / canvas.width;
}
"""


def inked_columns(figure: Locator) -> float:
    """The share of the canvas's pixel columns on which anything is drawn."""
    share: float = figure.evaluate(INKED_COLUMNS)
    return share
