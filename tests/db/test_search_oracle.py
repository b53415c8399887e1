"""Both databases find exactly the runs that plain Python finds, in the same order, on pages of any size."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from minleaf_server.db.read import search as db_search
from minleaf_server.db.read.search import Scope
from minleaf_server.db.store import Connection, Store
from minleaf_server.db.tables import run as run_table
from minleaf_server.entities import ViewType
from minleaf_server.filters import (
    Catalog,
    Expr,
    OrderBy,
    check,
    check_order,
    order_to_text,
    parse,
    parse_order,
    to_text,
)
from minleaf_server.tracking import experiments, search
from tests.conftest import BACKENDS, fresh_database
from tests.filters import strategies
from tests.filters.clauses import CLAUSES
from tests.filters.oracle import OracleRun, matches, sort_runs
from tests.filters.random_runs import random_run
from tests.support.stored_runs import insert

RUNS = 60


async def fill(store: Store, seed: int) -> list[OracleRun]:
    rng = random.Random(seed)
    ids = [0, (await experiments.create(store, "second")).id]
    made = [random_run(rng, ids) for _ in range(RUNS)]
    for run in made:
        await insert(store, run)
    return made


@pytest.fixture(scope="module", params=BACKENDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, list[OracleRun]]]:
    folder: Path = tmp_path_factory.mktemp("oracle")
    with fresh_database(request.param, folder, request) as uri:
        store = Store.open(uri)
        yield store, asyncio.run(fill(store, seed=20261123))
        store.close()


def all_pages(store: Store, query: search.RunQuery) -> list[str]:
    async def read() -> list[str]:
        found: list[str] = []
        token = None
        while True:
            page = await search.runs(store, search.RunQuery(**{**vars(query), "page_token": token}))
            found += [run.info.id for run in page.items]
            if page.next_token is None:
                return found
            assert len(page.items) == query.max_results
            token = page.next_token

    return asyncio.run(read())


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    expr=strategies.expressions,
    orders=strategies.orders,
    experiment_ids=st.sampled_from([(0,), (1,), (0, 1)]),
    view=st.sampled_from(ViewType),
    size=st.sampled_from([3, 20, 1000]),
)
def test_search_is_what_plain_python_finds(
    filled: tuple[Store, list[OracleRun]],
    expr: Expr,
    orders: list[OrderBy],
    experiment_ids: tuple[int, ...],
    view: ViewType,
    size: int,
) -> None:
    store, made = filled
    text, order_by = to_text(expr), tuple(order_to_text(order) for order in orders)
    assert parse(text) == expr
    checked = check(parse(text), Catalog(), text=text)
    checked_orders = list(check_order([parse_order(order) for order in order_by], Catalog()))
    stages = {lifecycle.name == "DELETED" for lifecycle in view.lifecycles}
    wanted = [
        run for run in made if run.experiment_id in experiment_ids and run.deleted in stages and matches(run, checked)
    ]
    query = search.RunQuery(experiment_ids, text, order_by, view, size)
    ids = [run.id for run in sort_runs(wanted, checked_orders)]
    assert all_pages(store, query) == ids
    assert asyncio.run(search.count(store, query)) == len(ids)
    assert found_by_sql(store, Scope(experiment_ids, view), checked, checked_orders, size) == (ids, len(ids))


def found_by_sql(store: Store, scope: Scope, expr: Expr, orders: list[OrderBy], size: int) -> tuple[list[str], int]:
    """As SQL finds them where columns cannot: the ids of all pages, and the number."""

    def job(conn: Connection) -> tuple[list[str], int]:
        found: list[int] = []
        after = None
        while True:
            page = db_search.find(conn, scope, expr, orders, after, size)
            found += page.ids
            if page.last is None:
                break
            after = page.last
        names = dict(conn.execute(select(run_table.c.id, run_table.c.uuid)).all())
        return [names[row] for row in found], db_search.count(conn, scope, expr)

    return asyncio.run(store.read(job))


def matching(store: Store, expr: Expr) -> list[str]:
    where = Scope((0, 1)).matching(expr)
    return asyncio.run(store.read(lambda conn: sorted(conn.execute(select(run_table.c.uuid).where(where)).scalars())))


def test_every_operator_with_every_value(filled: tuple[Store, list[OracleRun]]) -> None:
    store, made = filled
    for text in CLAUSES:
        expr = check(parse(text), Catalog(), text=text)
        assert matching(store, expr) == sorted(run.id for run in made if not run.deleted and matches(run, expr)), text
