"""`column IN (many integers)` with one parameter, so that no database's limit on parameters is met."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from minleaf_server.db.conditions import Condition


class _OneOf(Condition):
    """Arguments: column, the integers as JSON, the integers as an array."""

    name = "minleaf_one_of"
    inherit_cache = True


def one_of(column: ColumnElement[int], values: Sequence[int]) -> ColumnElement[bool]:
    """The column is one of `values`. With one value a plain comparison, which keeps the order of an index."""
    if len(values) == 1:
        return column == values[0]
    integers = [int(value) for value in values]
    return _OneOf(column, literal(json.dumps(integers)), literal(integers, ARRAY(BigInteger())))


@compiles(_OneOf, "sqlite")
def _sqlite(element: _OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, text, _ = element.clauses
    return f"({compiler.process(column, **kw)} IN (SELECT value FROM json_each({compiler.process(text, **kw)})))"


@compiles(_OneOf, "postgresql")
def _postgres(element: _OneOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, _, array = element.clauses
    return f"({compiler.process(column, **kw)} = ANY({compiler.process(array, **kw)}))"
