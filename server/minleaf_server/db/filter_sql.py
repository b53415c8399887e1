"""A checked filter as one SQL condition: an EXISTS or a column per clause, no joins.

Every clause is true or false, never NULL, so NOT turns it around. A negated operator (`!=`, `not in`, `not like`, …)
is the opposite of its positive form among rows that have the field.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from minleaf_server.db import text_sql
from minleaf_server.entities.limits import INT64_MAX, INT64_MIN
from minleaf_server.filters.tree import (
    Aggregate,
    And,
    Between,
    Clause,
    Compare,
    Expr,
    Field,
    In,
    IsNull,
    Kind,
    Literal,
    Not,
    Operator,
    Or,
    Words,
)

Condition = ColumnElement[bool]
Cell = dict[str, ColumnElement[Any]]
"""The columns in which a field stands: `value`, for a param also `number`, for a whole number it is `integer`."""


class Rows(Protocol):
    """What is searched: where its fields stand."""

    name: ColumnElement[str]

    def holds(self, field: Field, test: Callable[[Cell], Condition]) -> Condition:
        """That a row has the field and its cell passes the test; false, not NULL, for one without."""
        ...


def condition(expr: Expr, rows: Rows) -> Condition:
    """The rows that match a checked filter."""
    if isinstance(expr, And):
        return and_(true(), *(condition(item, rows) for item in expr.items))
    if isinstance(expr, Or):
        return or_(false(), *(condition(item, rows) for item in expr.items))
    if isinstance(expr, Not):
        return not_(condition(expr.item, rows))
    if isinstance(expr, Words):
        return and_(true(), *(text_sql.contains(rows.name, word) for word in expr.words))
    return _clause(expr, rows)


def _clause(clause: Clause, rows: Rows) -> Condition:
    present = _is_present(clause.field)
    if isinstance(clause, IsNull):
        has = rows.holds(clause.field, present)
        return has if clause.negated else not_(has)
    negated = clause.operator.negated if isinstance(clause, Compare) else clause.negated
    test = _test(clause)
    return rows.holds(clause.field, lambda cell: and_(present(cell), not_(test(cell)) if negated else test(cell)))


def _is_present(field: Field) -> Callable[[Cell], Condition]:
    if field.aggregate is Aggregate.LAST:
        return lambda _: true()  # Where the row exists; its NULL is a NaN.
    return lambda cell: next(iter(cell.values())).is_not(None)


def _test(clause: Compare | In | Between) -> Callable[[Cell], Condition]:
    """The positive form of the clause, for a cell that is present. Never NULL for such a cell."""
    if clause.field.aggregate is Aggregate.LAST:
        return lambda cell: _maybe_nan(cell["value"], clause)
    if clause.field.kind is Kind.PARAM:
        return lambda cell: _param(cell, clause)
    return lambda cell: _integer(cell["integer"], clause) if "integer" in cell else _plain(cell["value"], clause)


def _maybe_nan(column: ColumnElement[float], clause: Compare | In | Between) -> Condition:
    is_nan = column.is_(None) if _wants_nan(clause) else false()
    return or_(is_nan, and_(column.is_not(None), _plain(column, clause)))


def _wants_nan(clause: Compare | In | Between) -> bool:
    if isinstance(clause, In):
        return any(_is_nan(literal) for literal in clause.values)
    return isinstance(clause, Compare) and clause.operator.positive is Operator.EQ and _is_nan(clause.value)


def _param(cell: Cell, clause: Compare | In | Between) -> Condition:
    """A param compares as a number with a number, and as text with text."""
    if isinstance(clause, In):
        numbers = tuple(literal for literal in clause.values if isinstance(literal.value, float))
        texts = tuple(literal for literal in clause.values if isinstance(literal.value, str))
        return or_(
            and_(cell["number"].is_not(None), _plain(cell["number"], In(clause.field, numbers))),
            _plain(cell["value"], In(clause.field, texts)),
        )
    literal = clause.value if isinstance(clause, Compare) else clause.low
    if isinstance(literal.value, float):
        return and_(cell["number"].is_not(None), _plain(cell["number"], clause))
    return _plain(cell["value"], clause)


def _plain(column: ColumnElement[Any], clause: Compare | In | Between) -> Condition:
    """The positive form for a column of doubles or text that is not NULL."""
    if isinstance(clause, In):
        values = [literal.value for literal in clause.values if not _is_nan(literal)]
        return column.in_(values) if values else false()
    if isinstance(clause, Between):
        if _is_nan(clause.low) or _is_nan(clause.high):
            return false()
        return and_(column >= clause.low.value, column <= clause.high.value)
    if _is_nan(clause.value):
        return false()
    return _compared(column, clause.operator.positive, clause.value.value)


def _compared(column: ColumnElement[Any], operator: Operator, value: Any) -> Condition:
    if operator is Operator.LIKE:
        return text_sql.like(column, value)
    if operator is Operator.ILIKE:
        return text_sql.ilike(column, value)
    if operator is Operator.MATCH:
        return text_sql.matches(column, value)
    if operator is Operator.EQ:
        return text_sql.equal(column, value) if isinstance(value, str) else column == value
    compared: Condition = column.op(operator.value, is_comparison=True)(value)
    return compared


def _integer(column: ColumnElement[int], clause: Compare | In | Between) -> Condition:
    """The positive form for a column of 64-bit integers, exact for any number."""
    if isinstance(clause, In):
        return or_(false(), *(_integer_compared(column, Operator.EQ, _number(literal)) for literal in clause.values))
    if isinstance(clause, Between):
        low = _integer_compared(column, Operator.GE, _number(clause.low))
        return and_(low, _integer_compared(column, Operator.LE, _number(clause.high)))
    return _integer_compared(column, clause.operator.positive, _number(clause.value))


def _integer_compared(column: ColumnElement[int], operator: Operator, value: int | float) -> Condition:
    """Reduced to a 64-bit integer or a constant, because a database refuses or rounds anything else."""
    if math.isnan(value):
        return false()
    above, below = operator in (Operator.GT, Operator.GE), operator in (Operator.LT, Operator.LE)
    if value > INT64_MAX:
        return true() if below else false()
    if value < INT64_MIN:
        return true() if above else false()
    if value == int(value):
        return _compared(column, operator, int(value))
    # Between two integers: past the fraction, below it, or not at all.
    return column >= math.ceil(value) if above else column <= math.floor(value) if below else false()


def _number(literal: Literal) -> int | float:
    assert isinstance(literal.value, int | float), "the checker typed it"
    return literal.value


def _is_nan(literal: Literal) -> bool:
    return isinstance(literal.value, float) and math.isnan(literal.value)
