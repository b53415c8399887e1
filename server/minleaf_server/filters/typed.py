"""Values to what they mean for the field they are compared with."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from enum import Enum

from minleaf_server.entities.number import number_of
from minleaf_server.filters import limits
from minleaf_server.filters.errors import FilterError
from minleaf_server.filters.pattern import check_pattern
from minleaf_server.filters.printer import field_to_text
from minleaf_server.filters.schema import STATUSES, AttributeType, Schema
from minleaf_server.filters.tree import (
    Aggregate,
    And,
    Between,
    Compare,
    Expr,
    Field,
    In,
    Kind,
    Literal,
    Operator,
    Or,
    Words,
)
from minleaf_server.filters.values import DATE_EXAMPLE, SPAN_EXAMPLE, Period, parse_date, parse_span

# What Python, JSON and YAML write for a truth value or a NaN, so that unquoted `true` finds them all.
_SPELLINGS = {word: (word, word.capitalize(), word.upper()) for word in ("true", "false")} | {
    "nan": ("nan", "NaN", "NAN")
}


class Type(Enum):
    """How a field compares."""

    NUMBER = "a number"
    INTEGER = "a whole number"
    TIME = "a date or time"
    DURATION = "a length of time"
    STATUS = "a status"
    TEXT = "text"
    PARAM = "a number or text"
    TAG = "text of a tag"
    DATASET = "text of a dataset"


_ATTRIBUTES = {
    AttributeType.TEXT: Type.TEXT,
    AttributeType.STATUS: Type.STATUS,
    AttributeType.INTEGER: Type.INTEGER,
    AttributeType.TIME: Type.TIME,
    AttributeType.DURATION: Type.DURATION,
}
_KINDS = {Kind.PARAM: Type.PARAM, Kind.TAG: Type.TAG, Kind.DATASET: Type.DATASET}
_NUMERIC = (Type.NUMBER, Type.INTEGER, Type.TIME, Type.DURATION)
_STEPS = (Aggregate.COUNT, Aggregate.ARGMIN, Aggregate.ARGMAX)


class Typer:
    """Types the clauses of one filter, whose fields are qualified already."""

    def __init__(self, text: str, schema: Schema, now: int) -> None:
        self.text = text
        self.schema = schema
        self._now = now

    def compare(self, clause: Compare) -> Expr:
        """The comparison with its value typed. A date becomes the range that it covers. Raises FilterError."""
        kind, operator, literal = self._type(clause.field), clause.operator, clause.value
        self._check_operator(clause.field, kind, operator, literal)
        if operator.matches:
            check_pattern(operator.positive, literal, self.text)
            return replace(clause, value=replace(literal, value=literal.text))
        if kind is Type.TIME and (period := parse_date(literal.text)):
            return _compare_period(clause, period)
        if operator.positive is Operator.EQ and (spellings := _spellings(kind, literal)):
            return In(clause.field, spellings, operator.negated)
        return replace(clause, value=self._typed(clause.field, literal, as_number=operator.orders))

    def within(self, clause: In) -> Expr:
        """The list with its values typed. Raises FilterError."""
        kind = self._type(clause.field)
        if kind is Type.TIME and any(parse_date(literal.text) for literal in clause.values):
            return self._in_periods(clause)
        values: list[Literal] = []
        for literal in clause.values:
            values.extend(_spellings(kind, literal) or (self._typed(clause.field, literal),))
        return replace(clause, values=tuple(values))

    def between(self, clause: Between) -> Expr:
        """The range with its bounds typed. Raises FilterError."""
        kind = self._type(clause.field)
        for bound in (clause.low, clause.high):
            self._check_operator(clause.field, kind, Operator.LE, bound)
        low, high = (self._typed(clause.field, bound, as_number=True) for bound in (clause.low, clause.high))
        if kind is Type.TIME:
            low, high = _bound(low, first=True), _bound(high, first=False)
        if isinstance(low.value, str) != isinstance(high.value, str):
            message = f"One bound of {self._name(clause.field)} is a number and the other is text."
            raise self._error(clause.high, message)
        return replace(clause, low=low, high=high)

    def words(self, words: Words) -> Words:
        """The words as they are. Raises FilterError for one that is too long."""
        for word in words.words:
            limit = limits.MAX_PATTERN if word.isascii() else limits.MAX_FOLDED
            if len(word) > limit:
                message = f"A searched word has {len(word)} characters; at most {limit} are allowed."
                raise FilterError(self.text, 0, len(self.text), message)
        return words

    def _type(self, field: Field) -> Type:
        if field.kind is Kind.METRIC:
            return Type.INTEGER if field.aggregate in _STEPS else Type.NUMBER
        if field.kind is Kind.ATTRIBUTE:
            return _ATTRIBUTES[self.schema.types[field.name]]
        assert field.kind is not None, "the checker qualifies fields first"
        return _KINDS[field.kind]

    def _check_operator(self, field: Field, kind: Type, operator: Operator, literal: Literal) -> None:
        name = self._name(field)
        if operator.matches and kind in _NUMERIC:
            raise self._error(literal, f"{name} is {kind.value}, so '{operator.value}' cannot be used with it.")
        if operator.positive is Operator.MATCH and kind is Type.DATASET:
            raise self._error(literal, "A dataset is not searched with regular expressions.", "Use like or ilike.")
        if not operator.orders:
            return
        if kind in (Type.STATUS, Type.DATASET):
            raise self._error(literal, f"{name} has no order.", "Use =, !=, in or like.")
        if kind is Type.TAG and not literal.quoted and number_of(literal.text) is not None:
            hint = f"Put it in quotes to compare as text: '{literal.text}'."
            raise self._error(literal, f"{name} is text, in which 10 comes before 9.", hint)

    def _typed(self, field: Field, literal: Literal, as_number: bool = False) -> Literal:
        kind = self._type(field)
        value: int | float | str | None = literal.text
        if kind is Type.NUMBER:
            value = self._number(field, literal)
        elif kind is Type.INTEGER:
            value = self._integer(field, literal)
        elif kind is Type.TIME:
            value = self._time(field, literal)
        elif kind is Type.DURATION:
            value = self._duration(field, literal)
        elif kind is Type.STATUS:
            value = literal.text if literal.quoted else self._status(literal)
        elif kind is Type.PARAM and (as_number or not literal.quoted):
            # A quoted value is MLflow's text, but no one means text by an order among numbers.
            number = number_of(literal.text)
            value = literal.text if number is None else number
        return replace(literal, value=value)

    def _number(self, field: Field, literal: Literal) -> float:
        text = literal.text
        if text.isascii() and "_" not in text and text == text.strip():
            try:
                return float(text)
            except ValueError:
                pass
        raise self._error(
            literal, f"{self._name(field)} is a number, found '{_cut(text)}'.", "Compare it with a number."
        )

    def _integer(self, field: Field, literal: Literal) -> int | float:
        number = self._number(field, literal)
        digits = literal.text.lstrip("+-")
        # Exact where a double is not, but without the time that thousands of digits take.
        return int(literal.text) if digits.isdecimal() and len(digits) <= 40 else number

    def _time(self, field: Field, literal: Literal) -> int | float:
        if (period := parse_date(literal.text)) is not None:
            return period.first
        if (span := parse_span(literal.text)) is not None:
            if literal.text[0] != "-":
                message = f"{self._name(field)} is a time, and '{literal.text}' does not say before what."
                raise self._error(
                    literal, message, f"For {literal.text.lstrip('+')} ago write -{literal.text.lstrip('+')}."
                )
            return self._now + span
        if number_of(literal.text) is None:
            message = f"{self._name(field)} is a time, found '{_cut(literal.text)}'."
            raise self._error(
                literal, message, f"Write a date such as {DATE_EXAMPLE}, -7d, or milliseconds since 1970."
            )
        return self._integer(field, literal)

    def _duration(self, field: Field, literal: Literal) -> float:
        span = parse_span(literal.text)
        if span is None:
            hint = f"Write a length of time such as {SPAN_EXAMPLE}."
            raise self._error(literal, f"{self._name(field)} is a length of time, found '{_cut(literal.text)}'.", hint)
        # A double, as what it is compared with: many weeks are more milliseconds than a 64-bit integer holds.
        return float(span)

    def _status(self, literal: Literal) -> str:
        name = literal.text.upper()
        if name in STATUSES:
            return name
        near = get_close_matches(name[: limits.MAX_SHOWN], STATUSES, n=1)
        hint = f"Did you mean {near[0].lower()}?" if near else f"There are {', '.join(STATUSES).lower()}."
        error = self._error(literal, f"There is no status '{_cut(literal.text)}'.", hint)
        error.fixes = tuple(status.lower() for status in near)
        raise error

    def _in_periods(self, clause: In) -> Expr:
        if len(clause.values) > limits.MAX_CLAUSES:
            message = f"A list of dates has at most {limits.MAX_CLAUSES} values."
            raise self._error(clause.values[limits.MAX_CLAUSES], message, "Use between.")
        operator = Operator.NE if clause.negated else Operator.EQ
        items = tuple(self.compare(Compare(clause.field, operator, literal)) for literal in clause.values)
        if len(items) == 1:
            return items[0]
        return And(items) if clause.negated else Or(items)

    def _name(self, field: Field) -> str:
        """The field as it was written, where what was written is known."""
        return self.text[field.start : field.end] or field_to_text(field)

    def _error(self, literal: Literal, message: str, hint: str | None = None) -> FilterError:
        return FilterError(self.text, literal.start, literal.end, message, hint)


def _compare_period(clause: Compare, period: Period) -> Expr:
    low, high = replace(clause.value, value=period.first), replace(clause.value, value=period.last)
    if clause.operator.positive is Operator.EQ:
        return Between(clause.field, low, high, clause.operator.negated)
    return replace(clause, value=high if clause.operator in (Operator.GT, Operator.LE) else low)


def _bound(literal: Literal, first: bool) -> Literal:
    period = parse_date(literal.text)
    if period is None:
        return literal
    return replace(literal, value=period.first if first else period.last)


def _spellings(kind: Type, literal: Literal) -> tuple[Literal, ...]:
    """The texts that an unquoted true, false or nan stands for, or nothing for another value."""
    if literal.quoted or kind not in (Type.PARAM, Type.TAG):
        return ()
    spellings: Iterable[str] = _SPELLINGS.get(literal.text.lower(), ())
    return tuple(replace(literal, text=text, quoted=True, value=text) for text in spellings)


def _cut(text: str) -> str:
    return text if len(text) <= limits.MAX_SHOWN else text[: limits.MAX_SHOWN] + "…"
