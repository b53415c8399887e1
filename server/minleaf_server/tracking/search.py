"""Searching runs and experiments with the filter language."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from minleaf_server.db import page_token
from minleaf_server.db.columns import Columns
from minleaf_server.db.read import experiment_search, search
from minleaf_server.db.read import experiments as read_experiments
from minleaf_server.db.read import runs as read_runs
from minleaf_server.db.run_order import Ordering
from minleaf_server.db.store import Connection, Store
from minleaf_server.entities import Experiment, Page, Run, RunInfo, ViewType
from minleaf_server.entities.permission import Resource
from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import (
    EXPERIMENTS,
    Catalog,
    Expr,
    FilterError,
    OrderBy,
    bare_names,
    check,
    check_order,
    order_to_text,
    parse,
    parse_orders,
)
from minleaf_server.tracking import permissions
from minleaf_server.tracking.permissions import Readable

MAX_RESULTS = 50_000
"""Rows of one page, as in MLflow."""

_LOADED_AT_ONCE = 5_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class RunQuery:
    """Which runs, in which order. `order_by` entries are texts such as `metrics.acc desc`.

    With `inputs` the runs have their inputs and outputs too, whose texts may be long.
    """

    experiment_ids: tuple[int, ...]
    filter: str = ""
    order_by: tuple[str, ...] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    max_results: int = 1000
    page_token: str | None = None
    inputs: bool = False


async def runs(store: Store, query: RunQuery) -> Page[Run]:
    """A page of the runs that match.

    Without order_by the latest start comes first, then by run id; values come before NaN and NaN before what is
    missing, whatever the direction. Unlike MLflow's, the last page never has a token. Raises FilterError for a bad
    filter or order, InvalidParameter for a bad page token or number of results.
    """

    def load(conn: Connection, ids: Sequence[int], next_token: str | None) -> Page[Run]:
        found: list[Run] = []
        for start in range(0, len(ids), _LOADED_AT_ONCE):
            found += read_runs.load(conn, ids[start : start + _LOADED_AT_ONCE], inputs=query.inputs)
        return Page(found, next_token)

    return await page(store, query, load)


async def infos(store: Store, query: RunQuery) -> Page[RunInfo]:
    """As `runs`, without their data and for three queries less."""

    def load(conn: Connection, ids: Sequence[int], next_token: str | None) -> Page[RunInfo]:
        found = read_runs.load_infos(conn, ids)
        return Page([found[row_id] for row_id in ids], next_token)

    return await page(store, query, load)


async def page(store: Store, query: RunQuery, make: Callable[[Connection, Sequence[int], str | None], Item]) -> Item:
    """What `make` makes of a page: of its runs' internal ids in order and the token of the next page, if there is one.

    It gets the connection too, in the snapshot in which the runs were found. Raises as `runs`.
    """
    check_max_results(query.max_results)
    parsed = _Parsed(query.filter, query.order_by)

    def job(conn: Connection) -> Item:
        if query.experiment_ids:
            return make(conn, *_found(conn, store.columns, query, parsed))
        parsed.check(Catalog())
        return make(conn, (), None)

    return await store.long_read(job)


async def count(store: Store, query: RunQuery) -> int:
    """How many runs match, on all pages together. Raises as `runs`."""
    parsed = _Parsed(query.filter, ())
    if not query.experiment_ids:
        parsed.check(Catalog())
        return 0

    def job(conn: Connection) -> int:
        scope = search.Scope(query.experiment_ids, query.view)
        with store.columns.hold(query.experiment_ids) as held:
            expr, _ = _checked(conn, query.experiment_ids, parsed)
            return search.count(conn, scope, expr, held)

    return await store.long_read(job)


async def catalog(store: Store, experiment_ids: Sequence[int]) -> Catalog:
    """The metric, param and tag names present in these experiments, each by name."""
    if not experiment_ids:
        return Catalog()
    return await store.long_read(lambda conn: search.catalog(conn, experiment_ids))


async def experiments(
    store: Store,
    *,
    filter: str = "",
    order_by: tuple[str, ...] = (),
    view: ViewType = ViewType.ACTIVE_ONLY,
    max_results: int = 1000,
    page_token: str | None = None,
) -> Page[Experiment]:
    """A page of the experiments that match. Without order_by the latest made comes first. Raises as `runs`."""
    check_max_results(max_results)
    parsed = _Parsed(filter, order_by)
    readable = await permissions.readable(Resource.EXPERIMENT)

    def job(conn: Connection) -> Page[Experiment]:
        expr, orders = _checked_experiments(conn, parsed, readable)
        order = experiment_search.ordering(orders)
        after = _after(page_token, orders, order)
        found = experiment_search.find(conn, view, expr, order, after, max_results, readable.only, readable.hidden)
        return Page(read_experiments.load(conn, found.ids), _next_token(found, orders, order))

    return await store.long_read(job)


def check_max_results(max_results: int) -> None:
    """Raises InvalidParameter with MLflow's text for a page size out of range."""
    if max_results < 1:
        wanted = "a positive integer"
    elif max_results > MAX_RESULTS:
        wanted = f"at most {MAX_RESULTS}"
    else:
        return
    raise InvalidParameter(f"Invalid value {max_results} for parameter 'max_results' supplied. It must be {wanted}")


