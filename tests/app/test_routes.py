"""What holds for every route of the real application, found by walking it rather than by a list that grows stale."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import httpx
import pytest
from sqlalchemy import MetaData, create_engine
from starlette.types import ASGIApp

from minleaf_server import rest
from minleaf_server.app import build
from minleaf_server.app.assembly import application
from minleaf_server.app.exchange import SECURITY_HEADERS
from minleaf_server.app.policies import declared
from minleaf_server.app.service import description
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.tracking import experiments, runs
from tests.app.test_hosts import FOREIGN
from tests.support.services import services_over

PREFIX = "/team"
OWN = "http://127.0.0.1:5000"
UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]
ORIGINS = ["http://evil.com", "null", "http://localhost:9999", "https://127.0.0.1:5000", "http://evil.com@localhost"]
# Names and values that make every route with arguments find something.
QUERY = {"experiment_id": "0", "experiment_name": "Default", "metric_key": "loss", "max_results": "5"}
QUERY |= {"start_step": "0", "end_step": "1", "q": "run"}
SETTINGS = Settings(static_prefix=PREFIX)


@dataclass(frozen=True)
class World:
    """An application over a database with one experiment and one run in it."""

    app: ASGIApp
    uri: str
    run_id: str
    paths: tuple[str, ...]
    """Every route's path with its variables filled in."""

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=OWN)

    def rows(self) -> dict[str, list[str]]:
        """All that is in the database."""
        engine = create_engine(self.uri.replace("postgresql://", "postgresql+psycopg://"))
        tables = MetaData()
        with engine.connect() as conn:
            tables.reflect(conn)
            rows = {name: sorted(map(repr, conn.execute(table.select()))) for name, table in tables.tables.items()}
        engine.dispose()
        assert rows["run"]
        return rows


async def make_world(store: Store, uri: str) -> World:
    await experiments.set_tag(store, 0, "stage", "first")
    run = await runs.create(store, 0, name="first run", user="ana", start_time=1, tags=[("a", "b")])
    await runs.log_param(store, run.info.id, "max_depth", "3")
    app = build(SETTINGS, services_over(store))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OWN) as client:
        points = [{"key": "loss", "value": 0.5, "timestamp": step, "step": step} for step in range(2)]
        body = {"run_id": run.info.id, "metrics": points}
        assert (await client.post("/api/2.0/mlflow/runs/log-batch", json=body)).status_code == 200
    filled = (
        re.sub(r"{(\w+)[^}]*}", lambda match: run.info.id if match[1] == "run_id" else "0", route.path)
        for route in declared(application(services_over(store)).routes)
    )
    own = tuple(dict.fromkeys(filled))
    return World(app, uri, run.info.id, (*own, "/static/docs.css", "/nothing", *(PREFIX + path for path in own)))


@pytest.fixture
async def world(store: Store, database_uri: str) -> World:
    return await make_world(store, database_uri)


@pytest.fixture
async def sqlite_world(tmp_path: Path) -> AsyncIterator[World]:
    """For what is refused before any database is asked."""
    uri = f"sqlite:///{tmp_path}/minleaf.db"
    store = Store.open(uri)
    yield await make_world(store, uri)
    store.close()


def queries(world: World) -> tuple[str, ...]:
    """No arguments, all that the API knows, and those of the charts, which take no other."""
    every = [*QUERY.items(), *((name, world.run_id) for name in ("run_id", "run_ids", "run"))]
    return "", f"?{httpx.QueryParams(every)}", f"?run={world.run_id}&metric=loss"


def test_the_walk_finds_the_routes_of_every_part(sqlite_world: World) -> None:
    for path in ("/", "/runs/" + sqlite_world.run_id, "/static", "/api/2.0/mlflow/runs/log-batch", "/docs", "/graphql"):
        assert path in sqlite_world.paths
        assert PREFIX + path in sqlite_world.paths


async def test_no_route_can_be_changed_from_another_origin(sqlite_world: World) -> None:
    before = sqlite_world.rows()
    hostile = [{"origin": origin} for origin in ORIGINS] + [{"sec-fetch-site": site} for site in ("cross-site", "x")]
    body = json.dumps({"run_id": sqlite_world.run_id, "experiment_id": "0", "key": "k", "value": "1", "name": "x"})
    async with sqlite_world.client() as client:
        for path, method, headers in product(sqlite_world.paths, UNSAFE, hostile):
            answer = await client.request(method, path, headers=headers | {"content-type": "text/plain"}, content=body)
            assert answer.status_code == 403, (method, path, headers)
    assert sqlite_world.rows() == before


