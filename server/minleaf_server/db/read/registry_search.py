"""Finding registered models and versions: their row ids in order, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, true

from minleaf_server.db.filter_sql import Rows, condition
from minleaf_server.db.keyset import Value
from minleaf_server.db.read.registry_rows import ModelRows, VersionRows
from minleaf_server.db.read.search import Found, find_rows
from minleaf_server.db.run_order import Ordering
from minleaf_server.db.tables.registry import model_version, registered_model
from minleaf_server.filters import Expr
from minleaf_server.filters.registry import split_prompts


@dataclass(frozen=True, slots=True)
class Readable:
    """The registered models that the caller may know of: those named in `only` (all, if None) but not in `hidden`."""

    only: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()

    def condition(self) -> ColumnElement[bool]:
        """That a model is readable."""
        found = true() if self.only is None else registered_model.c.name.in_(sorted(self.only))
        return and_(found, registered_model.c.name.not_in(sorted(self.hidden))) if self.hidden else found


ALL = Readable()


def find_models(
    conn: Connection, expr: Expr, readable: Readable, order: Ordering, after: Sequence[Value] | None, limit: int
) -> Found:
    """The first `limit` registered models behind `after` that match the checked filter."""
    where = _matching(registered_model, expr, ModelRows(), readable)
    return find_rows(conn, registered_model.c.id, where, order, after, limit)


def find_versions(
    conn: Connection, expr: Expr, readable: Readable, order: Ordering, after: Sequence[Value] | None, limit: int
) -> Found:
    """The first `limit` versions behind `after` that match the checked filter."""
    where = _matching(model_version, expr, VersionRows(), readable)
    return find_rows(conn, model_version.c.id, where, order, after, limit)


def _matching(table: Table, expr: Expr, rows: Rows, readable: Readable) -> ColumnElement[bool]:
    prompts, rest = split_prompts(expr)
    kind = true() if prompts is None else table.c.is_prompt == int(prompts)
    return and_(kind, readable.condition(), condition(rest, rows))
