"""Where the fields of registered models and of their versions stand in the tables, and what they are sorted by."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, case, exists

from minleaf_server.db.filter_sql import Cell, Condition
from minleaf_server.db.keyset import SortKey
from minleaf_server.db.run_order import Ordering
from minleaf_server.db.tables.registry import (
    model_version,
    model_version_tag,
    registered_model,
    registered_model_tag,
)
from minleaf_server.entities.registry import IS_PROMPT_TAG
from minleaf_server.filters import OrderBy
from minleaf_server.filters.tree import Field, Kind

VERSIONS = model_version.join(registered_model, registered_model.c.id == model_version.c.model_id)
"""A version has its model's name."""

_MODEL_KEYS = {
    "name": SortKey(registered_model.c.name, str, indexed=True),
    "last_updated_timestamp": SortKey(registered_model.c.last_updated_time, int, indexed=True),
}
_VERSION_KEYS = {
    "name": SortKey(registered_model.c.name, str, indexed=True),
    "version_number": SortKey(model_version.c.version, int, indexed=True),
    "creation_timestamp": SortKey(model_version.c.creation_time, int, indexed=True),
    "last_updated_timestamp": SortKey(model_version.c.last_updated_time, int, indexed=True),
}
_VERSION_CELLS: dict[str, Cell] = {
    "name": {"value": registered_model.c.name},
    "version_number": {"integer": model_version.c.version},
    "run_id": {"value": model_version.c.run_id},
    "source_path": {"value": model_version.c.source},
}


class ModelRows:
    """All registered models."""

    name: ColumnElement[str] = registered_model.c.name

    def holds(self, field: Field, test: Callable[[Cell], Condition]) -> Condition:
        """That a model has the field and its cell passes the test."""
        if field.kind is Kind.ATTRIBUTE:
            return test({"value": registered_model.c.name})
        return _tag(field, test, registered_model, registered_model_tag)


class VersionRows:
    """All versions, each joined to its model."""

    name: ColumnElement[str] = registered_model.c.name

    def holds(self, field: Field, test: Callable[[Cell], Condition]) -> Condition:
        """That a version has the field and its cell passes the test."""
        if field.kind is Kind.ATTRIBUTE:
            return test(_VERSION_CELLS[field.name])
        return _tag(field, test, model_version, model_version_tag)


def model_ordering(orders: Sequence[OrderBy]) -> Ordering:
    """The order of registered models: as asked, then by name."""
    keys = [_directed(_MODEL_KEYS, order) for order in orders]
    if all(order.field.name != "name" for order in orders):
        keys.append(_MODEL_KEYS["name"])
    return Ordering(registered_model, keys)


def version_ordering(orders: Sequence[OrderBy]) -> Ordering:
    """The order of versions: as asked, then by name, then the newest first. Unasked, the last updated come first."""
    keys = [_directed(_VERSION_KEYS, order) for order in orders] or [
        _descending(_VERSION_KEYS["last_updated_timestamp"])
    ]
    named = {order.field.name for order in orders}
    if "name" not in named:
        keys.append(_VERSION_KEYS["name"])
    if "version_number" not in named:
        keys.append(_descending(_VERSION_KEYS["version_number"]))
    return Ordering(VERSIONS, keys)


def _directed(keys: dict[str, SortKey], order: OrderBy) -> SortKey:
    key = keys[order.field.name]
    return _descending(key) if order.descending else key


def _descending(key: SortKey) -> SortKey:
    return SortKey(key.expression, key.type, True, indexed=key.indexed)


def _tag(field: Field, test: Callable[[Cell], Condition], owner: Table, tags: Table) -> Condition:
    if field.name == IS_PROMPT_TAG:
        word: ColumnElement[Any] = case((owner.c.is_prompt == 1, "true"), else_="false")
        return test({"value": word})
    owner_id = next(iter(tags.c))
    here = and_(owner_id == owner.c.id, tags.c.key == field.name)
    return exists().where(here, test({"value": tags.c.value})).correlate(owner)
