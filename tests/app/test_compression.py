"""What travels compressed: the pages and their files, and large answers of the API to clients on other machines."""

import gzip
import json
import threading
from dataclasses import dataclass

import httpx
import pytest
import zstandard

from minleaf_server.app.assembly import build
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.tracking import metrics
from minleaf_server.web import compression
from minleaf_server.web.compression import WORTHWHILE
from tests.support.services import services_over

PART = 500
"""Points in a part of a history, for these tests."""
DECODE = {
    "gzip": gzip.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
    None: bytes,
}


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


REMOTE = ("10.0.0.7", 50_000)
API = "/api/2.0/mlflow"


@dataclass(frozen=True)
class Raw:
    """An answer as it travelled."""

    headers: httpx.Headers
    body: bytes

    @property
    def encoding(self) -> str | None:
        """How it is compressed; None where it is not."""
        return self.headers.get("content-encoding")


class Wire:
    """The API as a client at an address sees it, with one run that has many params and a long history."""

    def __init__(self, store: Store, peer: tuple[str, int]) -> None:
        app = build(Settings(insecure_no_auth=True), services_over(store))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=peer), base_url="http://127.0.0.1:5000", headers={}
        )
        self.run_id = ""

    async def log(self, points: int) -> None:
        """Make the run."""
        made = await self.http.post(f"{API}/runs/create", json={})
        self.run_id = made.json()["run"]["info"]["run_id"]
        params = [{"key": f"param {n}", "value": "long " * 20} for n in range(100)]
        await self.http.post(f"{API}/runs/log-batch", json={"run_id": self.run_id, "params": params})
        for start in range(0, points, 1000):
            batch = [{"key": "m", "value": n / 7, "timestamp": n, "step": n} for n in range(start, start + 1000)]
            await self.http.post(f"{API}/runs/log-batch", json={"run_id": self.run_id, "metrics": batch})

    async def raw(self, path: str, accept: str, **headers: str) -> Raw:
        """The answer to a GET."""
        async with self.http.stream("GET", path, headers={"accept-encoding": accept, **headers}) as answer:
            assert answer.status_code == 200
            return Raw(answer.headers, b"".join([part async for part in answer.aiter_raw()]))

    async def run(self, accept: str, **headers: str) -> Raw:
        """The run, which is a large answer."""
        return await self.raw(f"{API}/runs/get?run_id={self.run_id}", accept, **headers)


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("GZIP", "gzip"),
        ("zstd;q=0.5, gzip;q=1.0", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("gzip; q=0", None),
        ("identity", None),
        ("br", None),
        ("*", None),
        ("gzip;q=often", None),
        ("", None),
        ("gzip," * 100, None),
    ],
)
async def test_a_large_answer_of_the_api_is_compressed_as_asked(
    store: Store, accept: str, encoding: str | None
) -> None:
    wire = Wire(store, REMOTE)
    await wire.log(0)
    plain, asked = await wire.run("identity"), await wire.run(accept)
    assert plain.encoding is None
    assert len(plain.body) > WORTHWHILE
    assert asked.encoding == encoding
    assert DECODE[encoding](asked.body) == plain.body
    assert int(asked.headers["content-length"]) == len(asked.body)
    assert asked.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_a_small_answer_of_the_api_is_not(store: Store) -> None:
    wire = Wire(store, REMOTE)
    answer = await wire.raw(f"{API}/experiments/get?experiment_id=0", "gzip, zstd")
    assert answer.encoding is None
    assert "vary" not in answer.headers


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1"])
async def test_who_is_on_the_same_machine_gets_all_as_it_is(store: Store, address: str) -> None:
    wire = Wire(store, (address, 50_000))
    await wire.log(0)
    assert (await wire.run("gzip, zstd")).encoding is None
    assert (await wire.run("gzip, zstd", **{"x-forwarded-for": "10.0.0.7"})).encoding == "zstd"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_an_answer_in_parts_is_compressed_as_it_is_made(
    store: Store, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "PART", PART)
    wire = Wire(store, REMOTE)
    await wire.log(6 * PART)
    path = f"{API}/metrics/get-history?run_id={wire.run_id}&metric_key=m"
    plain, asked = await wire.raw(path, "identity"), await wire.raw(path, encoding)
    assert asked.encoding == encoding
    assert DECODE[encoding](asked.body) == plain.body
    assert len(json.loads(plain.body)["metrics"]) == 6 * PART
    assert len(asked.body) < len(plain.body) / 2
    assert "content-length" not in asked.headers


async def test_much_is_compressed_in_a_thread(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()

    class Watched:
        def compress(self, data: bytes) -> bytes:
            threads.add(threading.get_ident())
            return data

        def flush(self) -> bytes:
            return b""

    monkeypatch.setitem(compression._MAKERS, b"zstd", Watched)
    assert await compression.compressed(b"zstd", b"x" * compression.IN_THREAD) == b"x" * compression.IN_THREAD
    assert threading.get_ident() not in threads
    await compression.compressed(b"zstd", b"x" * WORTHWHILE)
    assert threading.get_ident() in threads


async def test_files_travel_as_they_are(store: Store) -> None:
    wire = Wire(store, REMOTE)
    await wire.log(0)
    address = "/api/2.0/mlflow-artifacts/artifacts/0/text.json"
    await wire.http.put(address, content=b"[1, 2, 3, 4] " * 10_000)
    whole = await wire.raw(address, "gzip, zstd")
    assert whole.encoding is None
    assert len(whole.body) == 130_000
