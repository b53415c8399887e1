"""Finding logged models: their row ids in order, a page at a time, and the names they have."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, and_, select

from minleaf_server.db.filter_sql import Condition, condition
from minleaf_server.db.integers import one_of
from minleaf_server.db.keyset import Value
from minleaf_server.db.read.logged_model_rows import ModelRows
from minleaf_server.db.read.search import Found, find_rows
from minleaf_server.db.run_order import Ordering
from minleaf_server.db.tables import KeyKind, key
from minleaf_server.db.tables.logged_models import logged_model, logged_model_param, logged_model_tag
from minleaf_server.entities import Lifecycle
from minleaf_server.entities.logged_model import DatasetFilter, ModelOrder
from minleaf_server.filters import Catalog, Expr
from minleaf_server.filters.tree import Kind, fields


@dataclass(frozen=True)
class Scope:
    """Which models are searched: the active ones of these experiments, of which there is one at least.

    With `datasets`, only metrics about one of them count, and a model must have one that does.
    """

    experiment_ids: Sequence[int]
    datasets: Sequence[DatasetFilter] = ()

    @property
    def rows(self) -> ModelRows:
        return ModelRows(self.experiment_ids, self.datasets)

    def matching(self, expr: Expr) -> Condition:
        """That a model is in the scope and matches the checked filter."""
        found = and_(self.rows.scope(), logged_model.c.lifecycle == int(Lifecycle.ACTIVE), condition(expr, self.rows))
        asks_metrics = any(field.kind is Kind.METRIC for field in fields(expr))
        return found & self.rows.evaluated() if self.datasets and not asks_metrics else found


def ordering(scope: Scope, orders: Sequence[ModelOrder]) -> Ordering:
    """The sort keys for an order whose fields exist."""
    return scope.rows.ordering(orders)


def find(
    conn: Connection, scope: Scope, expr: Expr, order: Ordering, after: Sequence[Value] | None, limit: int
) -> Found:
    """The first `limit` models behind `after` that match the checked filter."""
    return find_rows(conn, logged_model.c.id, scope.matching(expr), order, after, limit)


def catalog(conn: Connection, experiment_ids: Sequence[int], names: Collection[str] | None = None) -> Catalog:
    """The metric names of these experiments and the param and tag names of their models; only those in `names`."""
    metrics = select(key.c.name).where(one_of(key.c.experiment_id, experiment_ids), key.c.kind == int(KeyKind.METRIC))
    if names is not None:
        metrics = metrics.where(key.c.name.in_(names))
    return Catalog(
        metrics=tuple(conn.execute(metrics.distinct().order_by(key.c.name)).scalars()),
        params=_keys(conn, logged_model_param, experiment_ids, names),
        tags=_keys(conn, logged_model_tag, experiment_ids, names),
    )


def _keys(
    conn: Connection, table: Table, experiment_ids: Sequence[int], names: Collection[str] | None
) -> tuple[str, ...]:
    models = select(logged_model.c.id).where(one_of(logged_model.c.experiment_id, experiment_ids))
    query = select(table.c.key).where(table.c.model_id.in_(models)).distinct().order_by(table.c.key)
    if names is not None:
        query = query.where(table.c.key.in_(names))
    return tuple(conn.execute(query).scalars())
