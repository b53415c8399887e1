"""Where the fields of logged models stand in the tables, and what they are sorted by."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, literal_column, or_, select
from sqlalchemy.types import BigInteger

from minleaf_server.db.filter_sql import Cell, Condition
from minleaf_server.db.integers import one_of
from minleaf_server.db.keyset import SortKey
from minleaf_server.db.run_order import Ordering
from minleaf_server.db.tables import KeyKind, key
from minleaf_server.db.tables.logged_models import (
    logged_model,
    logged_model_metric,
    logged_model_param,
    logged_model_tag,
)
from minleaf_server.entities.logged_model import DatasetFilter, ModelOrder, ModelStatus
from minleaf_server.filters.tree import Field, Kind

_STATUS_NAME = case({status.value: status.name for status in ModelStatus}, value=logged_model.c.status)
_ATTRIBUTES: dict[str, Cell] = {
    "model_id": {"value": logged_model.c.uuid},
    "name": {"value": logged_model.c.name},
    "model_type": {"value": logged_model.c.model_type},
    "status": {"value": _STATUS_NAME},
    "source_run_id": {"value": logged_model.c.source_run_id},
    "artifact_location": {"value": logged_model.c.artifact_uri},
    "experiment_id": {"integer": logged_model.c.experiment_id},
    "creation_timestamp": {"integer": logged_model.c.creation_time},
    "last_updated_timestamp": {"integer": logged_model.c.last_update_time},
}
_TIME_KEY = SortKey(logged_model.c.creation_time, int, True, indexed=True)
_ID_KEY = SortKey(logged_model.c.uuid, str)


class ModelRows:
    """Logged models of some experiments. With `datasets`, only the metrics about one of them count."""

    name: ColumnElement[str] = logged_model.c.name

    def __init__(self, experiment_ids: Sequence[int], datasets: Sequence[DatasetFilter] = ()) -> None:
        self._ids = experiment_ids
        self._datasets = datasets

    def scope(self) -> Condition:
        """That a model belongs to the experiments."""
        return one_of(logged_model.c.experiment_id, self._ids)

    def evaluated(self) -> Condition:
        """That a model has a metric about one of the datasets."""
        return exists().where(self._point(), self._about_datasets()).correlate(logged_model)

    def holds(self, field: Field, test: Callable[[Cell], Condition]) -> Condition:
        """That a model has the field and its cell passes the test. Of a metric any one point is enough."""
        if field.kind is Kind.ATTRIBUTE:
            return test(_ATTRIBUTES[field.name])
        if field.kind is Kind.METRIC:
            here = and_(self._point(), logged_model_metric.c.key_id == self._key_id(field.name))
            value = test({"value": logged_model_metric.c.value})
            return exists().where(here, self._about_datasets(), value).correlate(logged_model)
        table = logged_model_param if field.kind is Kind.PARAM else logged_model_tag
        cell: Cell = {name: table.c[name] for name in ("value", "number") if name in table.c}
        here = and_(table.c.model_id == logged_model.c.id, table.c.key == field.name)
        return exists().where(here, test(cell)).correlate(logged_model)

    def ordering(self, orders: Sequence[ModelOrder]) -> Ordering:
        """The order as asked, then the latest made first, then by id, as MLflow. The fields are known to exist."""
        keys: list[SortKey] = []
        for order in orders:
            prefix, _, metric = order.field_name.partition("metrics.")
            keys += self._metric_keys(metric, order) if metric and not prefix else [_attribute_key(order)]
        named = {order.field_name for order in orders}
        if "creation_timestamp" not in named:
            keys.append(_TIME_KEY)
        if "model_id" not in named:
            keys.append(_ID_KEY)
        return Ordering(logged_model, keys)

    def _point(self) -> Condition:
        return logged_model_metric.c.model_id == logged_model.c.id

    def _about_datasets(self) -> Condition:
        return or_(*(_about(one) for one in self._datasets)) if self._datasets else and_(True)

    def _key_id(self, name: str) -> ColumnElement[int]:
        """The id of a metric's name; a constant of the query where there is one experiment."""
        of_model: ColumnElement[int] = logged_model.c.experiment_id
        if len(self._ids) == 1:
            of_model = bindparam(None, self._ids[0], BigInteger())
        found = select(key.c.id).where(
            key.c.experiment_id == of_model, key.c.kind == int(KeyKind.METRIC), key.c.name == name
        )
        return found.correlate(logged_model).scalar_subquery()

    def _metric_keys(self, metric: str, order: ModelOrder) -> list[SortKey]:
        """The latest value, then NaN, then models without the metric."""
        point = logged_model_metric.c
        here = select(point.value).where(self._point(), point.key_id == self._key_id(metric))
        if order.dataset != DatasetFilter():
            here = here.where(_about(order.dataset))
        value = _latest(here).correlate(logged_model).scalar_subquery()
        rank = case((value.is_not(None), 0), (here.correlate(logged_model).exists(), 1), else_=2)
        return [SortKey(rank, int), SortKey(value, float, not order.ascending, nullable=True)]


def _latest(points: Select[tuple[Any]]) -> Select[tuple[Any]]:
    """The last in time, then by step. The rest of the key makes it one, and lets an index give it from its end."""
    point = logged_model_metric.c
    order = (point.timestamp, point.step, point.run_id, point.dataset_name, point.dataset_digest, point.bits)
    return points.order_by(*(column.desc() for column in order)).limit(1)


def _about(dataset: DatasetFilter) -> Condition:
    """That a point is about this dataset. The first condition is that of the index."""
    point = logged_model_metric.c
    conditions = [point.dataset_name != literal_column("''")]
    if dataset.name:
        conditions.append(point.dataset_name == dataset.name)
    if dataset.digest:
        conditions.append(point.dataset_digest == dataset.digest)
    return and_(*conditions)


def _attribute_key(order: ModelOrder) -> SortKey:
    name, descending = order.field_name, not order.ascending
    if name == "status":
        return SortKey(logged_model.c.status, int, descending)
    kind, expression = next(iter(_ATTRIBUTES[name].items()))
    return SortKey(expression, int if kind == "integer" else str, descending)
