"""Finding experiments: their ids in order, a page at a time."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from minleaf_server.db.filter_sql import condition
from minleaf_server.db.integers import one_of
from minleaf_server.db.keyset import Value
from minleaf_server.db.read.search import Found, find_rows
from minleaf_server.db.rows import ExperimentRows
from minleaf_server.db.run_order import Ordering, experiment_ordering
from minleaf_server.db.tables import experiment, experiment_tag
from minleaf_server.entities import ViewType
from minleaf_server.filters import Catalog, Expr, OrderBy


def ordering(orders: Sequence[OrderBy]) -> Ordering:
    """The sort keys for a checked order."""
    return experiment_ordering(orders, ExperimentRows())


def find(
    conn: Connection, view: ViewType, expr: Expr, order: Ordering, after: Sequence[Value] | None, limit: int
) -> Found:
    """The first `limit` experiments behind `after` that match the checked filter."""
    lifecycles = [int(lifecycle) for lifecycle in view.lifecycles]
    where = one_of(experiment.c.lifecycle, lifecycles) & condition(expr, ExperimentRows())
    return find_rows(conn, experiment.c.id, where, order, after, limit)


def catalog(conn: Connection, names: Collection[str] | None = None) -> Catalog:
    """The tag names that experiments have; only those among `names`, if given."""
    query = select(experiment_tag.c.key).distinct().order_by(experiment_tag.c.key)
    if names is not None:
        query = query.where(experiment_tag.c.key.in_(names))
    return Catalog(tags=tuple(conn.execute(query).scalars()))
