"""Searching registered models and model versions. A search finds no prompts unless its filter asks for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from minleaf_server.db import page_token
from minleaf_server.db.read import registry as read
from minleaf_server.db.read import registry_search as search
from minleaf_server.db.read.registry_rows import model_ordering, version_ordering
from minleaf_server.db.read.registry_search import ALL, Readable
from minleaf_server.db.read.search import Found
from minleaf_server.db.run_order import Ordering
from minleaf_server.db.store import Connection, Store
from minleaf_server.entities import Page
from minleaf_server.entities.permission import Resource
from minleaf_server.entities.registry import ModelVersion, RegisteredModel
from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import OrderBy, order_to_text
from minleaf_server.filters.registry import MODEL_VERSIONS, REGISTERED_MODELS, read_filter, read_order
from minleaf_server.tracking import permissions

MAX_MODELS = 1000
MAX_VERSIONS = 200_000
"""Rows of one page, as in MLflow."""

_LOADED_AT_ONCE = 5_000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class RegistryQuery:
    """What is searched for, in which order. `readable` leaves out what the caller may not know of."""

    filter: str = ""
    order_by: tuple[str, ...] = ()
    max_results: int = 100
    page_token: str | None = None
    readable: Readable = ALL


async def models(store: Store, query: RegistryQuery) -> Page[RegisteredModel]:
    """A page of the registered models that match, by name unless asked otherwise.

    Raises FilterError for a bad filter, InvalidParameter for a bad order, page token or number of results.
    """
    _check_max_results(query.max_results, MAX_MODELS)
    expr = read_filter(query.filter, REGISTERED_MODELS)
    orders = read_order(query.order_by, REGISTERED_MODELS)
    order = model_ordering(orders)
    after = _after(query, orders, order)
    readable = await _readable(query)

    def job(conn: Connection) -> Page[RegisteredModel]:
        found = search.find_models(conn, expr, readable, order, after, query.max_results)
        return Page(_loaded(conn, found, read.load_models), _token(found, orders, order))

    return await store.long_read(job)


async def versions(store: Store, query: RegistryQuery) -> Page[ModelVersion]:
    """A page of the versions that match, the last updated first unless asked otherwise. Raises as `models`."""
    _check_max_results(query.max_results, MAX_VERSIONS)
    expr = read_filter(query.filter, MODEL_VERSIONS)
    orders = read_order(query.order_by, MODEL_VERSIONS)
    order = version_ordering(orders)
    after = _after(query, orders, order)
    readable = await _readable(query)

    def job(conn: Connection) -> Page[ModelVersion]:
        found = search.find_versions(conn, expr, readable, order, after, query.max_results)
        return Page(_loaded(conn, found, read.load_versions), _token(found, orders, order))

    return await store.long_read(job)


async def _readable(query: RegistryQuery) -> Readable:
    """What the query says; where it says nothing, what the caller may read."""
    if query.readable is not ALL:
        return query.readable
    found = await permissions.readable(Resource.REGISTERED_MODEL)
    return Readable(found.only, found.hidden)


def _check_max_results(max_results: int, limit: int) -> None:
    """Raises InvalidParameter with MLflow's beginnings for a page size out of range."""
    if max_results < 1:
        raise InvalidParameter(f"Invalid value for max_results. It must be a positive integer, but got {max_results}")
    if max_results > limit:
        raise InvalidParameter(
            f"Invalid value {max_results} for parameter 'max_results' supplied. It must be at most {limit}"
        )


def _loaded(conn: Connection, found: Found, load: Callable[[Connection, Sequence[int]], list[Item]]) -> list[Item]:
    items: list[Item] = []
    for start in range(0, len(found.ids), _LOADED_AT_ONCE):
        items += load(conn, found.ids[start : start + _LOADED_AT_ONCE])
    return items


def _after(
    query: RegistryQuery, orders: Sequence[OrderBy], order: Ordering
) -> Sequence[int | float | str | None] | None:
    return page_token.decode(query.page_token, _texts(orders), order.keys) if query.page_token else None


def _token(found: Found, orders: Sequence[OrderBy], order: Ordering) -> str | None:
    return None if found.last is None else page_token.encode(_texts(orders), order.keys, found.last)


def _texts(orders: Sequence[OrderBy]) -> list[str]:
    return [order_to_text(order) for order in orders]
