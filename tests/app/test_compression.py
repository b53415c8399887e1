"""What travels compressed: the pages and their files, not the answers that a training waits for."""

import gzip

import httpx
import pytest

from minleaf_server.app.assembly import build
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from tests.support.services import services_over


def client(store: Store) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build(Settings(), services_over(store)))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000")


@pytest.mark.parametrize("path", ["/", "/static/vendor/app.js", "/static/app.css", "/docs"])
async def test_pages_and_files_are_compressed(store: Store, path: str) -> None:
    async with client(store) as http:
        async with http.stream("GET", path, headers={"accept-encoding": "gzip"}) as answer:
            sent = b"".join([part async for part in answer.aiter_raw()])
        plain = await http.get(path, headers={"accept-encoding": "identity"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(sent) == plain.content
    assert len(sent) < len(plain.content) / 2


async def test_the_script_of_a_first_visit_fits_its_budget(store: Store) -> None:
    asked = client(store).stream("GET", "/static/vendor/app.js", headers={"accept-encoding": "gzip"})
    async with asked as answer:
        assert sum([len(part) async for part in answer.aiter_raw()]) <= 60 * 1024


async def test_answers_of_the_api_are_not(store: Store) -> None:
    async with client(store) as http:
        for number in range(20):
            await http.post("/api/2.0/mlflow/runs/create", json={"run_name": f"run {number}"})
        answer = await http.post(
            "/api/2.0/mlflow/runs/search", json={"experiment_ids": ["0"]}, headers={"accept-encoding": "gzip"}
        )
    assert len(answer.content) > 2_000
    assert "content-encoding" not in answer.headers
