"""Finding runs: their row ids in order, a page at a time, their number, and the names they have.

Columns in memory answer where they can, and SQL where they cannot: both give the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select

from minleaf_server import columns
from minleaf_server.db.columns import Held, View, joined
from minleaf_server.db.filter_sql import condition
from minleaf_server.db.integers import one_of
from minleaf_server.db.keyset import Value, parts
from minleaf_server.db.rows import RunRows
from minleaf_server.db.run_order import Ordering, run_ordering
from minleaf_server.db.tables import KeyKind, key, run
from minleaf_server.entities import Lifecycle, ViewType
from minleaf_server.filters import Catalog, Expr, OrderBy
from minleaf_server.filters.tree import And


@dataclass(frozen=True)
class Found:
    """Row ids in order, and the sort values of the last one where more rows follow."""

    ids: list[int]
    last: tuple[Any, ...] | None


@dataclass(frozen=True)
class Scope:
    """Which runs are searched. `experiment_ids` is not empty."""

    experiment_ids: Sequence[int]
    view: ViewType = ViewType.ACTIVE_ONLY

    @property
    def rows(self) -> RunRows:
        return RunRows(self.experiment_ids)

    def matching(self, expr: Expr) -> ColumnElement[bool]:
        """That a run is in the scope and matches the checked filter."""
        lifecycles = [int(lifecycle) for lifecycle in self.view.lifecycles]
        return self.rows.scope() & one_of(run.c.lifecycle, lifecycles) & condition(expr, self.rows)


def ordering(scope: Scope, orders: Sequence[OrderBy]) -> Ordering:
    """The sort keys for a checked order."""
    return _ordering(tuple(scope.experiment_ids), tuple(orders))


@lru_cache(maxsize=100)
def _ordering(experiment_ids: Sequence[int], orders: Sequence[OrderBy]) -> Ordering:
    # Making it takes longer than answering from columns, which need no more of it than the types of the keys.
    return run_ordering(orders, RunRows(experiment_ids))


def find(
    conn: Connection,
    scope: Scope,
    expr: Expr,
    orders: Sequence[OrderBy],
    after: Sequence[Value] | None,
    limit: int,
    held: Held | None = None,
) -> Found:
    """The first `limit` runs behind `after` that match the checked filter, in the checked order.

    Without `held` SQL answers.
    """
    views = _views(conn, expr, orders, held)
    if views is None:
        order = ordering(scope, orders)
        return find_rows(conn, run.c.id, scope.matching(expr), order, after, limit)
    if len(views) == 1:
        return _find(views[0], _mask(views[0], scope, expr), orders, after, limit)
    # Of each experiment what might be on the page, and these in order.
    chosen = [columns.find(view, _mask(view, scope, expr), orders, after, limit + 1).indexes for view in views]
    view = joined(list(zip(views, chosen, strict=True)), columns.wanted(And(), orders))
    return _find(view, np.ones(view.size, bool), orders, None, limit)


def is_plain(expr: Expr, orders: Sequence[OrderBy]) -> bool:
    """Whether a search is for all runs in the order of an index, which a database answers at once."""
    return not orders and expr == And()


def _views(conn: Connection, expr: Expr, orders: Sequence[OrderBy], held: Held | None) -> list[View] | None:
    """The columns that answer the search, of each experiment, or None where SQL has to."""
    if held is None:
        return None
    if columns.supports(expr, orders):
        return held.views(conn, columns.wanted(expr, orders))
    held.release()
    return None


def _mask(view: View, scope: Scope, expr: Expr) -> NDArray[np.bool_]:
    mask = columns.matching(expr, view)
    if len(scope.view.lifecycles) < len(Lifecycle):
        (only,) = scope.view.lifecycles
        mask &= view.lifecycles == only
    return mask


def _find(
    view: View, mask: NDArray[np.bool_], orders: Sequence[OrderBy], after: Sequence[Value] | None, limit: int
) -> Found:
    found = columns.find(view, mask, orders, after, limit)
    return Found(view.ids[found.indexes].tolist(), found.last)


def find_rows(
    conn: Connection,
    identity: ColumnElement[int],
    where: ColumnElement[bool],
    order: Ordering,
    after: Sequence[Value] | None,
    limit: int,
) -> Found:
    """The ids of the first `limit` rows behind `after`, for runs and experiments alike."""
    rows: list[Any] = []
    columns = [sort_key.expression.label(f"sort_{i}") for i, sort_key in enumerate(order.keys)]
    for part in parts(order.keys, after):
        query = select(identity.label("id"), *columns).select_from(order.source).where(where, part.where)
        rows += conn.execute(query.order_by(*part.order).limit(limit + 1 - len(rows))).all()
        if len(rows) > limit:
            return Found([row[0] for row in rows[:limit]], tuple(rows[limit - 1][1:]))
    return Found([row[0] for row in rows], None)


def count(conn: Connection, scope: Scope, expr: Expr, held: Held | None = None) -> int:
    """How many runs match the checked filter. Without `held` SQL counts."""
    views = _views(conn, expr, (), held)
    if views is None:
        return conn.execute(select(func.count()).select_from(run).where(scope.matching(expr))).scalar_one()
    return sum(int(np.count_nonzero(_mask(view, scope, expr))) for view in views)


def catalog(conn: Connection, experiment_ids: Sequence[int], names: Collection[str] | None = None) -> Catalog:
    """The metric, param and tag names of these experiments, by name; only those among `names`, if given."""
    query = select(key.c.kind, key.c.name).where(one_of(key.c.experiment_id, experiment_ids))
    if names is not None:
        query = query.where(key.c.name.in_(names))
    found: dict[int, list[str]] = {kind: [] for kind in KeyKind}
    for kind, name in conn.execute(query.distinct().order_by(key.c.name)):
        found[kind].append(name)
    return Catalog(
        metrics=tuple(found[KeyKind.METRIC]), params=tuple(found[KeyKind.PARAM]), tags=tuple(found[KeyKind.TAG])
    )
