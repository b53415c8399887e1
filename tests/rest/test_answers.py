"""Answers from memory: after whatever write they are those that a server without any memory gives."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.rest import encode, replies
from minleaf_server.tracking import runs, search
from minleaf_server.tracking.services import Services
from tests.rest.conftest import Api
from tests.support.services import services_over
from tests.support.statements import statements

SEARCHES: tuple[dict[str, Any], ...] = (
    {"run_view_type": "ALL"},
    {"run_view_type": "ACTIVE_ONLY", "max_results": 1},
    {"run_view_type": "ALL", "filter": "run_name like '%'", "order_by": ["metrics.m desc"], "max_results": 2},
)


class Pair:
    """A server that remembers its answers and one that does not, over the same store."""

    def __init__(self, warm: Api, cold: Api, services: Services) -> None:
        self.warm, self.cold, self.services = warm, cold, services

    async def answers(self, run_id: str, experiment: str) -> list[bytes]:
        """What both say of the run and of its experiment, which must be the same."""
        found = []
        for fields in SEARCHES:
            body = {"experiment_ids": [experiment], **fields}
            warm, cold = [await api.post("runs/search", body) for api in (self.warm, self.cold)]
            assert warm.status_code == 200
            assert warm.content == cold.content
            found.append(warm.content)
        warm, cold = [await api.get("runs/get", run_id=run_id) for api in (self.warm, self.cold)]
        assert warm.content == cold.content
        return [*found, warm.content]


@pytest.fixture
async def pair(store: Store) -> AsyncIterator[Pair]:
    remembering = services_over(store)
    forgetting = services_over(store, replace(Settings(), answer_memory_mb=0))
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(application(services)), base_url="http://127.0.0.1")
            )
            for services in (remembering, forgetting)
        ]
        yield Pair(Api(clients[0]), Api(clients[1]), remembering)


def point(key: str, value: object, step: int = 0) -> dict[str, object]:
    return {"key": key, "value": value, "timestamp": 1, "step": step}


def dataset(name: str, **more: str) -> dict[str, Any]:
    return {"dataset": {"name": name, "digest": "1", "source_type": "code", "source": "here", **more}}


def writes(run: str, experiment: str) -> list[tuple[str, Mapping[str, object]]]:
    """Every request that changes what an answer shows of the run."""
    of = {"run_id": run}
    model = of | {"artifact_path": "m", "flavors": {}, "utc_time_created": "2026-11-23 10:00:00"}
    return [
        ("runs/log-metric", of | point("m", 1.0)),
        ("runs/log-metric", of | point("m", "NaN", 1)),
        ("runs/log-metric", of | point("m", -0.0, 2)),
        ("runs/log-metric", of | point("é/b", "Infinity")),
        ("runs/log-batch", of | {"metrics": [point("m", 0.1, 3), point("a/b:c.d", 2)]}),
        ("runs/log-batch", of | {"params": [{"key": "p", "value": 'a "quoted"\n\u0001 é'}]}),
        ("runs/log-batch", of | {"tags": [{"key": "t", "value": "\U0001f600\u2028\x7f"}]}),
        ("runs/log-parameter", of | {"key": "Q", "value": ""}),
        ("runs/set-tag", of | {"key": "t", "value": "2"}),
        ("runs/set-tag", of | {"key": "mlflow.runName", "value": "by tag"}),
        ("runs/delete-tag", of | {"key": "t"}),
        ("runs/update", of | {"status": "FINISHED"}),
        ("runs/update", of | {"end_time": 77}),
        ("runs/update", of | {"run_name": "by update"}),
        ("runs/log-inputs", of | {"datasets": [dataset("d", schema="s") | {"tags": [{"key": "k", "value": "v"}]}]}),
        ("runs/log-inputs", of | {"models": [{"model_id": "m-1"}]}),
        ("runs/outputs", of | {"models": [{"model_id": "m-2", "step": 3}]}),
        ("runs/log-model", of | {"model_json": json.dumps(model)}),
        ("runs/delete", of),
        ("runs/restore", of),
        ("experiments/delete", {"experiment_id": experiment}),
        ("experiments/restore", {"experiment_id": experiment}),
    ]


def others(run: str, other: str, experiment: str) -> list[tuple[str, Mapping[str, object]]]:
    """Requests that come near the run and change nothing that an answer shows of it."""
    return [
        ("runs/log-inputs", {"run_id": other, "datasets": [dataset("d", schema="another", profile="p")]}),
        ("runs/log-inputs", {"run_id": run, "datasets": [dataset("d", source="elsewhere")]}),
        ("experiments/update", {"experiment_id": experiment, "new_name": "renamed"}),
        ("experiments/set-experiment-tag", {"experiment_id": experiment, "key": "k", "value": "v"}),
        ("logged-models", {"experiment_id": experiment, "name": "model", "source_run_id": run}),
        ("registered-models/create", {"name": "registered"}),
        ("model-versions/create", {"name": "registered", "source": f"runs:/{run}/m", "run_id": run}),
    ]


async def test_after_every_write_the_answer_is_as_without_memory(pair: Pair) -> None:
    api = pair.warm
    experiment = (await api.ok("experiments/create", {"name": "e"}))["experiment_id"]
    run, other = [await api.run(experiment, run_name=name, start_time=5) for name in ("first", "second")]
    before = await pair.answers(run, experiment)
    for path, body in writes(run, experiment):
        await api.ok(path, body)
        after = await pair.answers(run, experiment)
        assert after[0] != before[0], f"{path} {body} shows nowhere"
        before = after
    shown = (await api.ok("runs/get", run_id=run))["run"]
    for path, body in others(run, other, experiment):
        await api.ok(path, body)
        await pair.answers(run, experiment)
    assert (await api.ok("runs/get", run_id=run))["run"] == shown


async def test_a_refused_request_leaves_the_answer_as_it_was(pair: Pair) -> None:
    run = await pair.warm.run()
    await pair.warm.ok("runs/log-parameter", {"run_id": run, "key": "p", "value": "1"})
    before = await pair.answers(run, "0")
    refused = {"run_id": run, "metrics": [point("m", 1)], "params": [{"key": "p", "value": "2"}]}
    assert (await pair.warm.refused("runs/log-batch", refused))[0] == 400
    assert await pair.answers(run, "0") == before


async def test_an_answer_is_what_the_entities_are_encoded_to(api: Api, store: Store) -> None:
    for number in range(3):
        run = await api.run(run_name=f"é{number}", start_time=number)
        await api.ok("runs/log-batch", {"run_id": run, "metrics": [point("m", 0.1), point("a", "-Infinity")]})
        await api.ok("runs/log-inputs", {"run_id": run, "datasets": [dataset("d")]})
    for wanted in (1, 3):
        page = await search.runs(store, search.RunQuery((0,), max_results=wanted, inputs=True))
        reply = replies.Runs([encode.run(one) for one in page.items], page.next_token or msgspec.UNSET)
        for _ in range(2):
            answer = await api.post("runs/search", {"experiment_ids": ["0"], "max_results": wanted})
            assert answer.content == msgspec.json.encode(reply)
    one = replies.OneRun(encode.run(await runs.get(store, run)))
    assert (await api.get("runs/get", run_id=run)).content == msgspec.json.encode(one)
    nothing = await api.post("runs/search", {"experiment_ids": ["0"], "filter": "run_name = 'none'"})
    assert nothing.content == (await api.post("runs/search", {"experiment_ids": []})).content == b"{}"


async def test_what_has_not_changed_is_not_loaded_again(pair: Pair) -> None:
    ids = [await pair.warm.run(run_name=f"run-{number}") for number in range(25)]
    await pair.warm.ok("runs/log-metric", {"run_id": ids[0], **point("m", 1)})

    async def cost(api: Api, path: str, body: object = None, **arguments: str) -> int:
        with statements() as seen:
            await api.ok(path, body, **arguments)
        return len(seen)

    every = {"experiment_ids": ["0"]}
    first = await cost(pair.warm, "runs/search", every)
    warm = await cost(pair.warm, "runs/search", every)
    assert warm < first
    assert await cost(pair.warm, "runs/search", every | {"max_results": 1}) <= warm
    assert await cost(pair.cold, "runs/search", every) == await cost(pair.cold, "runs/search", every) > warm
    assert await cost(pair.warm, "runs/get", run_id=ids[3]) == 1
    await pair.warm.ok("runs/log-metric", {"run_id": ids[3], **point("m", 2)})
    assert 1 < await cost(pair.warm, "runs/get", run_id=ids[3]) <= 6
    assert await cost(pair.warm, "runs/get", run_id=ids[3]) == 1
    assert await cost(pair.warm, "runs/search", every) == warm
