"""Sorting and paging by keyset: a page starts behind the values of the last row, not at a count of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true

Value = int | float | str | None
Condition = ColumnElement[bool]


@dataclass(frozen=True)
class SortKey:
    """Sort by `expression`, whose values are of `type`. NULLs come last whatever the direction."""

    expression: ColumnElement[Any]
    type: type[int] | type[float] | type[str]
    descending: bool = False
    nullable: bool = False
    # An index may have the rows in this order already.
    indexed: bool = False

    @property
    def clause(self) -> ColumnElement[Any]:
        """The ORDER BY element."""
        element = self.expression.desc() if self.descending else self.expression.asc()
        return element.nulls_last() if self.nullable else element

    def is_at(self, value: Value) -> Condition:
        return self.expression.is_(None) if value is None else self.expression == value

    def is_behind(self, value: Value) -> Condition:
        """That a row sorts strictly behind `value` by this key alone."""
        if value is None:
            return false()
        behind = self.expression < value if self.descending else self.expression > value
        return or_(behind, self.expression.is_(None)) if self.nullable else behind


@dataclass(frozen=True)
class Part:
    """A stretch of the answer: its rows, and their order within."""

    where: Condition
    order: tuple[ColumnElement[Any], ...]


def behind(keys: Sequence[SortKey], values: Sequence[Value]) -> Condition:
    """That a row comes strictly behind the row with these values."""
    found: Condition = false()
    for key, value in zip(reversed(keys), reversed(values), strict=True):
        found = or_(key.is_behind(value), and_(key.is_at(value), found))
    return found


def parts(keys: Sequence[SortKey], after: Sequence[Value] | None) -> list[Part]:
    """What follows `after` (everything, if None), in order, as one stretch or two.

    Where an index has the order of the first key, the rows without a value are a stretch of their own: only then can
    both databases read the others from the index, and start in it where the page starts.
    """
    order = tuple(key.clause for key in keys)
    first = keys[0]
    if not (first.indexed and first.nullable):
        return [Part(true() if after is None else _following(keys, after), order)]
    present, absent = first.expression.is_not(None), first.expression.is_(None)
    plain = first.expression.desc() if first.descending else first.expression.asc()
    rest = Part(absent, order[1:])
    if after is None:
        return [Part(present, (plain, *order[1:])), rest]
    if after[0] is None:
        return [Part(and_(absent, behind(keys[1:], after[1:])), order[1:])]
    return [Part(and_(present, _following(keys, after)), (plain, *order[1:])), rest]


def _following(keys: Sequence[SortKey], after: Sequence[Value]) -> Condition:
    """`behind`, told so that an index on the first key is entered where the page starts."""
    first = keys[0]
    if not first.indexed:
        return behind(keys, after)
    edge = first.expression <= after[0] if first.descending else first.expression >= after[0]
    return and_(edge, behind(keys, after))
