"""A tree back to text, so that parsing the text gives the tree again."""

import re

from minleaf_server.filters.lexer import KEYWORDS, WORD
from minleaf_server.filters.schema import PREFIXES
from minleaf_server.filters.tree import And, Between, Compare, Expr, Field, In, IsNull, Literal, Not, Or, Words

_PLAIN = re.compile(r"[\w\-]+")


def to_text(expr: Expr) -> str:
    """The filter as text, with as few parentheses as it needs."""
    if isinstance(expr, Or):
        return " or ".join(_inside(item, Or) for item in expr.items)
    if isinstance(expr, And):
        return " and ".join(_inside(item, And | Or) for item in expr.items)
    if isinstance(expr, Not):
        return f"not {_inside(expr.item, And | Or)}"
    if isinstance(expr, Words):
        return " ".join(_word(word) for word in expr.words)
    return _clause(expr)


def field_to_text(field: Field) -> str:
    """The name as the language writes it, such as max(metrics.`val acc`)."""
    if field.kind is None:
        name = field.name if _is_bare(field.name) else _backticks(field.name)
    else:
        key = field.name if WORD.fullmatch(field.name) else _backticks(field.name)
        name = f"{field.kind.value}.{key}"
    return name if field.aggregate is None else f"{field.aggregate.value}({name})"


def _inside(expr: Expr, in_parentheses: object) -> str:
    text = to_text(expr)
    return f"({text})" if isinstance(expr, in_parentheses) else text  # type: ignore[arg-type]


def _clause(clause: Compare | In | Between | IsNull) -> str:
    name = field_to_text(clause.field)
    if isinstance(clause, Compare):
        return f"{name} {clause.operator.value} {_literal(clause.value)}"
    negation = "not " if clause.negated else ""
    if isinstance(clause, IsNull):
        return f"{name} is {negation}null"
    if isinstance(clause, Between):
        return f"{name} {negation}between {_literal(clause.low)} and {_literal(clause.high)}"
    return f"{name} {negation}in ({', '.join(_literal(value) for value in clause.values)})"


def _literal(literal: Literal) -> str:
    return _quoted(literal.text) if literal.quoted else literal.text


def _word(word: str) -> str:
    return word if _PLAIN.fullmatch(word) and word.lower() not in KEYWORDS else _quoted(word)


def _quoted(text: str) -> str:
    for quote in "'\"":
        # A backslash before the closing quote would join it to the text.
        if quote not in text and not text.endswith("\\"):
            return f"{quote}{text}{quote}"
    return _backticks(text)


def _backticks(text: str) -> str:
    return f"`{text.replace('`', '``')}`"


def _is_bare(name: str) -> bool:
    prefix, dot, _ = name.partition(".")
    return WORD.fullmatch(name) is not None and name.lower() not in KEYWORDS and not (dot and prefix in PREFIXES)
