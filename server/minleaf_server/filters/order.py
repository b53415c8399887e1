"""One entry of order_by: a name and a direction."""

from collections.abc import Sequence
from dataclasses import dataclass

from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import limits
from minleaf_server.filters.lexer import TokenKind
from minleaf_server.filters.names import read_field
from minleaf_server.filters.printer import field_to_text
from minleaf_server.filters.reader import Reader
from minleaf_server.filters.schema import PREFIXES
from minleaf_server.filters.tree import Field


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Sort by this field. `text` is what was written, for messages of the checker."""

    field: Field
    descending: bool = False
    text: str = ""


def parse_order(text: str) -> OrderBy:
    """The entry `text`, such as `metrics.acc desc` or `max(loss)`. Raises FilterError."""
    reader = Reader(text)
    if reader.peek().kind is TokenKind.END:
        raise reader.expected("a name to sort by")
    quoted = reader.peek().kind is TokenKind.QUOTED
    field = _split_prefix(read_field(reader)) if quoted else read_field(reader)
    descending = False
    token = reader.peek()
    if token.kind is TokenKind.WORD and token.value.lower() in ("asc", "desc"):
        descending = reader.next().value.lower() == "desc"
    if reader.peek().kind is not TokenKind.END:
        raise reader.expected("'asc', 'desc' or the end", "A name with blanks goes in backticks: metrics.`my name`.")
    return OrderBy(field, descending, text)


def parse_orders(texts: Sequence[str]) -> tuple[OrderBy, ...]:
    """Every entry. Raises InvalidParameter where there are too many."""
    if len(texts) > limits.MAX_ORDER_BY:
        raise InvalidParameter(f"order_by has {len(texts)} entries; at most {limits.MAX_ORDER_BY} are allowed.")
    return tuple(parse_order(text) for text in texts)


def order_to_text(order: OrderBy) -> str:
    """The entry as text, with its direction, so that parsing it gives the same order."""
    return f"{field_to_text(order.field)} {'desc' if order.descending else 'asc'}"


def _split_prefix(field: Field) -> Field:
    # MLflow reads "metrics.acc" in quotes as metrics.acc here, though not in a filter.
    prefix, _, key = field.name.partition(".")
    if field.kind is None and key and prefix in PREFIXES:
        return Field(PREFIXES[prefix], key, None, field.start, field.end)
    return field
