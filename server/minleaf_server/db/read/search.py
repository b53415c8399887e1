"""Finding runs: their row ids in order, a page at a time, their number, and the names they have."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from minleaf_server.db.filter_sql import condition
from minleaf_server.db.integers import one_of
from minleaf_server.db.keyset import Value, parts
from minleaf_server.db.rows import RunRows
from minleaf_server.db.run_order import Ordering, run_ordering
from minleaf_server.db.tables import KeyKind, key, run
from minleaf_server.entities import ViewType
from minleaf_server.filters import Catalog, Expr, OrderBy


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
    return run_ordering(orders, scope.rows)


def find(
    conn: Connection, scope: Scope, expr: Expr, order: Ordering, after: Sequence[Value] | None, limit: int
) -> Found:
    """The first `limit` runs behind `after` that match the checked filter."""
    return find_rows(conn, run.c.id, scope.matching(expr), order, after, limit)


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


def count(conn: Connection, scope: Scope, expr: Expr) -> int:
    """How many runs match the checked filter."""
    return conn.execute(select(func.count()).select_from(run).where(scope.matching(expr))).scalar_one()


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
