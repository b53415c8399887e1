"""What runs and experiments are sorted by. Ranks put values first, then NaN, then what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, FromClause, and_, case, func

from minleaf_server.db.keyset import SortKey
from minleaf_server.db.rows import METRIC_COLUMNS, ExperimentRows, RunRows
from minleaf_server.db.tables import experiment, metric_summary, param, run, tag
from minleaf_server.filters import EXPERIMENTS, RUNS, OrderBy
from minleaf_server.filters.limits import SORTED_CHARACTERS
from minleaf_server.filters.schema import AttributeType, Schema
from minleaf_server.filters.tree import Aggregate, Field, Kind

_TYPES: dict[AttributeType, type[int] | type[float] | type[str]] = {
    AttributeType.TEXT: str,
    AttributeType.STATUS: str,
    AttributeType.INTEGER: int,
    AttributeType.TIME: int,
    AttributeType.DURATION: float,
}
_NULLABLE = ("start_time", "end_time", "duration")


@dataclass
class Ordering:
    """Sort keys and the tables they need. Each join finds one row at most, by a primary key."""

    source: FromClause
    keys: list[SortKey] = field(default_factory=list)


def run_ordering(orders: Sequence[OrderBy], rows: RunRows) -> Ordering:
    """The order of runs: as asked, then the latest start first, then by run id, as MLflow."""
    ordering = Ordering(run)
    for order in orders:
        if order.field.kind is Kind.ATTRIBUTE:
            ordering.keys.append(_attribute_key(order.field.name, order.descending, RUNS, rows))
        else:
            _add_data_keys(ordering, order, rows)
    named = {order.field.name for order in orders if order.field.kind is Kind.ATTRIBUTE}
    if "start_time" not in named:
        ordering.keys.append(_attribute_key("start_time", True, RUNS, rows))
    if "run_id" not in named:
        ordering.keys.append(SortKey(run.c.uuid, str))
    return ordering


def experiment_ordering(orders: Sequence[OrderBy], rows: ExperimentRows) -> Ordering:
    """The order of experiments: as asked, then the highest id first. Unasked, the latest made first, then by id."""
    if not orders:
        return Ordering(experiment, [SortKey(experiment.c.creation_time, int, True), SortKey(experiment.c.id, int)])
    keys = [_attribute_key(order.field.name, order.descending, EXPERIMENTS, rows) for order in orders]
    if all(order.field.name != "experiment_id" for order in orders):
        keys.append(SortKey(experiment.c.id, int, True))
    return Ordering(experiment, keys)


def _attribute_key(name: str, descending: bool, schema: Schema, rows: RunRows | ExperimentRows) -> SortKey:
    expression = rows.attribute(name)
    indexed = expression is run.c.start_time and descending
    return SortKey(expression, _TYPES[schema.types[name]], descending, name in _NULLABLE, indexed)


def _add_data_keys(ordering: Ordering, order: OrderBy, rows: RunRows) -> None:
    assert order.field.kind is not None, "the checker qualifies fields first"
    table = {Kind.METRIC: metric_summary, Kind.PARAM: param, Kind.TAG: tag}[order.field.kind].alias()
    here = and_(table.c.run_id == run.c.id, table.c.key_id == rows.key_id(order.field.kind, order.field.name))
    ordering.source = ordering.source.outerjoin(table, here)
    if order.field.kind is Kind.METRIC:
        ordering.keys.extend(_metric_keys(order.field, table, order.descending))
    elif order.field.kind is Kind.PARAM:
        ordering.keys.extend(_param_keys(table, order.descending))
    else:
        ordering.keys.append(SortKey(_beginning(table), str, order.descending, nullable=True))


def _metric_keys(metric: Field, table: FromClause, descending: bool) -> list[SortKey]:
    aggregate = metric.aggregate or Aggregate.LAST
    value = table.c[METRIC_COLUMNS[aggregate].name]
    type_ = int if aggregate in (Aggregate.COUNT, Aggregate.ARGMIN, Aggregate.ARGMAX) else float
    keys = [SortKey(value, type_, descending, nullable=True)]
    if aggregate is Aggregate.LAST:
        # A row without a value is a NaN; without a row the metric is missing.
        keys.insert(0, SortKey(case((value.is_not(None), 0), (table.c.run_id.is_not(None), 1), else_=2), int))
    return keys


def _param_keys(table: FromClause, descending: bool) -> list[SortKey]:
    """Numbers by their value, then other texts, then what is missing."""
    number = table.c.number
    text = case((number.is_(None), _beginning(table)))
    rank = case((number.is_not(None), 0), (table.c.run_id.is_not(None), 1), else_=2)
    return [SortKey(rank, int), SortKey(number, float, descending, True), SortKey(text, str, descending, True)]


def _beginning(table: FromClause) -> ColumnElement[str]:
    return func.substr(table.c.value, 1, SORTED_CHARACTERS)
