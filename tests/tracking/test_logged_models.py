"""Searching logged models: what matches, in which order, in pages, by how many queries. And their metrics, exactly."""

import itertools
import math
import random
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from minleaf_server.db.store import Store
from minleaf_server.entities import Point, PointColumns
from minleaf_server.entities.logged_model import DatasetFilter, ModelOrder, ModelPoint, ModelStatus
from minleaf_server.errors import InvalidParameter, NotFound
from minleaf_server.filters import FilterError
from minleaf_server.tracking import experiments, logged_models, runs
from minleaf_server.tracking.logged_model_search import ModelQuery
from minleaf_server.tracking.logged_model_search import logged_models as search

NAN, INF = math.nan, math.inf


async def made(store: Store, name: str, experiment: int = 0, **fields: Any) -> str:
    """The id of a new model."""
    return (await logged_models.create(store, experiment, name=name, **fields)).id


async def log(store: Store, run_id: str, *of_models: ModelPoint) -> None:
    await runs.log_batch(store, run_id, metrics=PointColumns.of([one.point for one in of_models]), of_models=of_models)


def point(model: str, key: str, value: float, time: int = 1, step: int = 0, dataset: str = "") -> ModelPoint:
    return ModelPoint(Point(key, value, time, step), model, dataset, dataset and f"{dataset}'s digest")


async def names(store: Store, text: str = "", *order: ModelOrder, **more: Any) -> list[str]:
    query = ModelQuery((0,), text, order_by=order or (ModelOrder("name"),), **more)
    return [model.name for model in (await search(store, query)).items]


async def test_the_whole_language_searches_models(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    one = await made(store, "one", params=[("depth", "3")], tags=[("stage", "dev")], model_type="Agent")
    two = await made(store, "two", params=[("depth", "12")])
    await made(store, "three")
    await logged_models.finalize(store, two, ModelStatus.READY)
    await log(store, run_id, point(one, "acc", 0.5), point(one, "acc", 0.9, 2), point(two, "acc", NAN))
    found = {
        "name = one or name = two": ["one", "two"],
        "not name = one": ["three", "two"],
        "wo": ["two"],
        "depth > 4": ["two"],
        "params.depth between 2 and 4": ["one"],
        "params.depth is null": ["three"],
        "tags.stage is not null and model_type = 'Agent'": ["one"],
        "status = READY": ["two"],
        "status in ('PENDING', 'FAILED')": ["one", "three"],
        "acc > 0.8": ["one"],
        # Each is true of one of its points.
        "metrics.acc < 0.6 and metrics.acc > 0.8": ["one"],
        "not metrics.acc < 0.6": ["three", "two"],
        "metrics.acc != 0.5": ["one", "two"],
        "metrics.acc = nan": ["two"],
        "metrics.acc is null": ["three"],
        "creation_timestamp > -1d": ["one", "three", "two"],
        "created < -1d": [],
        "experiment_id = 0 and name ~ '^t'": ["three", "two"],
    }
    for text, expected in found.items():
        assert await names(store, text) == expected, text


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("max(acc) > 1", "not searched by max"),
        ("datasets.name = 'x'", "There are no datasets"),
        ("depht = 3", "Did you mean depth"),
        ("attributes.nothing = 3", "Invalid attribute key"),
        ("metrics.acc = x", "is a number"),
    ],
)
async def test_what_cannot_be_searched(store: Store, text: str, match: str) -> None:
    await made(store, "one", params=[("depth", "3")])
    with pytest.raises(FilterError, match=match):
        await names(store, text)


