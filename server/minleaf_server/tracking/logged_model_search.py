"""Searching logged models with the filter language."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from minleaf_server.db import page_token
from minleaf_server.db.read import logged_model_search as search
from minleaf_server.db.read import logged_models as read
from minleaf_server.db.run_order import Ordering
from minleaf_server.db.store import Connection, Store
from minleaf_server.entities import Page, token
from minleaf_server.entities.limits import MAX_SHOWN_LENGTH
from minleaf_server.entities.logged_model import DatasetFilter, LoggedModel, ModelOrder
from minleaf_server.entities.validation import validate_text
from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import Catalog, Expr, FilterError, bare_names, check, parse
from minleaf_server.filters.limits import MAX_ORDER_BY
from minleaf_server.filters.logged_models import LOGGED_MODELS
from minleaf_server.filters.tree import fields
from minleaf_server.tracking.search import check_max_results

MAX_DATASETS = 100
"""Datasets of one search."""


@dataclass(frozen=True)
class ModelQuery:
    """Which logged models, in which order. With `datasets`, only metrics about one of them count."""

    experiment_ids: tuple[int, ...]
    filter: str = ""
    datasets: tuple[DatasetFilter, ...] = ()
    order_by: tuple[ModelOrder, ...] = ()
    max_results: int = 100
    page_token: str | None = None


class _Token(msgspec.Struct, forbid_unknown_fields=True):
    experiment_ids: list[int]
    filter: str
    order_by: list[str]
    place: str


async def logged_models(store: Store, query: ModelQuery) -> Page[LoggedModel]:
    """A page of the active models that match, the latest made first unless an order is given.

    A comparison of a metric is true where any point of the model fulfils it, as in MLflow. With datasets and without
    such a comparison, a model must have a point about one of them. What is missing comes last, whatever the direction,
    and NaN before it. Raises FilterError for a bad filter, InvalidParameter for anything else that is wrong.
    """
    check_max_results(query.max_results)
    _check_datasets(query.datasets)
    query = replace(query, order_by=_checked_orders(query.order_by))
    expr, now = parse(query.filter), int(time.time() * 1000)
    _refuse_aggregates(expr, query.filter)
    if not query.experiment_ids:
        check(expr, Catalog(), schema=LOGGED_MODELS, now=now, text=query.filter)
        return Page([])
    return await store.long_read(lambda conn: _page(conn, query, _checked(conn, query, expr, now)))


def _page(conn: Connection, query: ModelQuery, expr: Expr) -> Page[LoggedModel]:
    scope = search.Scope(query.experiment_ids, query.datasets)
    order = search.ordering(scope, query.order_by)
    after = _after(query, order)
    found = search.find(conn, scope, expr, order, after, query.max_results)
    models = read.load(conn, found.ids)
    if found.last is None:
        return Page(models)
    place = page_token.encode(_texts(query.order_by), order.keys, found.last)
    following = _Token(list(query.experiment_ids), query.filter, _texts(query.order_by), place)
    return Page(models, token.encode(following))


def _checked(conn: Connection, query: ModelQuery, expr: Expr, now: int) -> Expr:
    """The filter with its bare names resolved. Only an error reads every name, for its suggestion."""
    names = bare_names(expr, schema=LOGGED_MODELS)
    catalog = search.catalog(conn, query.experiment_ids, names) if names else Catalog()
    try:
        return check(expr, catalog, schema=LOGGED_MODELS, now=now, text=query.filter)
    except FilterError:
        if not names:
            raise
        catalog = search.catalog(conn, query.experiment_ids)
        return check(expr, catalog, schema=LOGGED_MODELS, now=now, text=query.filter)


def _after(query: ModelQuery, order: Ordering) -> Sequence[int | float | str | None] | None:
    if not query.page_token:
        return None
    read_token = token.decode(query.page_token, _Token)
    asked = {
        "Experiment IDs in the page token do not match the requested experiment IDs.": (
            read_token.experiment_ids == list(query.experiment_ids)
        ),
        "Filter string in the page token does not match the requested filter string.": (
            read_token.filter == query.filter
        ),
        "Order by in the page token does not match the requested order by.": (
            read_token.order_by == _texts(query.order_by)
        ),
    }
    for text, matches in asked.items():
        if not matches:
            raise InvalidParameter(f"{text} Start the search at its first page.")
    return page_token.decode(read_token.place, _texts(query.order_by), order.keys)


def _texts(orders: Sequence[ModelOrder]) -> list[str]:
    return [msgspec.json.encode(order).decode() for order in orders]


def _check_datasets(datasets: Sequence[DatasetFilter]) -> None:
    if len(datasets) > MAX_DATASETS:
        raise InvalidParameter(f"A search can name {MAX_DATASETS} datasets at most, and not {len(datasets)}.")
    for index, dataset in enumerate(datasets):
        if not dataset.name:
            raise InvalidParameter("`dataset_name` in the `datasets` clause must be specified.")
        validate_text(dataset.name, f"datasets[{index}].dataset_name")
        validate_text(dataset.digest, f"datasets[{index}].dataset_digest")


def _checked_orders(orders: Sequence[ModelOrder]) -> tuple[ModelOrder, ...]:
    """The order with its attributes called by their names."""
    if len(orders) > MAX_ORDER_BY:
        raise InvalidParameter(f"order_by has {len(orders)} entries; at most {MAX_ORDER_BY} are allowed.")
    return tuple(_checked_order(order) for order in orders)


def _checked_order(order: ModelOrder) -> ModelOrder:
    kind, dot, metric = order.field_name.partition(".")
    if not dot:
        name = LOGGED_MODELS.attribute(order.field_name)
        if name is None:
            raise InvalidParameter(f"Invalid order by field name: {_cut(order.field_name)}")
        return order._replace(field_name=name)
    metric = metric.strip("`")
    if kind != "metrics" or not metric:
        raise InvalidParameter(f"Invalid order by field name: {_cut(order.field_name)}. Only metrics are supported.")
    for text in (metric, *order.dataset):
        validate_text(text, "order_by")
    return order._replace(field_name=f"metrics.{metric}")


def _cut(text: str) -> str:
    return text[:MAX_SHOWN_LENGTH]


def _refuse_aggregates(expr: Expr, text: str) -> None:
    for field in fields(expr):
        if field.aggregate is not None:
            message = f"Logged models are not searched by {field.aggregate.value}(…)."
            hint = "A comparison of a metric is true where any of its values fulfils it."
            raise FilterError(text, field.start, field.end, message, hint)
