"""A server whose threads are all busy with long reads: what goes on, what waits and what is refused."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from minleaf_server.db.dialect import LONG_READERS
from minleaf_server.db.lane import WAITING_MAX
from minleaf_server.db.store import Store
from tests.rest.conftest import Api, refusal

EVERY = {"experiment_ids": ["0"]}


@asynccontextmanager
async def endless_searches(store: Store, count: int) -> AsyncIterator[None]:
    """So many long reads, which end with the block."""
    begun = [threading.Event() for _ in range(count)]
    may_end = threading.Event()

    def hold(number: int) -> None:
        begun[number].set()
        assert may_end.wait(60)

    def holding(number: int) -> asyncio.Task[None]:
        return asyncio.create_task(store.long_read(lambda _conn: hold(number)))

    tasks = [holding(number) for number in range(count)]
    try:
        for event in begun[:LONG_READERS]:
            await asyncio.to_thread(event.wait, 60)
        yield
    finally:
        may_end.set()
        await asyncio.gather(*tasks)


async def test_logging_and_reading_a_run_do_not_wait_for_searches(api: Api, store: Store) -> None:
    async with endless_searches(store, LONG_READERS + 4):
        search = asyncio.create_task(api.post("runs/search", EVERY))
        run = await api.run()
        point = {"run_id": run, "key": "m", "value": 1, "timestamp": 1, "step": 0}
        await api.ok("runs/log-metric", point)
        await api.ok("runs/log-batch", {"run_id": run, "params": [{"key": "p", "value": "1"}]})
        assert (await api.data(run))["params"] == {"p": "1"}
        await api.ok("experiments/get", experiment_id="0")
        await asyncio.sleep(0.05)
        assert not search.done()
    answer = await search
    assert answer.status_code == 200
    assert [one["info"]["run_id"] for one in answer.json()["runs"]] == [run]


async def test_more_searches_than_may_wait_are_refused_for_now(api: Api, store: Store) -> None:
    run = await api.run()
    async with endless_searches(store, LONG_READERS):
        searches = [asyncio.create_task(api.post("runs/search", EVERY)) for _ in range(WAITING_MAX + 20)]
        answered = 0
        while answered < 20:  # Those that are refused are answered at once.
            await asyncio.sleep(0.01)
            answered = sum(search.done() for search in searches)
        await api.ok("runs/get", run_id=run)
    answers = [await search for search in searches]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) == 20
    for answer in refused:
        status, code, message = refusal(answer)
        assert (status, code) == (503, "TEMPORARILY_UNAVAILABLE")
        assert "wait for the database" in message
        assert int(answer.headers["retry-after"]) > 0
    assert await api.ok("runs/search", EVERY)
