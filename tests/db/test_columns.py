"""Columns of runs in memory find what SQL finds in the same snapshot, whatever is written, and keep to their memory."""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from minleaf_server.db.columns import View, memory, statements, table
from minleaf_server.db.read import search
from minleaf_server.db.store import Store
from minleaf_server.entities import Point, PointColumns, RunStatus, ViewType
from minleaf_server.filters import check, check_order, parse, parse_orders
from minleaf_server.tracking import experiments, runs
from tests.db.test_search_battery import CATALOG
from tests.db.test_search_battery import SEARCHES as BATTERY
from tests.filters.random_runs import battery_run
from tests.support.stored_runs import insert

SEARCHES = [
    ("", "start_time"),
    ("metrics.acc > 0.2", "metrics.acc DESC"),
    ("metrics.acc = nan or metrics.loss is null", "max(metrics.acc)"),
    ("argmin(metrics.acc) >= 0 and count(metrics.acc) > 1", "min(metrics.loss) DESC"),
    ("params.depth > 3", "params.depth DESC"),
    ("tags.stage != 'a' or tags.stage is null", "tags.stage"),
    ("run_name like '%a%'", "run_name DESC"),
    ("status = 'FINISHED' or duration > 0s", "end_time"),
    ("not metrics.later > 1", "params.later"),
]
Found = search.Found


