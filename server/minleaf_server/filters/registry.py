"""Filters and orders of the model registry: the one language, within the limits and with the errors of MLflow's.

MLflow's registry searches fewer things than its runs: its filters know few attributes, and every text stands in quotes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from minleaf_server.entities.number import number_of
from minleaf_server.entities.registry import IS_PROMPT_TAG
from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import limits
from minleaf_server.filters.checker import Catalog, check, check_order
from minleaf_server.filters.errors import FilterError, shown
from minleaf_server.filters.lexer import Token, TokenKind, tokens
from minleaf_server.filters.order import OrderBy, parse_order, parse_orders
from minleaf_server.filters.parser import parse
from minleaf_server.filters.schema import AttributeType, Schema
from minleaf_server.filters.tree import And, Clause, Compare, Expr, In, IsNull, Kind, Literal, Not, Operator, Or, Words

_LISTED = ("name", "run_id")
_LIST = "While parsing a list in the query, expected"


@dataclass(frozen=True, slots=True)
class Searched:
    """One of the two searches: its attributes, and which of them may stand in a filter and in an order.

    `order_error` is how MLflow begins the error for a key that it cannot order by.
    """

    schema: Schema
    filtered: tuple[str, ...]
    ordered: tuple[str, ...]
    order_error: str


_KINDS = frozenset({Kind.ATTRIBUTE, Kind.TAG})

REGISTERED_MODELS = Searched(
    schema=Schema(
        noun="registered models",
        name="name",
        types={"name": AttributeType.TEXT, "last_updated_timestamp": AttributeType.TIME},
        aliases={"timestamp": "last_updated_timestamp"},
        kinds=_KINDS,
        sorted_by=frozenset({Kind.ATTRIBUTE}),
    ),
    filtered=("name",),
    ordered=("name", "timestamp", "last_updated_timestamp"),
    order_error="Invalid order by key",
)
MODEL_VERSIONS = Searched(
    schema=Schema(
        noun="model versions",
        name="name",
        types={
            "name": AttributeType.TEXT,
            "version_number": AttributeType.INTEGER,
            "run_id": AttributeType.TEXT,
            "source_path": AttributeType.TEXT,
            "creation_timestamp": AttributeType.TIME,
            "last_updated_timestamp": AttributeType.TIME,
        },
        aliases={},
        kinds=_KINDS,
        sorted_by=frozenset({Kind.ATTRIBUTE}),
    ),
    filtered=("name", "version_number", "run_id", "source_path"),
    ordered=("name", "version_number", "creation_timestamp", "last_updated_timestamp"),
    order_error="Invalid attribute key",
)


def read_filter(text: str, searched: Searched) -> Expr:
    """The checked tree of a filter. Raises FilterError and InvalidParameter with MLflow's beginnings."""
    try:
        _check_lists(text)
        expr = parse(text)
    except FilterError as error:
        message = f"Invalid clause(s) in filter string: {error.message}"
        raise FilterError(error.text, error.start, error.end, message, error.hint, error.fixes) from None
    for clause in _clauses(expr):
        _check_clause(clause, searched)
    return check(expr, Catalog(), schema=searched.schema, text=text)


def read_order(texts: Sequence[str], searched: Searched) -> tuple[OrderBy, ...]:
    """The checked order. Raises InvalidParameter with MLflow's beginnings."""
    for text in texts:
        field = _parsed_order(text).field
        if field.kind not in (None, Kind.ATTRIBUTE) or field.aggregate or field.name not in searched.ordered:
            name = field.name if field.kind in (None, Kind.ATTRIBUTE) else f"{field.kind.value}.{field.name}"
            keys = _set_of(searched.ordered)
            raise InvalidParameter(f"{searched.order_error} '{_cut(name)}' specified. Valid keys are '{keys}'")
    return check_order(parse_orders(texts), Catalog(), schema=searched.schema)


def split_prompts(expr: Expr) -> tuple[bool | None, Expr]:
    """Whether the filter wants prompts or models, and what it wants besides. None for both.

    As in MLflow a filter that does not speak of `tags.mlflow.prompt.is_prompt` finds no prompts, and every model has
    that tag, `false` where it is not set.
    """
    items: list[Expr] = list(expr.items) if isinstance(expr, And) else [expr]
    for index, item in enumerate(items):
        wanted = _wants_prompts(item)
        if wanted is not None:
            return wanted, And(tuple(items[:index] + items[index + 1 :]))
    mentioned = any(_is_about_prompts(clause) for clause in _clauses(expr))
    return (None if mentioned else False), expr


def _wants_prompts(item: Expr) -> bool | None:
    if not isinstance(item, Compare) or not _is_about_prompts(item):
        return None
    value = str(item.value.value).lower()
    if item.operator.positive is not Operator.EQ or value not in ("true", "false"):
        return None
    return (value == "true") != item.operator.negated


def _is_about_prompts(clause: Clause) -> bool:
    return clause.field.kind is Kind.TAG and clause.field.name == IS_PROMPT_TAG


def _parsed_order(text: str) -> OrderBy:
    try:
        return parse_order(text)
    except FilterError:
        if len(text.split()) == 2:
            raise InvalidParameter(f"Invalid ordering key in order_by clause {shown(text)}.") from None
        raise InvalidParameter(f"Invalid order_by clause {shown(text)}. Could not be parsed.") from None


