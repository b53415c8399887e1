"""Finding experiments: their ids in order, a page at a time."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, and_, not_, select, true

from minleaf_server.db.filter_sql import condition
from minleaf_server.db.integers import one_of
from minleaf_server.db.keyset import Value
from minleaf_server.db.read.search import Found, find_rows
from minleaf_server.db.rows import ExperimentRows
from minleaf_server.db.run_order import Ordering, experiment_ordering
from minleaf_server.db.tables import experiment, experiment_tag
from minleaf_server.entities import ViewType
from minleaf_server.filters import Catalog, Expr, OrderBy

_DIGITS_MAX = 18  # every id that a database has given


def ordering(orders: Sequence[OrderBy]) -> Ordering:
    """The sort keys for a checked order."""
    return experiment_ordering(orders, ExperimentRows())


def find(
    conn: Connection,
    view: ViewType,
    expr: Expr,
    order: Ordering,
    after: Sequence[Value] | None,
    limit: int,
    only: Collection[str] | None = None,
    hidden: Collection[str] = (),
) -> Found:
    """The first `limit` experiments behind `after` that match the checked filter.

    Their ids are among `only` (any, if None) and not among `hidden`.
    """
    lifecycles = [int(lifecycle) for lifecycle in view.lifecycles]
    where = one_of(experiment.c.lifecycle, lifecycles) & condition(expr, ExperimentRows())
    where &= _readable(experiment.c.id, only, hidden)
    return find_rows(conn, experiment.c.id, where, order, after, limit)


def catalog(
    conn: Connection,
    names: Collection[str] | None = None,
    only: Collection[str] | None = None,
    hidden: Collection[str] = (),
) -> Catalog:
    """The tag names that experiments have; only those among `names`, if given. `only` and `hidden` are as in `find`."""
    query = select(experiment_tag.c.key).distinct().order_by(experiment_tag.c.key)
    query = query.where(_readable(experiment_tag.c.experiment_id, only, hidden))
    if names is not None:
        query = query.where(experiment_tag.c.key.in_(names))
    return Catalog(tags=tuple(conn.execute(query).scalars()))


def _readable(column: ColumnElement[int], only: Collection[str] | None, hidden: Collection[str]) -> ColumnElement[bool]:
    """That an experiment's id is among `only` (any, if None) and not among `hidden`."""
    found: ColumnElement[bool] = true() if only is None else one_of(column, _integers(only))
    return and_(found, not_(one_of(column, _integers(hidden)))) if hidden else found


def _integers(ids: Collection[str]) -> list[int]:
    """A permission may name what is no experiment."""
    return [int(text) for text in ids if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX]
