"""Both databases find exactly the runs that plain Python finds, in the same order, on pages of any size."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from minleaf_server.db.read.search import Scope
from minleaf_server.db.store import Store
from minleaf_server.db.tables import run as run_table
from minleaf_server.entities import Dataset, Point, PointColumns, RunStatus, ViewType
from minleaf_server.entities.dataset import CONTEXT_TAG
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
from minleaf_server.tracking import experiments, inputs, runs, search
from tests.conftest import BACKENDS, fresh_database
from tests.filters import strategies
from tests.filters.oracle import OracleRun, matches, sort_runs

VALUES = [0.0, -0.0, 0.1, 0.5, 1.0, -1.0, 3.0, float("inf"), float("-inf"), float("nan"), 1e308, 5e-324]
RUNS = 60


def random_run(rng: random.Random, experiment_ids: list[int]) -> OracleRun:
    run = OracleRun(
        id="", name=rng.choice([*strategies.TEXTS, "resnet 50"]) or "unnamed", user=rng.choice(["ana", "Bo"])
    )
    run.experiment_id = rng.choice(experiment_ids)
    run.status = rng.choice(strategies.STATUSES)
    run.start = rng.choice([None, 0, 1000, 1000, 60_000, 86_400_000, 2**62])
    run.end = rng.choice([None, 1000, 121_000, 86_400_000])
    for key in strategies.METRICS[:-2]:
        if rng.random() < 0.7:
            first = rng.choice([-7, 0, 2])
            run.metrics[key] = [(first + 2 * i, rng.choice(VALUES)) for i in range(rng.randint(1, 4))]
    run.params = {key: rng.choice(strategies.TEXTS) for key in ("lr", "depth") if rng.random() < 0.7}
    run.tags = {key: rng.choice(strategies.TEXTS) for key in ("stage", "mlflow.user") if rng.random() < 0.7}
    run.datasets = random_datasets(rng)
    run.deleted = rng.random() < 0.1
    return run


def random_datasets(rng: random.Random) -> list[tuple[str, str, str | None]]:
    """None to three datasets of different names and digests, of a few that the runs share."""
    texts = strategies.DATASETS[:-1]
    pairs = {(rng.choice(texts), rng.choice(texts)[:36]) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))}
    return [(name, digest, rng.choice([None, *texts])) for name, digest in sorted(pairs)]


def logged_dataset(name: str, digest: str, context: str | None) -> tuple[Dataset, list[tuple[str, str]]]:
    tags = [] if context is None else [(CONTEXT_TAG, context)]
    return Dataset(name, digest, "local", "source"), [*tags, ("other", "train")]


async def insert(store: Store, run: OracleRun) -> None:
    """Log the run as a client would; takes over the id and the values that the server gives."""
    made = await runs.create(
        store, run.experiment_id, name=run.name, user=run.user, start_time=run.start, tags=list(run.tags.items())
    )
    run.id, run.artifact_uri, run.start = made.info.id, made.info.artifact_uri, made.info.start_time
    points = [Point(key, value, 0, step) for key, series in run.metrics.items() for step, value in series]
    await runs.log_batch(store, run.id, metrics=PointColumns.of(points), params=list(run.params.items()))
    await inputs.log_inputs(store, run.id, datasets=[logged_dataset(*dataset) for dataset in run.datasets])
    await runs.update(store, run.id, status=RunStatus[run.status], end_time=run.end, name=None)
    if run.deleted:
        await runs.delete(store, run.id)


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
    assert all_pages(store, query) == [run.id for run in sort_runs(wanted, checked_orders)]
    assert asyncio.run(search.count(store, query)) == len(wanted)


def matching(store: Store, expr: Expr) -> list[str]:
    where = Scope((0, 1)).matching(expr)
    return asyncio.run(store.read(lambda conn: sorted(conn.execute(select(run_table.c.uuid).where(where)).scalars())))


DATASETS = [f"'{text}'" for text in strategies.DATASETS]
CLAUSES = [
    f"{field} {operator} {value}"
    for fields, operators, values in [
        (["metrics.acc", "min(metrics.acc)", "max(metrics.acc)"], "= != < <= > >=", strategies.NUMBERS),
        (["count(metrics.acc)", "argmin(metrics.acc)", "argmax(metrics.acc)"], "= != < <= > >=", strategies.STEPS),
        (["params.lr"], "= != < <= > >=", ["3", "'3'", "10", "inf", "nan", "adam", "'adam'", "true", "'true'"]),
        (["datasets.name", "datasets.digest", "datasets.context"], "= != like ilike", DATASETS),
        (["start_time", "end_time"], "= != < <= > >=", strategies.TIMES),
    ]
    for field in fields
    for operator in operators.split()
    for value in values
]


def test_every_operator_with_every_value(filled: tuple[Store, list[OracleRun]]) -> None:
    store, made = filled
    for text in CLAUSES:
        expr = check(parse(text), Catalog(), text=text)
        assert matching(store, expr) == sorted(run.id for run in made if not run.deleted and matches(run, expr)), text
