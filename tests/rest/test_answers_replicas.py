"""Answers from memory on two servers over one Postgres, while both write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from tests.conftest import fresh_database
from tests.rest.conftest import Api
from tests.support.services import services_over

ROUNDS = 30


@pytest.fixture
async def apis(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[list[Api]]:
    """Two servers, and one without a memory over the store of the second."""
    with fresh_database("postgres", tmp_path, request) as uri:
        stores = [Store.open(uri), Store.open(uri)]
        services = [services_over(store) for store in stores]
        services.append(services_over(stores[1], replace(Settings(), answer_memory_mb=0)))
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(
                    httpx.AsyncClient(transport=httpx.ASGITransport(application(one)), base_url="http://127.0.0.1")
                )
                for one in services
            ]
            yield [Api(client) for client in clients]
        for store in stores:
            store.close()


async def test_no_answer_is_older_than_what_was_acknowledged_or_half_of_it(apis: list[Api]) -> None:
    """Every write sets two tags and a metric of a run to one number, in turn on either server."""
    ids = [await apis[0].run(run_name=f"run-{number}", start_time=number) for number in range(3)]
    acknowledged = dict.fromkeys(ids, -1)

    async def write(run: str) -> None:
        for number in range(ROUNDS):
            tags = [{"key": key, "value": str(number)} for key in ("a", "b")]
            metric = {"key": "m", "value": number, "timestamp": number, "step": number}
            await apis[number % 2].ok("runs/log-batch", {"run_id": run, "tags": tags, "metrics": [metric]})
            acknowledged[run] = number

    async def read(api: Api) -> int:
        """How many answers were looked at."""
        count = 0
        while min(acknowledged.values()) < ROUNDS - 1:
            least = dict(acknowledged)
            for one in (await api.ok("runs/search", {"experiment_ids": ["0"]}))["runs"]:
                data = {
                    entry["key"]: float(entry["value"])
                    for kind in ("metrics", "tags")
                    for entry in one["data"].get(kind, ())
                    if entry["key"] in "abm"
                }
                assert len(set(data.values())) <= 1, data
                assert data.get("m", -1) >= least[one["info"]["run_id"]]
                count += 1
        return count

    *_, first, second = await asyncio.gather(*map(write, ids), *map(read, apis[:2]))
    assert min(first, second) > 0
    answers = [await api.post("runs/search", {"experiment_ids": ["0"]}) for api in apis]
    assert answers[0].content == answers[1].content == answers[2].content
