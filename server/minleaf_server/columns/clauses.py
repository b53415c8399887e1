"""One clause over one column. `db.filter_sql` says what is right."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from minleaf_server.columns.fields import Column
from minleaf_server.columns.patterns import passing
from minleaf_server.columns.table import Integers, Mask, Numbers, Texts
from minleaf_server.columns.vocabulary import Vocabulary
from minleaf_server.entities.limits import INT64_MAX, INT64_MIN
from minleaf_server.filters.tree import Aggregate, Between, Compare, In, Literal, Operator

Test: TypeAlias = Compare | In | Between
_FEW = 4
"""So many codes or numbers are looked for one by one, with more the column is looked up in a table."""


def answer(column: Column, clause: Test) -> Mask:
    """Of each run, whether it has the field and the clause holds. The array is the caller's."""
    negated = clause.operator.negated if isinstance(clause, Compare) else clause.negated
    if isinstance(column, Texts):
        return of_codes(column.codes, _passing(column.vocabulary, clause), negated)
    found = _integers(column, clause) if isinstance(column, Integers) else _numbers(column, clause)
    if negated:
        np.logical_not(found, out=found)
    if negated or isinstance(column, Integers):
        found &= presence(column, clause.field.aggregate)
    return found


def presence(column: Column, aggregate: Aggregate | None) -> Mask:
    """Of each run, whether it has the field. The array may be the column's."""
    if isinstance(column, Texts):
        return column.codes >= 0
    if isinstance(column, Integers) or aggregate is Aggregate.LAST:
        return column.present
    return ~np.isnan(column.values)


def of_codes(codes: NDArray[np.int32], passes: Mask, negated: bool = False) -> Mask:
    """Of each run, whether it has a text and that passes, or `negated` does not pass."""
    hits = int(np.count_nonzero(passes))
    if negated:
        passes, hits = ~passes, len(passes) - hits
    if hits <= _FEW:
        return _one_of(codes, np.flatnonzero(passes))
    if len(passes) - hits <= _FEW:
        return ~_one_of(codes, [-1, *np.flatnonzero(~passes)])
    # One more at the end, where the -1 of an absent text leads to.
    found: Mask = np.append(passes, False)[codes]
    return found


def _one_of(values: NDArray[Any], wanted: Iterable[Any]) -> Mask:
    found = np.zeros(len(values), bool)
    for value in wanted:
        found |= values == value
    return found


def _is_in(values: NDArray[Any], wanted: Sequence[int] | Sequence[float]) -> Mask:
    if len(wanted) <= _FEW:
        return _one_of(values, wanted)
    sorted_ = np.unique(np.array(wanted, values.dtype))
    places = np.searchsorted(sorted_, values)
    # A value above all, or a NaN, leads behind the end: to the last, which it does not equal.
    found: Mask = sorted_.take(places, mode="clip") == values
    return found


def _numbers(column: Numbers, clause: Test) -> Mask:
    found = _doubles(column.values, clause)
    if clause.field.aggregate is Aggregate.LAST and _wants_nan(clause):
        found |= column.present & np.isnan(column.values)
    return found


def _wants_nan(clause: Test) -> bool:
    if isinstance(clause, In):
        return any(_number(literal) != _number(literal) for literal in clause.values)
    return isinstance(clause, Compare) and clause.operator.positive is Operator.EQ and _is_nan(clause.value)


def _doubles(values: NDArray[np.float64], clause: Test) -> Mask:
    """The positive form; false for a NaN, on either side."""
    if isinstance(clause, In):
        return _is_in(values, [float(_number(literal)) for literal in clause.values if not _is_nan(literal)])
    if isinstance(clause, Between):
        found = _compared(values, Operator.GE, float(_number(clause.low)))
        found &= _compared(values, Operator.LE, float(_number(clause.high)))
        return found
    return _compared(values, clause.operator.positive, float(_number(clause.value)))


def _compared(values: NDArray[Any], operator: Operator, value: int | float) -> Mask:
    found: Mask
    if operator is Operator.EQ:
        found = values == value
    elif operator is Operator.LT:
        found = values < value
    elif operator is Operator.LE:
        found = values <= value
    elif operator is Operator.GT:
        found = values > value
    else:
        found = values >= value
    return found


def _integers(column: Integers, clause: Test) -> Mask:
    """The positive form, exact for any number. Where the field is absent it says anything."""
    values = column.values
    if isinstance(clause, In):
        return _is_in(values, [int(number) for number in map(_number, clause.values) if _is_whole(number)])
    if isinstance(clause, Between):
        found = _integers_compared(values, Operator.GE, _number(clause.low))
        found &= _integers_compared(values, Operator.LE, _number(clause.high))
        return found
    return _integers_compared(values, clause.operator.positive, _number(clause.value))


def _is_whole(number: int | float) -> bool:
    return math.isfinite(number) and INT64_MIN <= number <= INT64_MAX and number == int(number)


def _integers_compared(values: NDArray[np.int64], operator: Operator, number: int | float) -> Mask:
    if _is_whole(number):
        return _compared(values, operator, int(number))
    above, below = operator in (Operator.GT, Operator.GE), operator in (Operator.LT, Operator.LE)
    if number > INT64_MAX:
        return np.full(len(values), below)
    if number < INT64_MIN:
        return np.full(len(values), above)
    if math.isnan(number) or not (above or below):
        return np.zeros(len(values), bool)
    # Between two integers: past the fraction, or below it.
    return values >= math.ceil(number) if above else values <= math.floor(number)


def _passing(vocabulary: Vocabulary, clause: Test) -> Mask:
    """By code, whether the text passes the positive form. A number compares with what a text spells."""
    if isinstance(clause, In):
        return _listed(vocabulary, clause)
    literal = clause.value if isinstance(clause, Compare) else clause.low
    if not isinstance(literal.value, str):
        return _doubles(vocabulary.numbers, clause)
    if isinstance(clause, Between):
        at_least = _texts_passing(vocabulary, Operator.GE, _text(clause.low))
        at_most = _texts_passing(vocabulary, Operator.LE, _text(clause.high))
        size = min(len(at_least), len(at_most))
        return at_least[:size] & at_most[:size]
    if clause.operator.positive is Operator.EQ:
        return _known(vocabulary, [_text(clause.value)])
    return _texts_passing(vocabulary, clause.operator.positive, _text(clause.value))


def _listed(vocabulary: Vocabulary, clause: In) -> Mask:
    wanted = tuple(literal for literal in clause.values if not isinstance(literal.value, str))
    # First, because there may be more texts a moment later, but never fewer.
    numbers = _doubles(vocabulary.numbers, In(clause.field, wanted)) if wanted else np.empty(0, bool)
    found = _known(vocabulary, [_text(literal) for literal in clause.values if isinstance(literal.value, str)])
    found[: len(numbers)] |= numbers
    return found


def _known(vocabulary: Vocabulary, texts: Iterable[str]) -> Mask:
    codes = [code for code in map(vocabulary.code_of, texts) if code >= 0]
    found = np.zeros(len(vocabulary.texts), bool)
    found[codes] = True
    return found


def _texts_passing(vocabulary: Vocabulary, operator: Operator, value: str) -> Mask:
    return vocabulary.passing((operator, value), lambda texts: passing(texts, operator, value))


def _number(literal: Literal) -> int | float:
    assert isinstance(literal.value, int | float), "the checker typed it"
    return literal.value


def _text(literal: Literal) -> str:
    assert isinstance(literal.value, str), "the checker typed it"
    return literal.value


def _is_nan(literal: Literal) -> bool:
    return isinstance(literal.value, float) and math.isnan(literal.value)
