"""Names to what they name, values to what they mean: a tree that compiles without further questions."""

import time
from collections.abc import Sequence
from dataclasses import replace

from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import typed
from minleaf_server.filters.catalog import Catalog, resolve
from minleaf_server.filters.errors import FilterError
from minleaf_server.filters.order import OrderBy
from minleaf_server.filters.schema import DATASET_KEYS, EXPERIMENTS, RUNS, Schema
from minleaf_server.filters.tree import (
    Aggregate,
    And,
    Between,
    Compare,
    Expr,
    Field,
    In,
    IsNull,
    Kind,
    Not,
    Or,
    Words,
    fields,
)

__all__ = ["Catalog", "bare_names", "check", "check_order"]


def check(expr: Expr, catalog: Catalog, *, schema: Schema = RUNS, now: int | None = None, text: str = "") -> Expr:
    """The tree with every name qualified and every value typed. Raises FilterError.

    `now` (ms since 1970, the clock if None) is what spans such as -7d count from. `text` is what was parsed, for the
    positions of errors. A qualified name that the catalog does not have is no error, as in MLflow: it matches nothing.
    """
    typer = typed.Typer(text, schema, int(time.time() * 1000) if now is None else now)
    return _check(expr, catalog, typer)


def check_order(orders: Sequence[OrderBy], catalog: Catalog, *, schema: Schema = RUNS) -> tuple[OrderBy, ...]:
    """The order with every name qualified. Raises FilterError, and InvalidParameter for a field that comes twice.

    Only of experiments a field may come twice, as in MLflow: the first counts.
    """
    checked: list[OrderBy] = []
    for order in orders:
        field = check_field(order.field, catalog, schema, order.text)
        if field.kind not in schema.sorted_by:
            noun = field.kind.value.removesuffix("s") if field.kind else ""
            raise _error(order.text, order.field, f"{schema.noun.capitalize()} cannot be sorted by a {noun}.")
        if any(before.field == field for before in checked):
            if schema is EXPERIMENTS:
                continue
            raise InvalidParameter(f"`order_by` contains duplicate fields: {[order.text for order in orders]}")
        checked.append(replace(order, field=field))
    return tuple(checked)


def bare_names(expr: Expr, orders: Sequence[OrderBy] = (), schema: Schema = RUNS) -> frozenset[str]:
    """The names whose meaning depends on the catalog."""
    used = [*fields(expr), *(order.field for order in orders)]
    return frozenset(
        field.name for field in used if field.kind is None and (field.aggregate or schema.attribute(field.name) is None)
    )


def check_field(field: Field, catalog: Catalog, schema: Schema, text: str) -> Field:
    """The field with its kind and, for a metric, its aggregate. Raises FilterError."""
    if field.kind is None:
        field = resolve(field, catalog, schema, text)
    if field.kind not in schema.kinds:
        raise _error(text, field, f"There are no {field.kind.value if field.kind else ''} to search {schema.noun} by.")
    if field.kind is Kind.ATTRIBUTE:
        return _attribute(field, schema, text)
    if field.kind is Kind.DATASET and field.name not in DATASET_KEYS:
        message = f"A dataset has no '{field.name}'."
        raise _error(text, field, message, f"It has {', '.join(DATASET_KEYS)}.")
    if field.kind is Kind.METRIC and field.aggregate is None:
        return replace(field, aggregate=Aggregate.LAST)
    return field


def _attribute(field: Field, schema: Schema, text: str) -> Field:
    name = schema.attribute(field.name)
    if name is None:
        message = f"Invalid attribute key '{field.name}' specified."
        raise _error(text, field, message, f"Valid keys are {', '.join(schema.types)}.")
    return replace(field, name=name)


def _check(expr: Expr, catalog: Catalog, typer: typed.Typer) -> Expr:
    if isinstance(expr, And | Or):
        return replace(expr, items=tuple(_check(item, catalog, typer) for item in expr.items))
    if isinstance(expr, Not):
        return Not(_check(expr.item, catalog, typer))
    if isinstance(expr, Words):
        return typer.words(expr)
    field = check_field(expr.field, catalog, typer.schema, typer.text)
    if isinstance(expr, Compare):
        return typer.compare(replace(expr, field=field))
    if isinstance(expr, In):
        return typer.within(replace(expr, field=field))
    if isinstance(expr, Between):
        return typer.between(replace(expr, field=field))
    return IsNull(field, expr.negated)


def _error(text: str, field: Field, message: str, hint: str | None = None) -> FilterError:
    return FilterError(text, field.start, field.end, message, hint)
