"""What a page costs: a number of statements that does not grow with its rows, and a modest number of bytes."""

import asyncio
from collections.abc import Awaitable

import httpx
import pytest

from minleaf_server.db.store import Store
from minleaf_server.tracking import search
from tests.support.statements import statements
from tests.ui.logged import log_run

BYTES_OF_A_HUNDRED_ROWS_MAX = 160_000


async def cost(pages: httpx.AsyncClient, url: str) -> int:
    """The statements of a page that was asked for before: the first time columns are read."""
    await pages.get(url)
    with statements() as seen:
        response = await pages.get(url)
    assert response.status_code == 200
    return len(seen)


async def log_family(store: Store, number: int) -> list[str]:
    """That many runs, each with another parent."""
    parents = await asyncio.gather(*(log_run(store, f"parent-{i}", start_time=1) for i in range(number)))
    children = (
        log_run(
            store,
            f"run-{i}",
            params={"i": str(i)},
            metrics={"acc": [i / 7, i / 8], "loss": [float(i)]},
            tags={"mlflow.parentRunId": parent},
        )
        for i, parent in enumerate(parents)
    )
    return await asyncio.gather(*children)


@pytest.mark.parametrize(
    "url", ["/", "/search?q=run", "/experiments/0?filter=run-", "/experiments/0?filter=loss>=0&sort=metrics.acc"]
)
async def test_statements_do_not_grow_with_rows(store: Store, pages: httpx.AsyncClient, url: str) -> None:
    await log_family(store, 3)
    few = await cost(pages, url)
    await log_family(store, 22)
    assert await cost(pages, url) == few
    assert few <= 15


async def test_rows_are_counted_only_where_a_page_does_not_hold_all(
    store: Store, pages: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log_family(store, 6)
    counted: list[str] = []
    count = search.count

    async def noted(store: Store, query: search.RunQuery) -> int:
        counted.append(query.filter)
        return await count(store, query)

    monkeypatch.setattr(search, "count", noted)

    async def filters(url: str, shown: str) -> list[str]:
        """The filters for which the runs were counted for this page, which shows the text."""
        counted.clear()
        assert shown in (await pages.get(url)).text
        return counted

    assert await filters("/experiments/0", "12 runs") == []
    assert await filters("/experiments/0?filter=run-", "6 of 12 runs") == [""]
    assert await filters("/search?q=run", "run-5") == []
    await log_family(store, 55)
    assert await filters("/experiments/0", "122") == [""]
    assert await filters("/experiments/0?filter=run- or parent-", "122") == ["run- or parent-", ""]
    assert await filters("/search?q=run", "11 more") == ["run"]


async def test_statements_of_a_comparison_do_not_grow_with_runs(store: Store, pages: httpx.AsyncClient) -> None:
    ids = await log_family(store, 20)
    few = await cost(pages, "/compare?" + "&".join(f"run={run_id}" for run_id in ids[:2]))
    many = await cost(pages, "/compare?" + "&".join(f"run={run_id}" for run_id in ids))
    assert few == many


async def test_statements_of_a_run_do_not_grow_with_what_it_has(store: Store, pages: httpx.AsyncClient) -> None:
    small = await log_run(store, metrics={"a": [1.0, 2.0]})
    large = await log_run(
        store, params={f"p{i}": "1" for i in range(90)}, metrics={f"m{i}": [1.0, 2.0] for i in range(90)}
    )
    assert await cost(pages, f"/runs/{small}") == await cost(pages, f"/runs/{large}")


async def test_a_page_of_a_hundred_runs_is_modest(store: Store, pages: httpx.AsyncClient) -> None:
    def logged(i: int) -> Awaitable[str]:
        params = {f"param_{j}": str(i * j % 97) for j in range(8)}
        metrics = {f"metric_{j}": [i * j / 97] for j in range(8)}
        return log_run(store, f"run-number-{i}", params=params, metrics=metrics)

    await asyncio.gather(*(logged(i) for i in range(110)))
    response = await pages.get("/experiments/0")
    assert len(response.content) < BYTES_OF_A_HUNDRED_ROWS_MAX
    assert response.text.count('name="run"') == 100
    assert (await pages.get("/experiments/0?size=100000")).text.count('name="run"') == 100


async def test_a_table_of_very_many_metrics_is_modest(store: Store, pages: httpx.AsyncClient) -> None:
    def logged(i: int) -> Awaitable[str]:
        return log_run(store, f"run-{i}", metrics={f"layer/metric_{j}": [i * j / 97] for j in range(1, 301)})

    await asyncio.gather(*(logged(i) for i in range(50)))
    response = await pages.get("/experiments/0")
    assert len(response.content) < 500_000
    assert "+270" in response.text
