"""The base of conditions that SQLAlchemy has no construct for."""

from typing import Any, Self

from sqlalchemy import Boolean
from sqlalchemy.sql.functions import FunctionElement


class Condition(FunctionElement[bool]):
    """An expression that is true or false, written with its own parentheses."""

    type = Boolean()

    def self_group(self, against: Any = None) -> Self:
        """Left as it is: SQLAlchemy would write `(…) = 1` on SQLite, which no index can answer."""
        return self