class _Parsed:
    """A filter and an order before anything is known of the experiments."""

    def __init__(self, text: str, order_by: Sequence[str]) -> None:
        self.text = text
        self.expr = parse(text)
        self.orders = parse_orders(order_by)
        self.now = int(time.time() * 1000)
        self.is_plain = search.is_plain(self.expr, self.orders)

    def check(self, catalog: Catalog) -> tuple[Expr, tuple[OrderBy, ...]]:
        return check(self.expr, catalog, now=self.now, text=self.text), check_order(self.orders, catalog)


def _found(conn: Connection, columns: Columns, query: RunQuery, parsed: _Parsed) -> tuple[Sequence[int], str | None]:
    scope = search.Scope(query.experiment_ids, query.view)
    with columns.hold(() if parsed.is_plain else query.experiment_ids) as held:
        expr, orders = _checked(conn, query.experiment_ids, parsed)
        order = search.ordering(scope, orders)
        after = _after(query.page_token, orders, order)
        found = search.find(conn, scope, expr, orders, after, query.max_results, held)
    return found.ids, _next_token(found, orders, order)


def _checked(conn: Connection, experiment_ids: Sequence[int], parsed: _Parsed) -> tuple[Expr, tuple[OrderBy, ...]]:
    """The filter and order with their bare names resolved. Only an error reads every name, for its suggestion."""
    names = bare_names(parsed.expr, parsed.orders)
    if not names:
        return parsed.check(Catalog())
    try:
        return parsed.check(search.catalog(conn, experiment_ids, names))
    except FilterError:
        return parsed.check(search.catalog(conn, experiment_ids))


def _checked_experiments(conn: Connection, parsed: _Parsed, readable: Readable) -> tuple[Expr, tuple[OrderBy, ...]]:
    names = bare_names(parsed.expr, parsed.orders, EXPERIMENTS)
    known = experiment_search.catalog(conn, None, readable.only, readable.hidden) if names else Catalog()
    expr = check(parsed.expr, known, schema=EXPERIMENTS, now=parsed.now, text=parsed.text)
    return expr, check_order(parsed.orders, known, schema=EXPERIMENTS)


def _after(token: str | None, orders: Sequence[OrderBy], order: Ordering) -> Sequence[int | float | str | None] | None:
    return page_token.decode(token, _order_texts(orders), order.keys) if token else None


def _next_token(found: search.Found, orders: Sequence[OrderBy], order: Ordering) -> str | None:
    return None if found.last is None else page_token.encode(_order_texts(orders), order.keys, found.last)


def _order_texts(orders: Sequence[OrderBy]) -> list[str]:
    return [order_to_text(order) for order in orders]
