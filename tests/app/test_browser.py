"""A real browser in which a hostile page tries to read and to change what a Minleaf on the same machine holds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from minleaf_server.app import build
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from tests.app.live import Live
from tests.support.services import services_over

CREATE = "/ajax-api/2.0/mlflow/experiments/create"
# The name stands for one that a stranger has pointed at this machine.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP evil.test 127.0.0.1"]

ATTACK = """async ([address, name]) => {
  const body = JSON.stringify({name});
  const send = (options) => fetch(address, {method: 'POST', body, ...options}).then((answer) => answer.type, String);
  const results = [
    await send({mode: 'no-cors'}),
    await send({mode: 'no-cors', headers: {'content-type': 'text/plain'}}),
    await send({headers: {'content-type': 'application/json'}}),
    await send({credentials: 'include'}),
  ];
  navigator.sendBeacon(address, body);
  return results;
}"""
READ = "(address) => fetch(address).then((answer) => answer.text(), () => 'refused')"
FORM = """([address, name]) => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'POST', action: address, enctype: 'text/plain'});
  const field = document.createElement('input');
  Object.assign(field, {name: `{"name": "${name}", "x": "`, value: '"}'});
  form.append(field);
  document.body.append(form);
  form.submit();
}"""


@dataclass
class Recorder:
    """Passes everything on, and remembers what was answered: (method, path, status)."""

    app: ASGIApp
    answers: list[tuple[str, str, int]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answers.append((scope["method"], scope["path"], message["status"]))
            await send(message)

        await self.app(scope, receive, record)


@dataclass(frozen=True)
class Scene:
    """A Minleaf, a hostile site on the same machine, and a browser."""

    page: Page
    minleaf: Live
    hostile: Live
    answers: list[tuple[str, str, int]]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.minleaf.port}"

    def created(self) -> bool:
        """Whether there is an experiment of the name that attackers try to create."""
        path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=hacked"
        return self.minleaf.request("GET", path).status == 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def scene(browser: Browser, tmp_path: Path) -> Iterator[Scene]:
    store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
    answers: list[tuple[str, str, int]] = []
    site = Starlette(routes=[Route("/", lambda request: HTMLResponse("<!doctype html><title>hostile</title><body>"))])
    page = browser.new_page()
    with (
        Live(lambda port: Recorder(build(Settings(port=port), services_over(store)), answers)) as minleaf,
        Live(lambda port: site) as hostile,
    ):
        yield Scene(page, minleaf, hostile, answers)
        page.close()
    store.close()


HOSTILE_NAMES = ["evil.test", "127.0.0.1", "localhost"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_page_changes_nothing(scene: Scene, name: str) -> None:
    scene.page.goto(f"http://{name}:{scene.hostile.port}/")
    results = scene.page.evaluate(ATTACK, [scene.address + CREATE, "hacked"])
    assert "basic" not in results
    assert "cors" not in results
    with scene.page.expect_navigation():
        scene.page.evaluate(FORM, [scene.address + CREATE, "hacked"])
    assert "PERMISSION_DENIED" in scene.page.content()
    posts = [status for method, path, status in scene.answers if (method, path) == ("POST", CREATE)]
    assert len(posts) >= 4
    assert set(posts) == {403}
    assert not scene.created()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_page_reads_nothing(scene: Scene, name: str) -> None:
    scene.page.goto(f"http://{name}:{scene.hostile.port}/")
    for path in ("/", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/health"):
        assert scene.page.evaluate(READ, scene.address + path) == "refused"


def test_a_name_that_was_pointed_here_reads_nothing(scene: Scene) -> None:
    answer = scene.page.goto(f"http://evil.test:{scene.minleaf.port}/")
    assert answer is not None
    assert answer.status == 403
    # From here the page is of the same origin as the server, so the browser itself forbids nothing.
    text = scene.page.evaluate(READ, "/api/2.0/mlflow/experiments/get?experiment_id=0")
    assert "PERMISSION_DENIED" in text
    assert "Default" not in text


def test_no_other_page_shows_it_in_a_frame(scene: Scene) -> None:
    scene.page.goto(f"http://evil.test:{scene.hostile.port}/")
    with scene.page.expect_event("framenavigated", lambda frame: frame.parent_frame is not None):
        scene.page.evaluate(
            "(address) => document.body.append(Object.assign(document.createElement('iframe'), {src: address}))",
            scene.address + "/",
        )
    assert scene.page.frames[1].url.startswith("chrome-error:")
    assert ("GET", "/", 200) in scene.answers


def test_its_own_page_may_change_things(scene: Scene) -> None:
    scene.page.goto(scene.address + "/docs")
    send = """(address) => fetch(address, {
      method: 'POST', body: '{"name": "hacked"}', headers: {'content-type': 'application/json'},
    }).then((answer) => answer.status)"""
    assert scene.page.evaluate(send, CREATE) == 200
    assert scene.created()


def test_the_description_is_readable_and_obeys_the_policy(scene: Scene) -> None:
    complaints: list[str] = []
    scene.page.on("console", lambda message: complaints.append(message.text))
    scene.page.on("requestfailed", lambda request: complaints.append(request.url))
    asked: list[str] = []
    scene.page.on("request", lambda request: asked.append(request.url))
    scene.page.goto(scene.address + "/docs")
    assert scene.page.locator("article#post-api-2\\.0-mlflow-runs-log-batch h3").inner_text().startswith("POST")
    assert scene.page.evaluate("getComputedStyle(document.body).display") == "grid"
    assert complaints == []
    assert all(url.startswith((scene.address, "data:")) for url in asked)
