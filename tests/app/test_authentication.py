"""Who gets past the login: what counts as credentials, what needs none, and what happens to those who guess."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from minleaf_server.app.attempts import FAILURES_MAX, WINDOW_SECONDS
from minleaf_server.app.authentication import OPEN_PATHS
from minleaf_server.app.policies import declared
from minleaf_server.config import load
from minleaf_server.db.read import auth as read
from minleaf_server.db.store import Store
from minleaf_server.errors import InvalidParameter, SetupError
from minleaf_server.tracking import users
from minleaf_server.tracking.passwords import matches
from minleaf_server.web.policy import Access
from tests.support.auth import ADMIN, PASSWORD, Site, authorization
from tests.support.services import services_over

SEARCH = "/api/2.0/mlflow/experiments/search?max_results=10"

pytestmark = pytest.mark.parametrize("database_uri", ["sqlite"], indirect=True)


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    site = Site(store, trusted_proxy="10.0.0.1")
    yield site
    site.close()


@pytest.fixture
async def stranger(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client(None) as client:
        yield client


def coded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


BAD = {
    "none": [],
    "empty": [b""],
    "no scheme": [coded(f"admin:{PASSWORD}").encode()],
    "another scheme": [b"Bearer " + coded(f"admin:{PASSWORD}").encode()],
    "no base64": [b"Basic admin:password"],
    "half of base64": [b"Basic YWRtaW4"],
    "no colon": [b"Basic " + coded("admin").encode()],
    "no name": [b"Basic " + coded(f":{PASSWORD}").encode()],
    "no UTF-8": [b"Basic " + coded(b"admin:\xff\xfe").encode()],
    "NUL": [b"Basic " + coded(f"admin:{PASSWORD}\0").encode()],
    "oversized": [b"Basic " + coded("admin:" + "x" * 65_536).encode()],
    "twice": [authorization(ADMIN)["authorization"].encode()] * 2,
    "default of MLflow": [b"Basic " + coded("admin:password1234").encode()],
    "empty password": [b"Basic " + coded("admin:").encode()],
    "unknown user": [b"Basic " + coded(f"nobody:{PASSWORD}").encode()],
}


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD.keys())
async def test_what_is_no_credentials(stranger: httpx.AsyncClient, headers: list[bytes]) -> None:
    sent = [(b"authorization", value) for value in headers]
    for path in (SEARCH, "/ajax-api/2.0/mlflow/experiments/search", "/api/2.0/mlflow/unknown"):
        answer = await stranger.get(path, headers=sent)
        assert answer.status_code == 401
        assert answer.json()["error_code"] == "UNAUTHENTICATED"
        assert answer.json()["message"].startswith("You are not authenticated. Please see https://")
        assert answer.headers["www-authenticate"] == 'Basic realm="minleaf", charset="UTF-8"'
    page = await stranger.get("/", headers=sent)
    assert page.status_code == 401
    assert page.headers["content-type"].startswith("text/plain")


async def test_the_right_credentials(site: Site, stranger: httpx.AsyncClient) -> None:
    for scheme in ("Basic", "basic", "BASIC"):
        header = {"authorization": f"{scheme} {coded(f'{ADMIN}:{PASSWORD}')}"}
        assert (await stranger.get(SEARCH, headers=header)).status_code == 200
    async with site.client(ADMIN) as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.head("/")).status_code == 200
        assert (await client.get("/openapi.json")).status_code == 200


async def test_only_these_paths_need_no_credentials(site: Site, stranger: httpx.AsyncClient) -> None:
    paths = {route.path: route for route in declared(site.app.routes)}
    assert {path for path, route in paths.items() if route.policy is Access.PUBLIC} == {*OPEN_PATHS, "/static"}
    for path in paths:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"):
            status = (await stranger.request(method, path)).status_code
            assert (status == 401) == (path not in OPEN_PATHS), (method, path, status)
    assert (await stranger.get("/static/leaf.svg")).status_code == 200
    assert (await stranger.get("/health")).text == "OK"


@pytest.mark.parametrize(
    "path",
    [
        "/healthXYZ", "/health/", "/HEALTH", "/health/../api/2.0/mlflow/experiments/search", "/static", "/static-evil",
        "//health", "/version/x", "/health;x", "/favicon.ico", "/api/2.0/./mlflow/experiments/search", "/nothing",
        "/%2fapi/2.0/mlflow/experiments/search", "//api/2.0/mlflow/experiments/search", "/signup",
    ],
)  # fmt: skip
async def test_nearly_open_paths_are_closed(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(httpx.URL("http://127.0.0.1:5000").copy_with(raw_path=path.encode()))).status_code == 401


async def test_a_way_out_of_the_static_files(stranger: httpx.AsyncClient) -> None:
    for path in (b"/static/../api/2.0/mlflow/experiments/search", b"/static/%2e%2e/api/2.0/mlflow/experiments/search"):
        url = httpx.URL("http://127.0.0.1:5000").copy_with(raw_path=path)
        assert (await stranger.get(url)).status_code in (401, 404)


async def test_a_page_of_another_origin_cannot_use_the_credentials(site: Site) -> None:
    async with site.client(ADMIN) as client:
        for origin in ("http://evil.com", "null", "http://localhost:9999", "https://127.0.0.1:5000"):
            sent = {"origin": origin, "content-type": "application/json"}
            answer = await client.post("/api/2.0/mlflow/experiments/create", json={"name": "x"}, headers=sent)
            assert answer.status_code == 403


async def test_guessing_ends_soon(site: Site, stranger: httpx.AsyncClient) -> None:
    async with site.client(ADMIN) as known:
        assert (await known.get(SEARCH)).status_code == 200
        statuses = []
        for attempt in range(FAILURES_MAX + 3):
            answer = await stranger.get(SEARCH, headers=authorization(ADMIN, f"guess number {attempt}"))
            statuses.append(answer.status_code)
        assert statuses == [401] * FAILURES_MAX + [429] * 3
        assert 1 <= int(answer.headers["retry-after"]) <= WINDOW_SECONDS + 1
        assert answer.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
        # A forged header does not make another address of it, and who is logged in stays so.
        forged = {**authorization(ADMIN, "another guess"), "x-forwarded-for": "9.9.9.9"}
        assert (await stranger.get(SEARCH, headers=forged)).status_code == 429
        assert (await known.get(SEARCH)).status_code == 200
        assert (await stranger.get(SEARCH, headers=authorization("other", "a guess"))).status_code == 401


async def test_many_first_requests_at_once_are_one_attempt(site: Site) -> None:
    async with site.client(ADMIN) as client:
        answers = await asyncio.gather(*(client.get(SEARCH) for _ in range(3 * FAILURES_MAX)))
    assert {answer.status_code for answer in answers} == {200}


BAD_PASSWORDS = ["", "elevenchars", "x" * 1025, "x" * 2**20, " leading space", "trailing space ", "with a \0 in it"]


@pytest.mark.parametrize("password", BAD_PASSWORDS, ids=range(len(BAD_PASSWORDS)))
async def test_passwords_that_are_not_taken(site: Site, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.client(ADMIN) as client:
        await client.get(SEARCH)
        monkeypatch.setattr("minleaf_server.tracking.passwords.hashed", None)  # Refused before it is hashed.
        for method, path in (("POST", "create"), ("PATCH", "update-password")):
            body = {"username": ADMIN, "password": password}
            answer = await client.request(method, f"/api/2.0/mlflow/users/{path}", json=body)
            assert answer.status_code == 400, answer.text
            assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
            assert not password or password not in answer.text


@pytest.mark.parametrize("name", ["", " ", "a:b", " a", "a\n", "x" * 256, "\0"])
async def test_names_that_are_not_taken(site: Site, name: str) -> None:
    assert site.services.authority is not None
    with pytest.raises(InvalidParameter):
        await users.create(site.services.authority, name, PASSWORD)


def test_no_administrator_no_start(store: Store) -> None:
    with pytest.raises(SetupError, match="MINLEAF_ADMIN_PASSWORD"):
        services_over(store, load({"auth": "true"}, {}))
    with pytest.raises(SetupError, match="12 to"):
        services_over(store, load({"auth": "true"}, {"MINLEAF_ADMIN_PASSWORD": "short"}))
    first = services_over(store, load({"auth": "true"}, {"MINLEAF_ADMIN_PASSWORD": PASSWORD}))
    # From now on the settings need no password, and another one there changes nothing.
    again = services_over(store, load({"auth": "true"}, {"MINLEAF_ADMIN_PASSWORD": "another password"}))
    bare = services_over(store, load({"auth": "true"}, {}))
    for services in (first, again, bare):
        assert services.authority is not None
        kept = services.authority.store.write_now(lambda tx: read.known_user(tx.conn, ADMIN)).password_hash
        assert matches(PASSWORD, kept)
        services.authority.close()