@pytest.fixture
def answered(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each search that asks columns, whether they answered it."""
    found: list[bool] = []
    read = store.columns.read

    def noted(*given: Any) -> Any:
        views = read(*given)
        found.append(views is not None)
        return views

    monkeypatch.setattr(store.columns, "read", noted)
    return found


@contextmanager
def statements_made() -> Generator[list[str]]:
    """The statements of readers inside the block."""
    made: list[str] = []

    def before(_conn: Any, _cursor: Any, statement: str, _values: Any, _context: Any, _many: bool) -> None:
        if statement.split()[0] in ("SELECT", "SET"):
            made.append(statement)

    event.listen(Engine, "before_cursor_execute", before)
    yield made
    event.remove(Engine, "before_cursor_execute", before)


async def found_by_both(
    store: Store, query: tuple[str, str], ids: tuple[int, ...] = (0,), limit: int = 1000, after: Any = None
) -> tuple[Found, Found]:
    """What columns find, or SQL where they do not answer, and what SQL finds in the same snapshot."""
    expr = check(parse(query[0]), CATALOG, text=query[0])
    orders = check_order(parse_orders(query[1].split(", ") if query[1] else ()), CATALOG)
    scope = search.Scope(ids, ViewType.ACTIVE_ONLY)

    def job(conn: Connection) -> tuple[Found, Found]:
        with store.columns.hold(ids) as held:
            by_columns = search.find(conn, scope, expr, orders, after, limit, held)
        return by_columns, search.find(conn, scope, expr, orders, after, limit)

    return await store.long_read(job)


async def assert_same(store: Store, ids: tuple[int, ...] = (0,)) -> None:
    for query in SEARCHES:
        by_columns, by_sql = await found_by_both(store, query, ids)
        assert by_columns == by_sql, query


async def filled(store: Store, count: int, experiment_id: int = 0, seed: int = 1) -> list[str]:
    """Runs of many kinds."""
    rng = random.Random(seed)
    ids = []
    for number in range(count):
        made = await runs.create(store, experiment_id, name=rng.choice("abc") + str(number), start_time=number % 7)
        ids.append(made.info.id)
        points = [
            Point(key, rng.choice([0.0, 0.1, 0.5, 1.0, math.nan, math.inf]), 1, step)
            for key in ("acc", "loss")
            if rng.random() < 0.7
            for step in range(rng.randint(1, 3))
        ]
        params = [("depth", rng.choice(["1", "4", "10", "deep"]))] if rng.random() < 0.8 else []
        await runs.log_batch(store, ids[-1], metrics=PointColumns.of(points), params=params)
        if rng.random() < 0.8:
            await runs.set_tag(store, ids[-1], "stage", rng.choice(["a", "b", "日本"]))
    return ids


WRITES: dict[str, Callable[[Store, str], Awaitable[Any]]] = {
    "a metric": lambda store, run: runs.log_metric(store, run, Point("acc", 0.3, 5, 5)),
    "a metric becomes NaN": lambda store, run: runs.log_metric(store, run, Point("acc", math.nan, 6, 6)),
    "a metric is new": lambda store, run: runs.log_metric(store, run, Point("later", 2.0, 1, 1)),
    "a param": lambda store, run: runs.log_param(store, run, "width", "4"),
    "a param is new": lambda store, run: runs.log_param(store, run, "later", "7"),
    "a tag is set": lambda store, run: runs.set_tag(store, run, "stage", "first of its kind"),
    "a tag is set over": lambda store, run: runs.set_tag(store, run, "stage", "a"),
    "a tag is deleted": lambda store, run: runs.delete_tag(store, run, "stage"),
    "a name": lambda store, run: runs.set_tag(store, run, "mlflow.runName", "banana"),
    "a status": lambda store, run: runs.update(store, run, status=RunStatus.FINISHED, end_time=99, name=None),
    "a run is deleted": lambda store, run: runs.delete(store, run),
    "a run is restored": lambda store, run: runs.restore(store, run),
    "a run is new": lambda store, _: runs.create(store, 0, name="new", start_time=3),
}


async def test_the_whole_battery_finds_the_same_page_by_page(store: Store, answered: list[bool]) -> None:
    rng = random.Random(8)
    await asyncio.gather(*(insert(store, battery_run(rng)) for _ in range(120)))
    for query in [(given, ", ".join(orders)) for given, orders in BATTERY]:
        after = None
        while True:
            by_columns, by_sql = await found_by_both(store, query, limit=35, after=after)
            assert by_columns == by_sql, (query, after)
            if by_columns.last is None:
                break
            after = by_columns.last
    assert len(answered) > len(BATTERY)
    assert all(answered)


async def test_columns_follow_every_kind_of_write(store: Store, answered: list[bool]) -> None:
    ids = await filled(store, 20)
    await assert_same(store)
    for name, write in WRITES.items():
        await write(store, ids[7])
        for query in SEARCHES:
            by_columns, by_sql = await found_by_both(store, query)
            assert by_columns == by_sql, (name, query)
    assert all(answered)
    assert len(answered) == (1 + len(WRITES)) * len(SEARCHES)


@pytest.mark.parametrize("scan_min", [0, 10**9], ids=["scanned", "looked up"])
async def test_columns_are_the_same_however_they_are_read(
    store: Store, scan_min: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_SCAN_MIN", scan_min)
    second = (await experiments.create(store, "second")).id
    await filled(store, 4, second, seed=5)
    await filled(store, 20)
    for query in SEARCHES:
        with statements_made() as made:
            by_columns, by_sql = await found_by_both(store, query)
        assert by_columns == by_sql, query
        if "metrics.acc > 0.2" in query:
            assert any("JOIN metric_summary ON" in statement for statement in made[:-1]) is (scan_min > 0)


async def test_columns_of_which_much_changed_are_loaded_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await filled(store, 20)
    await assert_same(store)
    monkeypatch.setattr(table, "_STALE_MIN", 3)
    for run in ids[3:9]:
        await WRITES["a tag is set"](store, run)
        await WRITES["a metric"](store, run)
    monkeypatch.setattr(statements, "of_runs", None)
    await assert_same(store)


async def test_texts_of_no_run_are_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = await filled(store, 1)
    monkeypatch.setattr(table, "_STALE_MIN", 3)
    for number in range(30):
        await runs.set_tag(store, run, "stage", str(number))
        by_columns, by_sql = await found_by_both(store, ("tags.stage = 'no'", "tags.stage"))
        assert by_columns == by_sql
    stage = table.Wanted(table.Kind.TAG, "stage")
    assert store.columns._tables[0].nbytes(stage) < 10_000
    assert len(store.columns._tables[0].view([stage]).tag("stage").texts) <= 6


on_postgres = pytest.mark.parametrize("database_uri", ["postgres"], indirect=True)


@pytest.fixture
def another(store: Store) -> Iterator[Connection]:
    """Another server's connection to the same Postgres."""
    engine = store.dialect.engines(store._reader._engine.url)[1]
    with engine.connect() as conn:
        yield conn
    engine.dispose()


@on_postgres
async def test_a_commit_that_comes_late_is_not_missed(store: Store, another: Connection, answered: list[bool]) -> None:
    """The change of another server has the smaller number and is committed after the columns have seen the larger."""
    ids = await filled(store, 5)
    query = ("run_name like '%late%'", "run_name")
    change = "UPDATE run SET name = 'late', seq = nextval('change'), xid = pg_current_xact_id()::text::bigint"
    another.execute(text(change + " WHERE uuid = :uuid"), {"uuid": ids[0]})
    await runs.set_tag(store, ids[1], "stage", "sooner")
    assert (await found_by_both(store, query))[0].ids == []
    another.commit()
    by_columns, by_sql = await found_by_both(store, query)
    assert by_columns == by_sql
    assert len(by_columns.ids) == 1
    assert answered == [True, True]


@on_postgres
async def test_a_run_with_a_smaller_id_may_come_late(store: Store, another: Connection, answered: list[bool]) -> None:
    await filled(store, 5)
    same = "user_id, status, start_time, lifecycle, artifact_uri, experiment_id"
    late = f"SELECT '{'e' * 32}', 'late', nextval('change'), {same} FROM run LIMIT 1"
    another.execute(text(f"INSERT INTO run (uuid, name, seq, {same}) {late}"))
    await filled(store, 3, seed=2)
    await assert_same(store)
    another.commit()
    await assert_same(store)
    await filled(store, 3, seed=3)
    await assert_same(store)
    assert all(answered)


@on_postgres
async def test_numbers_of_another_server_are_no_reason_to_read_again(store: Store, another: Connection) -> None:
    """A database that was restored from another server has numbers of transactions that are still to come."""
    ids = await filled(store, 5)
    another.execute(text("UPDATE run SET xid = 1000000000000"))
    another.commit()
    await assert_same(store)
    statement = store.dialect.sql(store.dialect.changed_runs)
    rows = await store.read(lambda conn: conn.exec_driver_sql(statement, (0, 0)).all())
    assert [row[3] for row in rows] == [None]
    await runs.set_tag(store, ids[2], "stage", "b")
    await assert_same(store)


async def test_searches_see_what_sql_sees_while_others_write(store: Store, answered: list[bool]) -> None:
    ids = await filled(store, 12)
    names = list(WRITES)

    async def write(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(25):
            name = rng.choice([name for name in names if "deleted" not in name])
            await WRITES[name](store, rng.choice(ids))

    async def look(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(25):
            query = rng.choice(SEARCHES)
            by_columns, by_sql = await found_by_both(store, query)
            assert by_columns == by_sql, query

    await asyncio.gather(*(write(seed) for seed in range(4)), *(look(seed) for seed in range(8)))
    assert len(answered) == 200
    assert all(answered)


async def test_a_view_stays_as_it_was(store: Store) -> None:
    """A search reads its columns while others bring them to a later snapshot."""
    ids = await filled(store, 6)
    wanted = [table.START_TIME, table.Wanted(table.Kind.METRIC, "acc", table.Aggregate.LAST)]
    wanted += [table.Wanted(table.Kind.PARAM, "later"), table.Wanted(table.Kind.TAG, "stage")]

    def view(conn: Connection) -> View:
        with store.columns.hold((0,)) as held:
            (found,) = held.views(conn, wanted) or ()
        return found

    def content(view: View) -> list[Any]:
        numbers = view.metric("acc", table.Aggregate.LAST)
        texts = [view.param("later"), view.tag("stage")]
        starts = view.time("start_time")
        arrays = [view.ids, view.uuids, view.lifecycles, numbers.values, numbers.present, starts.values]
        return [repr(array.tolist()) for array in (*arrays, starts.present, *(column.codes for column in texts))]

    first = await store.long_read(view)
    before = content(first)
    for write in WRITES.values():
        await write(store, ids[2])
        await assert_same(store)
    assert content(first) == before
    assert content(await store.long_read(view)) != before


async def test_a_snapshot_older_than_the_columns_is_left_to_sql(store: Store, answered: list[bool]) -> None:
    ids = await filled(store, 5)
    await assert_same(store)
    begun, changed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    expr = check(parse("tags.stage = 'newer'"), CATALOG, text="")

    def job(conn: Connection) -> int:
        conn.execute(text("SELECT count(*) FROM run")).scalar_one()
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(changed.wait(), loop).result()
        with store.columns.hold((0,)) as held:
            return search.count(conn, search.Scope((0,)), expr, held)

    older = asyncio.create_task(store.long_read(job))
    await begun.wait()
    await runs.set_tag(store, ids[0], "stage", "newer")
    await assert_same(store)
    assert all(answered)
    changed.set()
    assert await older == 0
    assert answered[-1] is False


async def test_several_experiments_are_merged_page_by_page(store: Store, answered: list[bool]) -> None:
    second = (await experiments.create(store, "second")).id
    empty = (await experiments.create(store, "empty")).id
    await filled(store, 25)
    await filled(store, 14, second, seed=9)
    for query in SEARCHES:
        after, pages = None, 0
        while True:
            by_columns, by_sql = await found_by_both(store, query, (0, second, empty), 6, after)
            assert by_columns == by_sql, (query, after)
            pages += 1
            if by_columns.last is None:
                break
            after = by_columns.last
    assert pages > 1
    assert all(answered)


async def test_sql_answers_what_columns_do_not(
    store: Store, answered: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = (await experiments.create(store, "second")).id
    await filled(store, 4)
    await filled(store, 4, second)
    await found_by_both(store, ("datasets.name = 'a' or metrics.acc > 0.2", "start_time"))
    monkeypatch.setattr(memory, "EXPERIMENTS_MAX", 1)
    await assert_same(store, (0, second))
    assert answered == []
    await assert_same(store, (second,))
    assert answered == [True] * len(SEARCHES)


async def test_a_warm_search_makes_one_statement_and_no_column(store: Store) -> None:
    ids = await filled(store, 10)
    scope = search.Scope((0,))
    query = "metrics.acc > 0.2 and params.depth = '4' and tags.stage = 'a' and metrics.nothing is null"
    expr = check(parse(query), CATALOG, text=query)
    orders = check_order(parse_orders(["metrics.acc DESC"]), CATALOG)
    seen: list[Any] = []

    def job(conn: Connection) -> None:
        with store.columns.hold((0,)) as held:
            search.find(conn, scope, expr, orders, None, 100, held)
        seen.append([kept.column for kept in store.columns._tables[0]._columns.values()])

    await store.long_read(job)
    with statements_made() as made:
        await store.long_read(job)
    assert len(made) == 1
    assert all(one is other for one, other in zip(*seen, strict=True))
    await runs.log_metric(store, ids[0], Point("acc", 0.3, 5, 5))
    with statements_made() as made:
        await store.long_read(job)
    # What changed, the names that were missing, and the run's values in each of four tables.
    assert len(made) == 6


async def test_the_least_recently_used_columns_make_room(store: Store) -> None:
    ids = await filled(store, 300)
    points = [Point(f"m{number}", float(number), 1, 1) for number in range(6)]
    await runs.log_batch(store, ids[0], metrics=PointColumns.of(points))

    async def loads(number: int) -> bool:
        with statements_made() as made:
            by_columns, by_sql = await found_by_both(store, (f"metrics.m{number} >= 0", "start_time"))
        assert by_columns == by_sql
        assert len(by_columns.ids) == 1
        assert store.columns.nbytes <= store.columns.limit
        return any("LEFT OUTER JOIN metric_summary" in statement for statement in made)

    assert [await loads(number) for number in (0, 1, 2)] == [True, True, True]
    store.columns.limit = store.columns.nbytes
    assert [await loads(number) for number in (0, 1, 2)] == [False, False, False]
    assert [await loads(number) for number in (0, 3, 0, 2, 1)] == [False, True, False, False, True]
    second = (await experiments.create(store, "second")).id
    await filled(store, 300, second)
    await found_by_both(store, ("", "start_time"), (second,))
    assert set(store.columns._tables) == {second}
    assert store.columns.nbytes <= store.columns.limit


async def test_a_search_that_needs_more_than_the_memory_is_left_to_sql(
    store: Store, answered: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    await filled(store, 30)
    await found_by_both(store, ("metrics.acc > 0", "start_time"))
    store.columns.limit = store.columns.nbytes
    answered.clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            by_columns, by_sql = await found_by_both(store, ("metrics.acc > 0 and metrics.loss > 0", "start_time"))
            assert by_columns == by_sql
            await found_by_both(store, ("metrics.acc > 0", "start_time"))
        store.columns.limit = 100
        await assert_same(store)
    assert answered[:6] == [False, True] * 3
    # What was there answers once more, before it makes room.
    assert answered[6] is True
    assert not any(answered[7:])
    assert [record.getMessage()[:29] for record in caplog.records] == ["a search of the experiments [0]"[:29]]


async def test_without_memory_there_are_no_columns(database_uri: str, store: Store) -> None:
    await filled(store, 3)
    store.columns.limit = 0
    await assert_same(store)
    assert store.columns.nbytes == 0


async def test_a_refresh_that_failed_leaves_nothing_behind(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await filled(store, 8)
    await assert_same(store)
    await runs.set_tag(store, ids[0], "stage", "b")
    with monkeypatch.context() as patch:
        patch.setattr(statements, "of_runs", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await found_by_both(store, ("tags.stage = 'b'", "start_time"))
    assert store.columns.nbytes == 0
    await assert_same(store)


@pytest.mark.parametrize("loaded_before", [True, False])
async def test_runs_with_ids_of_another_length_are_left_to_sql(
    store: Store, answered: list[bool], loaded_before: bool
) -> None:
    """As an import may bring them: cut, they might become one."""
    await filled(store, 4)
    if loaded_before:
        await assert_same(store)
    answered.clear()
    same = "experiment_id, name, user_id, status, start_time, lifecycle, artifact_uri"
    copy = f"INSERT INTO run (uuid, seq, {same}) SELECT ?, seq + 1000000000000, {same} FROM run WHERE id = 1"
    await store.write(lambda tx: tx.execute(copy, ("e" * 40,)) and None)
    await assert_same(store)
    assert answered
    assert not any(answered)


async def test_columns_hold_what_is_at_the_edge_of_their_types(store: Store) -> None:
    made = [await runs.create(store, 0, start_time=time) for time in (-(2**63), 2**63 - 1, None)]
    values = [5e-324, -1.7976931348623157e308, 0.1 + 0.2, -0.0]
    for run, value in zip(made, values, strict=False):
        points = [Point("acc", value, 1, step) for step in (-(2**63), 2**63 - 1)]
        await runs.log_batch(store, run.info.id, metrics=PointColumns.of(points))
        await runs.set_tag(store, run.info.id, "stage", '"\\\n\t,日本😀\x7f' + str(value))
    await assert_same(store)
    wanted = [table.Wanted(table.Kind.METRIC, "acc", aggregate) for aggregate in table.Aggregate]

    def job(conn: Connection) -> Any:
        with store.columns.hold((0,)) as held:
            (view,) = held.views(conn, [*wanted, table.Wanted(table.Kind.TAG, "stage"), table.START_TIME]) or ()
        return view

    view = await store.long_read(job)
    assert view.metric("acc", table.Aggregate.LAST).values.tolist() == values[:3]
    assert view.metric("acc", table.Aggregate.ARGMAX).values.tolist() == [-(2**63)] * 3
    assert view.time("start_time").values[:2].tolist() == [-(2**63), 2**63 - 1]
    assert view.time("start_time").present.tolist()[:2] == [True, True]
    assert [bytes(uuid).decode() for uuid in view.uuids] == [run.info.id for run in made]
    stage = view.tag("stage")
    tags = [(await runs.get(store, run.info.id)).tags["stage"] for run in made]
    assert [stage.texts[code] for code in stage.codes] == tags
