"""What MLflow refuses in a filter of logged models, refused here too, in words that its users may match on.

The language itself has more: `or`, `not`, plain words, text in order. MLflow's own search of logged models does not,
and tells so, so this endpoint takes comparisons joined by `and` only. `is null` and `between` do no harm.
"""

from collections.abc import Iterator
from dataclasses import replace

from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import Expr, FilterError, parse
from minleaf_server.filters.errors import shown
from minleaf_server.filters.logged_models import LOGGED_MODELS
from minleaf_server.filters.printer import field_to_text
from minleaf_server.filters.schema import AttributeType
from minleaf_server.filters.tree import And, Between, Clause, Compare, Field, In, IsNull, Kind

_KINDS = sorted(kind.value for kind in LOGGED_MODELS.kinds)
_NUMBER_OPERATORS = ("<", "<=", ">", ">=", "=", "!=")
_TEXT_OPERATORS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")
_NUMERIC = (AttributeType.INTEGER, AttributeType.TIME)


def check_filter(text: str) -> None:
    """Raises InvalidParameter."""
    try:
        clauses = list(_clauses(parse(text), text))
    except FilterError as error:
        raise InvalidParameter(f"Invalid filter string: {error}") from None
    for clause in clauses:
        _check_name(clause.field)
        if isinstance(clause, Compare):
            _check_operator(clause)


def _clauses(expr: Expr, text: str) -> Iterator[Clause]:
    for item in expr.items if isinstance(expr, And) else (expr,):
        if not isinstance(item, Compare | In | Between | IsNull):
            raise InvalidParameter(
                f"Invalid filter string: {shown(text)}. Expected a list of comparisons separated by 'AND', such as "
                "metrics.loss > 0.1 AND params.lr = '0.01'."
            )
        yield item


def _check_name(field: Field) -> None:
    kind, dot, rest = field.name.partition(".")
    unknown = field.kind is None and dot and rest and kind.isalpha()
    if field.kind is Kind.DATASET:
        kind, unknown = field.kind.value, True
    if unknown:
        raise InvalidParameter(f"Invalid entity type: {shown(kind)}. Expected one of {_KINDS}.")


def _check_operator(clause: Compare) -> None:
    field, operator = clause.field, clause.operator
    if field.kind is Kind.METRIC:
        numeric = True
    elif field.kind in (None, Kind.ATTRIBUTE) and (name := LOGGED_MODELS.attribute(field.name)):
        numeric = LOGGED_MODELS.types[name] in _NUMERIC
    else:
        return
    if operator.matches if numeric else operator.orders:
        named = field_to_text(replace(field, kind=field.kind or Kind.ATTRIBUTE))
        raise InvalidParameter(
            f"Invalid comparison operator for {named}: '{operator.value.upper()}'. "
            f"Expected one of {_NUMBER_OPERATORS if numeric else _TEXT_OPERATORS}."
        )