async def test_no_route_answers_under_a_foreign_name(sqlite_world: World) -> None:
    hosts = [host for host in FOREIGN if host.isascii()]
    opened = {prefix + path for prefix in ("", PREFIX) for path in ("/health", "/version")}
    async with sqlite_world.client() as client:
        for path, host in product(sqlite_world.paths, hosts):
            answer = await client.get(path, headers={"host": host})
            assert answer.status_code == (200 if path in opened else 403), (path, host)


async def test_reading_changes_nothing_and_never_fails(world: World) -> None:
    before = world.rows()
    found = set()
    async with world.client() as client:
        for path, method, arguments in product(world.paths, ("GET", "HEAD", "OPTIONS"), queries(world)):
            answer = await client.request(method, path + arguments)
            assert answer.status_code < 500 or answer.status_code == 501, (method, path, answer.text)
            if answer.status_code == 200:
                found.add(path)
    assert world.rows() == before
    for path in found:
        assert path.startswith(PREFIX) or path == "/static/docs.css" or PREFIX + path in found, path
    for path in ("/", f"/runs/{world.run_id}", "/experiments/0", "/compare", "/search", "/docs"):
        assert path in found
    assert found >= {"/charts/curves", "/charts/series.csv"}
    for path in ("runs/get", "experiments/get", "metrics/get-history", "metrics/get-history-bulk-interval"):
        assert f"/api/2.0/mlflow/{path}" in found
        assert f"{PREFIX}/ajax-api/2.0/mlflow/{path}" in found


async def test_every_route_has_the_security_headers_and_allows_no_other_origin(sqlite_world: World) -> None:
    async with sqlite_world.client() as client:
        for path, method in product(sqlite_world.paths, ("GET", "POST", "OPTIONS")):
            answer = await client.request(method, path, headers={"origin": OWN})
            for name, value in SECURITY_HEADERS:
                found = answer.headers.get_list(name.decode())
                # An artifact that is downloaded carries one more policy, which only makes it stricter.
                if name == b"content-security-policy" and "content-disposition" in answer.headers:
                    assert found.pop(0) == "sandbox"
                assert found == [value.decode()], (method, path)
            assert not [name for name in answer.headers if name.startswith("access-control-") or name == "server"]


async def test_errors_of_the_api_are_json_and_say_nothing_of_the_inside(world: World) -> None:
    async with world.client() as client:
        for path, method in product((path for path in world.paths if "api/" in path), ("GET", "POST", "PUT", "DELETE")):
            answer = await client.request(method, path, content=b"{", headers={"content-type": "application/json"})
            if answer.status_code != 200:
                assert answer.headers["content-type"] == "application/json", (method, path)
                assert set(answer.json()) == {"error_code", "message"}
                assert not re.search(r"SELECT|INSERT|Traceback|\.py|sqlite|/tmp|/work", answer.text)


async def test_a_wrong_argument_of_a_page_is_told_on_a_page(world: World) -> None:
    async with world.client() as client:
        for path in ("/experiments/abc", "/experiments/999999999999999999999999", "/runs/abc", "/experiments/1"):
            answer = await client.get(path)
            assert answer.status_code in (400, 404), path
            assert answer.headers["content-type"].startswith("text/html")


async def test_no_address_redirects(sqlite_world: World) -> None:
    async with sqlite_world.client() as client:
        for path in sqlite_world.paths:
            for other in (path + "/", "/" + path):
                assert not (await client.get(other)).is_redirect, other


async def test_what_is_odd_about_a_request_is_not_repeated(sqlite_world: World) -> None:
    odd = "<script>alert(1)</script>"
    async with sqlite_world.client() as client:
        for start in ("/", "/api/", "/static/", "/runs/", "/experiments/", "/experiments/0?filter="):
            for headers in ({"accept": odd}, {"content-type": odd}, {"host": odd}):
                answer = await client.get(start + odd, headers=headers)
                assert odd not in answer.text or answer.headers["content-type"] == "application/json"


def test_every_path_in_the_description_is_a_route(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/other.db")
    try:
        app = application(services_over(store))
    finally:
        store.close()
    described = set(description()["paths"])
    # The description leaves out what only the router needs to know of a variable.
    served = {re.sub(r":\w+}", "}", route.path) for route in declared(app.routes)}
    assert described <= served
    every = {path for one in rest.ENDPOINTS for path in one.paths if not path.startswith(("/ajax-api", "//"))}
    assert {re.sub(r":\w+}", "}", path) for path in every} | {"/health", "/health/ready", "/version"} == described