def _clauses(expr: Expr) -> Iterator[Clause]:
    if isinstance(expr, And | Or):
        for item in expr.items:
            yield from _clauses(item)
    elif isinstance(expr, Not):
        yield from _clauses(expr.item)
    elif not isinstance(expr, Words):
        yield expr


def _check_lists(text: str) -> None:
    """Raises InvalidParameter for a list that holds nothing or has a hole."""
    listed: list[Token] | None = None
    before: Token | None = None
    for token in tokens(text):
        if listed is not None:
            if token.kind is TokenKind.CLOSE:
                _check_list(listed)
                listed = None
            else:
                listed.append(token)
        elif token.kind is TokenKind.OPEN and before is not None and before.is_keyword("in"):
            listed = []
        before = token


def _check_list(listed: list[Token]) -> None:
    if not listed:
        raise InvalidParameter(f"{_LIST} a non-empty list of string values, but got empty list")
    commas = [token.kind is TokenKind.COMMA for token in listed]
    if commas[0] or any(one and other for one, other in pairwise(commas)):
        raise InvalidParameter(f"{_LIST} a non-empty list of string values, but got ill-formed list.")


def _check_clause(clause: Clause, searched: Searched) -> None:
    field = clause.field
    _check_keywords(clause)
    prefix, dot, _ = field.name.partition(".")
    if field.kind is None and dot and field.name not in searched.filtered:
        raise _wrong_entity(prefix)
    if field.aggregate or field.kind not in (None, Kind.ATTRIBUTE, Kind.TAG):
        raise _wrong_entity(field.kind.value if field.kind else field.aggregate.value if field.aggregate else "")
    if field.kind is Kind.TAG:
        _check_tag(clause)
    elif field.name not in searched.filtered:
        keys = _set_of(searched.filtered)
        raise InvalidParameter(f"Invalid attribute key '{_cut(field.name)}' specified. Valid keys are '{keys}'")
    elif searched.schema.types[field.name] is AttributeType.INTEGER:
        _check_number(clause)
    else:
        _check_text(clause)


def _check_keywords(clause: Clause) -> None:
    """MLflow's SQL parser knows a bare `true` as a keyword, and so finds no comparison."""
    for literal in _literals(clause):
        if not literal.quoted and literal.text.lower() in ("true", "false"):
            raise InvalidParameter(f"Invalid clause(s) in filter string: {clause.field.name}, =, {literal.text}")


def _check_tag(clause: Clause) -> None:
    if isinstance(clause, Compare) and clause.operator.orders:
        raise InvalidParameter(f"Invalid comparator for tag: {clause.operator.value}")
    for literal in _literals(clause):
        if not literal.quoted and number_of(literal.text) is not None:
            raise InvalidParameter(
                f"Expected a quoted string value for tag (e.g. 'my-value'). Got value {_cut(literal.text)}"
            )
        _check_quotes(literal)


def _check_text(clause: Clause) -> None:
    if isinstance(clause, In):
        _check_listed(clause)
        return
    if isinstance(clause, Compare) and clause.operator.orders:
        raise InvalidParameter(f"Invalid comparator for attribute: {clause.operator.value}")
    for literal in _literals(clause):
        if not literal.quoted and number_of(literal.text) is not None:
            raise InvalidParameter(
                "Expected a quoted string value or a list of quoted string values for attributes. Got value "
                + _cut(literal.text)
            )
        _check_quotes(literal)


def _check_number(clause: Clause) -> None:
    name = clause.field.name
    if isinstance(clause, In):
        _check_listed(clause)
    if isinstance(clause, Compare) and clause.operator.matches:
        operator = clause.operator.value.upper()
        raise InvalidParameter(f"Invalid comparator for attribute {name}: {operator}")
    for literal in _literals(clause):
        if not literal.text.strip().lstrip("+-").isdecimal():
            value = repr(literal.text) if literal.quoted else literal.text
            raise InvalidParameter(f"Invalid value for numeric attribute '{name}': {_cut(value)}")


def _check_listed(clause: In) -> None:
    if clause.field.name not in _LISTED:
        raise InvalidParameter(
            f"Only {list(_LISTED)} attributes support comparison with a list of quoted string values."
        )
    if not all(literal.quoted for literal in clause.values):
        texts = ", ".join(_cut(literal.text) for literal in clause.values[:10])
        raise InvalidParameter(
            f"{_LIST} string value, punctuation, or whitespace, but got different type in list: ({texts})"
        )


def _check_quotes(literal: Literal) -> None:
    if not literal.quoted:
        raise InvalidParameter(
            "Parameter value is either not quoted or unidentified quote types used for string value "
            f"{_cut(literal.text)}. Use either single or double quotes."
        )


def _literals(clause: Clause) -> tuple[Literal, ...]:
    if isinstance(clause, Compare):
        return (clause.value,)
    if isinstance(clause, In):
        return clause.values
    return () if isinstance(clause, IsNull) else (clause.low, clause.high)


def _wrong_entity(name: str) -> InvalidParameter:
    valid = ("attribute", "tag", "tags")
    return InvalidParameter(f"Invalid entity type '{_cut(name)}'. Valid entity types are {valid}")


def _set_of(names: Sequence[str]) -> str:
    return "{" + ", ".join(repr(name) for name in names) + "}"


def _cut(text: str) -> str:
    return text if len(text) <= limits.MAX_SHOWN else text[: limits.MAX_SHOWN] + "…"
