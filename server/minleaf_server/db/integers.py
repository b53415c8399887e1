"""`column IN (many integers)` with one parameter, so that no database's limit on parameters is met."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Dialect, String, TypeDecorator, bindparam, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from minleaf_server.db.conditions import Condition


class _Integers(TypeDecorator[Sequence[int]]):
    """Many integers as one value: an array on Postgres, a JSON array on SQLite."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(BigInteger()) if dialect.name == "postgresql" else String())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        return list(value or ()) if dialect.name == "postgresql" else msgspec.json.encode(value or ()).decode()


class _OneOf(Condition):
    """Arguments: column, integers."""

    name = "minleaf_one_of"
    inherit_cache = True


def one_of(column: ColumnElement[int], values: Sequence[int]) -> ColumnElement[bool]:
    """The column is one of `values`. With one value a plain comparison, which keeps the order of an index."""
    if len(values) == 1:
        return column == values[0]
    return _OneOf(column, literal([int(value) for value in values], _Integers()))


def one_of_given(column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """The column is one of the integers that are given under this name when the statement runs.

    So a statement can be made once and for all, which takes SQLAlchemy as long as many a database takes to answer it.
    """
    return _OneOf(column, bindparam(name, type_=_Integers()))


@compiles(_OneOf, "sqlite")
def _sqlite(element: _OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, integers = element.clauses
    return f"({compiler.process(column, **kw)} IN (SELECT value FROM json_each({compiler.process(integers, **kw)})))"


@compiles(_OneOf, "postgresql")
def _postgres(element: _OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, integers = element.clauses
    return f"({compiler.process(column, **kw)} = ANY({compiler.process(integers, **kw)}))"