async def test_the_latest_value_sorts_then_nan_then_what_is_missing(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    models = {name: await made(store, name) for name in ("low", "high", "nan", "none", "least")}
    await log(
        store,
        run_id,
        point(models["low"], "m", 9.0, time=1, step=50),
        point(models["low"], "m", 1.0, time=2, step=1),
        point(models["high"], "m", 1.0, time=2, step=1),
        point(models["high"], "m", 2.0, time=2, step=2),
        point(models["nan"], "m", NAN),
        point(models["least"], "m", -INF),
        point(models["none"], "other", 1.0),
    )
    up, down = ModelOrder("metrics.m"), ModelOrder("metrics.m", ascending=False)
    assert await names(store, "", up) == ["least", "low", "high", "nan", "none"]
    assert await names(store, "", down) == ["high", "low", "least", "nan", "none"]


async def test_datasets_choose_the_points_that_count(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    one, two = await made(store, "one"), await made(store, "two")
    await log(
        store,
        run_id,
        point(one, "m", 1.0, 1, dataset="train"),
        point(one, "m", 5.0, 2, dataset="test"),
        point(two, "m", 2.0, 1, dataset="train"),
        point(two, "n", 2.0, 1),
    )
    train, test = DatasetFilter("train"), DatasetFilter("test", "test's digest")
    assert await names(store, "metrics.m > 1", datasets=(train,)) == ["two"]
    assert await names(store, "metrics.m > 1", datasets=(train, test)) == ["one", "two"]
    assert await names(store, "", datasets=(test,)) == ["one"]
    assert await names(store, "metrics.n > 1", datasets=(train,)) == []
    assert await names(store, "", datasets=(DatasetFilter("test", "other"),)) == []
    for dataset, expected in ((train, ["one", "two"]), (test, ["one", "two"]), (DatasetFilter(), ["two", "one"])):
        assert await names(store, "", ModelOrder("metrics.m", True, dataset)) == expected
    down = ModelOrder("metrics.m", False, train)
    assert await names(store, "", down) == ["two", "one"]


async def test_pages_of_any_size_join_to_the_whole(store: Store) -> None:
    """In every order, with ties, NaN and missing values, on models of two experiments."""
    other = (await experiments.create(store, "other")).id
    run_id = (await runs.create(store, 0)).info.id
    chance = random.Random(7)
    for i in range(23):
        model = await made(
            store, f"n{chance.randrange(5)}", (0, other)[i % 2], model_type=chance.choice(["", "a", "b"])
        )
        if chance.random() < 0.7:
            values = [chance.choice([1.0, 2.0, NAN, -0.0, INF]) for _ in range(3)]
            await log(store, run_id, *(point(model, "m", value, i % 3, step) for step, value in enumerate(values)))
    # As if they had been made at once.
    await store.write(lambda tx: tx.execute("UPDATE logged_model SET creation_time = id / 9"))
    orders = [ModelOrder(name, up) for name in ("name", "model_type", "status", "metrics.m") for up in (True, False)]
    for order_by in [(), *((order,) for order in orders), *itertools.permutations(orders[::3], 2)]:
        query = ModelQuery((0, other), order_by=order_by)
        whole = [model.id for model in (await search(store, query)).items]
        assert len(set(whole)) == 23
        for size in (1, 4, 22, 23):
            token, joined = None, []
            for _ in range(30):
                page = await search(store, ModelQuery((0, other), "", (), order_by, size, token))
                joined += [model.id for model in page.items]
                token = page.next_token
                if token is None:
                    break
            assert joined == whole


async def test_a_token_belongs_to_its_search(store: Store) -> None:
    for name in ("a", "b"):
        await made(store, name)
    token = (await search(store, ModelQuery((0,), max_results=1))).next_token
    assert token is not None
    for query, match in (
        (ModelQuery((0, 5), page_token=token), "Experiment IDs in the page token do not match"),
        (ModelQuery((0,), "name = 'a'", page_token=token), "Filter string in the page token does not match"),
        (ModelQuery((0,), order_by=(ModelOrder("name"),), page_token=token), "Order by in the page token does not"),
        (ModelQuery((0,), page_token="bogus"), "page token"),
        (ModelQuery((0,), page_token=token[:-8]), "page token"),
    ):
        with pytest.raises(InvalidParameter, match=match):
            await search(store, query)


async def test_every_bit_of_a_value_is_kept_and_a_repetition_adds_nothing(store: Store) -> None:
    run_id, other = [(await runs.create(store, 0)).info.id for _ in range(2)]
    model = await made(store, "exact")
    values = [0.0, -0.0, INF, -INF, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, NAN]
    points = [point(model, "m", value) for value in values]
    for _ in range(2):
        await log(store, run_id, *points, *points)
    found = (await logged_models.get(store, model)).metrics
    assert sorted(repr(metric.point.value) for metric in found) == sorted(map(repr, values))
    # Another run, dataset, time or step is another point.
    await log(store, other, point(model, "m", 0.0))
    await log(
        store, run_id, point(model, "m", 0.0, dataset="d"), point(model, "m", 0.0, 2), point(model, "m", 0.0, 1, 7)
    )
    found = (await logged_models.get(store, model)).metrics
    assert len(found) == len(values) + 4
    assert {metric.run_id for metric in found} == {run_id, other}
    assert {(metric.dataset_name, metric.dataset_digest) for metric in found} == {("", ""), ("d", "d's digest")}


async def test_a_batch_with_an_unknown_model_stores_nothing(store: Store) -> None:
    run_id = (await runs.create(store, 0)).info.id
    model = await made(store, "here")
    with pytest.raises(NotFound, match="Logged model with ID 'm-none' not found"):
        await log(store, run_id, point(model, "m", 1.0), point("m-none", "m", 1.0))
    assert (await logged_models.get(store, model)).metrics == []
    assert (await runs.get(store, run_id)).metrics == {}


async def test_a_model_takes_metrics_from_a_run_of_another_experiment(store: Store) -> None:
    other = (await experiments.create(store, "other")).id
    run_id = (await runs.create(store, other)).info.id
    model = await made(store, "here")
    await log(store, run_id, point(model, "only_there", 1.0))
    assert await names(store, "metrics.only_there = 1") == ["here"]
    assert (await logged_models.get(store, model)).metrics[0].point == Point("only_there", 1.0, 1, 0)


@contextmanager
def statements() -> Generator[list[tuple[str, str]]]:
    """What is read inside the block: each SELECT, with the steps in which SQLite would answer it."""
    found: list[tuple[str, str]] = []

    def before(conn: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            steps = ""
            if conn.dialect.name == "sqlite":
                plan = conn.connection.driver_connection.execute("EXPLAIN QUERY PLAN " + statement, values)
                steps = "; ".join(row[3] for row in plan)
            found.append((statement, steps))

    event.listen(Engine, "before_cursor_execute", before)
    yield found
    event.remove(Engine, "before_cursor_execute", before)


@pytest.mark.parametrize("count", [1, 40])
async def test_a_page_takes_five_queries_by_index_however_many_models(store: Store, count: int) -> None:
    experiment = (await experiments.create(store, "sweep")).id
    run_id = (await runs.create(store, experiment)).info.id
    for i in range(count):
        model = await made(store, f"m{i}", experiment, params=[("p", str(i))], tags=[("t", "x")])
        await log(store, run_id, point(model, "acc", float(i), dataset="d"), point(model, "acc", 1.0))
    text = "metrics.acc >= 0 and params.p != 'x' and tags.t = 'x' and name like 'm%'"
    for order in ((), (ModelOrder("metrics.acc", False, DatasetFilter("d")),), (ModelOrder("name"),)):
        with statements() as found:
            page = await search(store, ModelQuery((experiment,), text, (DatasetFilter("d"),), order))
        assert len(page.items) == count
        assert len(found) == 5
        # A table of one page is never read from end to end.
        assert not [steps for _, steps in found if "SCAN logged_model" in steps or "SCAN key" in steps]


async def test_the_default_order_needs_no_sorting(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
    with statements() as found:
        await search(store, ModelQuery((0,)))
    store.close()
    (steps,) = [steps for statement, steps in found if "creation_time DESC" in statement]
    assert "logged_model_by_creation" in steps
    assert "TEMP B-TREE" not in steps
