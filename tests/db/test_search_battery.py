"""SQL of both databases, columns and plain Python agree on the benchmarks' filters and orders, page by page.

Each page is asked of the server, which has columns of the database, of SQL alone, and of columns of the plain runs,
with the same token of the page before.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from benchmarks.battery import BATTERY
from minleaf_server import columns
from minleaf_server.db import page_token
from minleaf_server.db.read import search
from minleaf_server.db.store import Connection, Store
from minleaf_server.db.tables import run as run_table
from minleaf_server.filters import Catalog, Expr, OrderBy, check, check_order, order_to_text, parse, parse_order
from minleaf_server.tracking import search as tracking_search
from minleaf_server.tracking.search import RunQuery
from tests.columns.oracle_rows import OracleRows
from tests.conftest import BACKENDS, fresh_database
from tests.filters.oracle import OracleRun, matches, sort_runs
from tests.filters.random_runs import battery_run
from tests.support.stored_runs import insert

RUNS = 250
PAGE = 60
CATALOG = Catalog(
    metrics=("acc", "loss", "m02", "m05"),
    params=("depth", "lr", "optimizer", "p04"),
    tags=("stage", "t2", "t3", "team"),
)
SCOPE = search.Scope((0,))
SEARCHES = [(query.filter, (query.order,) if query.order else ()) for query in BATTERY]
SEARCHES += [
    # Numbers as text, and text as text
    ("params.depth = 3", ()),
    ("params.depth != 3", ("params.depth ASC",)),
    ("params.depth >= 1e3", ("params.depth DESC",)),
    ("params.depth in (3, '10', inf)", ("params.lr ASC", "params.depth DESC")),
    ("params.depth not between -1 and 9007199254740992", ()),
    ("depth > 9007199254740992", ()),
    ("params.lr between 'a' and 'z'", ("params.lr DESC", "tags.t3 DESC")),
    ("params.depth > 'a'", ()),
    # NaN, infinities, zeros and what is missing
    ("metrics.acc = nan", ("metrics.loss DESC",)),
    ("metrics.acc != nan", ("metrics.acc ASC",)),
    ("metrics.acc != 0", ("metrics.acc DESC", "metrics.loss ASC")),
    ("metrics.acc in (nan, 0, inf)", ("metrics.m02 DESC", "start_time ASC")),
    ("not metrics.acc <= inf", ("metrics.acc DESC",)),
    ("metrics.acc is null or metrics.loss is null", ("metrics.acc ASC", "metrics.loss DESC")),
    ("min(acc) is null", ("max(acc) ASC",)),
    ("max(acc) not in (1, nan)", ("min(acc) DESC",)),
    ("argmax(acc) between -3.5 and 4", ("argmax(acc) DESC", "count(acc) ASC")),
    ("count(acc) != 2.5 and argmin(loss) < 1e30", ("argmin(loss) ASC",)),
    # Times
    ("start_time is null", ("end_time DESC",)),
    ("start_time >= 9007199254740993", ("start_time ASC",)),
    ("start_time != 1760000100000", ("end_time ASC", "start_time DESC")),
    ("duration is not null", ("duration DESC",)),
    ("not duration < 1s", ("duration ASC", "run_id DESC")),
    ("start_time > 2025-10-09", ("run_id ASC",)),
    # Texts
    ("tags.t3 != 'unique 77'", ("tags.t3 DESC",)),
    ("tags.t3 ilike '%NO_SUCH%'", ("tags.t3 ASC", "tags.team DESC")),
    ("tags.t3 not like '%7_'", ()),
    ("tags.t3 > 'x'", ("tags.t3 ASC",)),
    ("tags.team not in ('team-1', 'team-3')", ("tags.team ASC", "run_name ASC")),
    ("tags.t3 !~ '(?i)such|^x'", ("user_id DESC", "status ASC")),
    ("run_name ~ '^run.77$'", ("run_name ASC",)),
    ("status in (running, failed)", ("status DESC",)),
    ("run_id ~ '^[0-7]' and run_id > '4'", ("run_id DESC",)),
    ("run_id like '%a%' and not run_id ilike '%B%'", ()),
    ("artifact_uri like '%0/%'", ("artifact_uri ASC",)),
    ("日本", ()),
    ("not run-77 and not params.absent = 1", ("params.absent ASC", "tags.absent DESC", "metrics.absent ASC")),
]
SEARCHES = list(dict.fromkeys(SEARCHES))


@dataclass
class Filled:
    """The same runs in a database and as columns."""

    store: Store
    made: list[OracleRun]
    rows: OracleRows

    def wanted(self, expr: Expr, orders: Sequence[OrderBy]) -> list[str]:
        found = [run for run in self.made if not run.deleted and matches(run, expr)]
        return [run.id for run in sort_runs(found, list(orders))]


async def fill(store: Store) -> list[OracleRun]:
    rng = random.Random(4)
    made = [battery_run(rng) for _ in range(RUNS)]
    await asyncio.gather(*(insert(store, run) for run in made))
    return made


@pytest.fixture(scope="module", params=BACKENDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder: Path = tmp_path_factory.mktemp("battery")
    with fresh_database(request.param, folder, request) as uri:
        store = Store.open(uri)
        made = asyncio.run(fill(store))
        yield Filled(store, made, OracleRows(made))
        store.close()


Answer = tuple[list[str], tuple[object, ...] | None]


@pytest.mark.parametrize(("text", "order_by"), SEARCHES, ids=lambda given: str(given) or "everything")
async def test_every_way_to_search_finds_the_same(filled: Filled, text: str, order_by: tuple[str, ...]) -> None:
    expr = check(parse(text), CATALOG, text=text)
    orders = check_order([parse_order(order) for order in order_by], CATALOG)
    keys, names = search.ordering(SCOPE, orders).keys, [order_to_text(order) for order in orders]

    def token_of(last: Sequence[object] | None) -> str | None:
        return None if last is None else page_token.encode(names, keys, last)

    found: list[str] = []
    token = None
    while True:
        after = page_token.decode(token, names, keys) if token else None
        query = RunQuery((0,), text, order_by, max_results=PAGE, page_token=token)
        page = await tracking_search.runs(filled.store, query)
        ids = [run.info.id for run in page.items]
        by_sql = await filled.store.read(partial(sql_answer, expr=expr, orders=orders, after=after))
        by_columns = columns_answer(filled.rows, expr, orders, after)
        assert by_sql[0] == ids
        assert by_columns[0] == ids
        assert token_of(by_sql[1]) == page.next_token
        assert token_of(by_columns[1]) == page.next_token
        found, token = found + ids, page.next_token
        if token is None:
            break
    assert found == filled.wanted(expr, orders)
    assert await tracking_search.count(filled.store, RunQuery((0,), text)) == len(found)
    assert await filled.store.read(lambda conn: search.count(conn, SCOPE, expr)) == len(found)


def sql_answer(
    conn: Connection, expr: Expr, orders: Sequence[OrderBy], after: Sequence[columns.Value] | None
) -> Answer:
    found = search.find(conn, SCOPE, expr, orders, after, PAGE)
    names = dict(conn.execute(select(run_table.c.id, run_table.c.uuid).where(run_table.c.id.in_(found.ids))).all())
    return [names[row] for row in found.ids], found.last


def columns_answer(
    rows: OracleRows, expr: Expr, orders: Sequence[OrderBy], after: Sequence[columns.Value] | None
) -> Answer:
    mask = columns.matching(expr, rows) & np.array([not run.deleted for run in rows.runs])
    found = columns.find(rows, mask, orders, after, PAGE)
    return [rows.runs[place].id for place in found.indexes], found.last
