"""The tree of a filter. Frozen; positions do not count when two trees are compared.

The parser leaves `Field.kind` None for a bare name and `Literal.value` None. The checker fills in both.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What a name names. The value is the prefix that is printed."""

    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    ATTRIBUTE = "attributes"
    DATASET = "datasets"


class Aggregate(Enum):
    """What of a metric's history is compared. `ARGMIN` and `ARGMAX` are the steps of the extremes."""

    LAST = "last"
    MIN = "min"
    MAX = "max"
    COUNT = "count"
    ARGMIN = "argmin"
    ARGMAX = "argmax"


class Operator(Enum):
    """The comparisons with one value. The value is the spelling that is printed."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "like"
    NOT_LIKE = "not like"
    ILIKE = "ilike"
    NOT_ILIKE = "not ilike"
    MATCH = "~"
    NOT_MATCH = "!~"

    @property
    def positive(self) -> "Operator":
        """The operator whose opposite this is, or itself."""
        return _POSITIVE.get(self, self)

    @property
    def negated(self) -> bool:
        """Whether this is the opposite of `positive` among what is present."""
        return self in _POSITIVE

    @property
    def orders(self) -> bool:
        return self in (Operator.LT, Operator.LE, Operator.GT, Operator.GE)

    @property
    def matches(self) -> bool:
        """Whether the right side is a pattern."""
        return self.positive in (Operator.LIKE, Operator.ILIKE, Operator.MATCH)


_POSITIVE = {
    Operator.NE: Operator.EQ,
    Operator.NOT_LIKE: Operator.LIKE,
    Operator.NOT_ILIKE: Operator.ILIKE,
    Operator.NOT_MATCH: Operator.MATCH,
}


@dataclass(frozen=True, slots=True)
class Field:
    """The left side: a name, what it names, and for a metric which number of its history."""

    kind: Kind | None
    name: str
    aggregate: Aggregate | None = None
    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value of the right side as it was written, without its quotes.

    `value` is what it means for its field: a float for a metric, a param compared as a number or a duration (ms), an
    integer for a time (ms), a step, a count or an id, else text.
    """

    text: str
    quoted: bool = False
    value: int | float | str | None = field(default=None, compare=False)
    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`field operator value`."""

    field: Field
    operator: Operator
    value: Literal


@dataclass(frozen=True, slots=True)
class In:
    """`field in (values)`, or `not in`."""

    field: Field
    values: tuple[Literal, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """`field between low and high`, both included, or `not between`."""

    field: Field
    low: Literal
    high: Literal
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    """`field is null`, or `is not null`."""

    field: Field
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Plain words: the name contains every one of them, whatever the case."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where `item` is false."""

    item: "Expr"


@dataclass(frozen=True, slots=True)
class And:
    """True where every item is. Without items it is the empty filter, which everything matches."""

    items: tuple["Expr", ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """True where an item is."""

    items: tuple["Expr", ...]


Clause = Compare | In | Between | IsNull
Expr = Clause | Words | Not | And | Or


def fields(expr: Expr) -> Iterator[Field]:
    """Every field of the tree, from left to right."""
    if isinstance(expr, And | Or):
        for item in expr.items:
            yield from fields(item)
    elif isinstance(expr, Not):
        yield from fields(expr.item)
    elif not isinstance(expr, Words):
        yield expr.field
