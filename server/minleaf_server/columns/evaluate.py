"""A checked filter over columns: which runs match. `db.filter_sql` says what is right."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from minleaf_server.columns.clauses import answer, of_codes, presence
from minleaf_server.columns.fields import RUN_ID, START_TIME, column_of, sources
from minleaf_server.columns.patterns import containing
from minleaf_server.columns.table import Mask, Rows, Texts, Wanted
from minleaf_server.columns.vocabulary import Vocabulary
from minleaf_server.filters import RUNS, Expr, OrderBy
from minleaf_server.filters.tree import (
    And,
    Between,
    Clause,
    Compare,
    Field,
    In,
    IsNull,
    Kind,
    Not,
    Operator,
    Or,
    Words,
    fields,
)

_NAME = Field(Kind.ATTRIBUTE, RUNS.name)


def supports(expr: Expr, orders: Sequence[OrderBy] = ()) -> bool:
    """Whether columns can answer: not where a run may have several values, as of its datasets."""
    used = [*fields(expr), *(order.field for order in orders)]
    return all(field.kind is not Kind.DATASET for field in used)


def wanted(expr: Expr, orders: Sequence[OrderBy] = ()) -> frozenset[Wanted]:
    """The columns that the search reads, apart from `uuids`. `start_time`, the last order, is always among them."""
    used = [START_TIME, *fields(expr), *(order.field for order in orders)]
    if _has_words(expr):
        used.append(_NAME)
    return frozenset().union(*map(sources, used))


def matching(expr: Expr, rows: Rows) -> Mask:
    """Of each run, whether it matches the checked filter; deleted runs are runs too. The array is the caller's."""
    if isinstance(expr, And):
        return _every(expr, rows)
    if isinstance(expr, Or):
        found = np.zeros(rows.size, bool)
        for item in expr.items:
            found |= matching(item, rows)
        return found
    if isinstance(expr, Not):
        found = matching(expr.item, rows)
        return np.logical_not(found, out=found)
    if isinstance(expr, Words):
        return _named(expr, rows)
    return _clause(expr, rows)


def _has_words(expr: Expr) -> bool:
    if isinstance(expr, And | Or):
        return any(map(_has_words, expr.items))
    return _has_words(expr.item) if isinstance(expr, Not) else isinstance(expr, Words)


def _clause(clause: Clause, rows: Rows) -> Mask:
    if clause.field == RUN_ID:
        if not isinstance(clause, IsNull):
            return _of_run_id(clause, rows)
        return np.full(rows.size, clause.negated)
    column = column_of(clause.field, rows)
    if isinstance(clause, IsNull):
        present = presence(column, clause.field.aggregate)
        return present.copy() if clause.negated else ~present
    return answer(column, clause)


def _every(expr: And, rows: Rows) -> Mask:
    found = np.ones(rows.size, bool)
    for item in expr.items:
        found &= matching(item, rows)
        if not found.any():
            break
    return found


def _named(expr: Words, rows: Rows) -> Mask:
    names = rows.text(RUNS.name)
    found = np.ones(rows.size, bool)
    for word in expr.words:
        passes = names.vocabulary.passing(("word", word), partial(containing, word=word))
        found &= of_codes(names.codes, passes)
    return found


def _of_run_id(clause: Compare | In | Between, rows: Rows) -> Mask:
    if isinstance(clause, Compare) and clause.operator.positive is Operator.EQ:
        found: Mask = rows.uuids == str(clause.value.value).encode()
        return np.logical_not(found, out=found) if clause.operator.negated else found
    # Ids are distinct, and few ask for more than one: no vocabulary of them is kept.
    ids = Texts(
        np.arange(rows.size, dtype=np.int32), Vocabulary.of_distinct([uuid.decode() for uuid in rows.uuids.tolist()])
    )
    return answer(ids, clause)
