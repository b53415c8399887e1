"""Comparisons of text that the two databases spell differently, as SQL expressions that give the same answers."""

from typing import Any

from sqlalchemy import ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from minleaf_server.db.conditions import Condition
from minleaf_server.filters.pattern import compile_pattern, ilike_pattern

PREFIX = 128
"""Characters of a value that the Postgres indexes on param and tag hold."""


class _Text(Condition):
    """A condition whose first argument is a column of text; each subclass has one spelling per database."""


class _Equal(_Text):
    """Arguments: column, text, its first PREFIX characters."""

    name = "minleaf_equal"
    inherit_cache = True


class _Like(_Text):
    """Arguments: column, pattern with % and _, the same pattern for GLOB."""

    name = "minleaf_like"
    inherit_cache = True


class _ILike(_Text):
    """Arguments: column, pattern in ASCII with backslash escapes."""

    name = "minleaf_ilike"
    inherit_cache = True


class _Matches(_Text):
    """Arguments: column, expression for RE2, the same for Postgres."""

    name = "minleaf_matches"
    inherit_cache = True


def equal(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """The column is this text. On Postgres in the form that the index on the beginning of the value can answer."""
    return _Equal(column, literal(text), literal(text[:PREFIX]))


def like(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """LIKE with the case, % and _ as wildcards. A backslash is itself, as in MLflow on SQLite."""
    return _Like(column, literal(pattern), literal(_glob(pattern)))


def ilike(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """LIKE whatever the case (see filters.fold)."""
    if pattern.isascii():
        return _ILike(column, literal(pattern.replace("\\", "\\\\")))
    expression = ilike_pattern(pattern)
    return _Matches(column, literal(expression.re2), literal(expression.postgres))


def contains(column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """The column has this text in it, whatever the case."""
    if word.isascii():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return _ILike(column, literal(f"%{escaped}%"))
    expression = ilike_pattern(word, anywhere=True)
    return _Matches(column, literal(expression.re2), literal(expression.postgres))


def matches(column: ColumnElement[str], expression: str) -> ColumnElement[bool]:
    """The regular expression is found in the column."""
    pattern = compile_pattern(expression)
    return _Matches(column, literal(pattern.re2), literal(pattern.postgres))


def _glob(pattern: str) -> str:
    """A LIKE pattern as a GLOB pattern, because SQLite's LIKE cannot see the case and its GLOB does."""
    wildcards = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(wildcards.get(character, character) for character in pattern)


def _arguments(element: _Text, compiler: SQLCompiler, kw: dict[str, Any]) -> list[Any]:
    return [(lambda clause=clause: compiler.process(clause, **kw)) for clause in element.clauses]


@compiles(_Equal, "sqlite")
def _equal_sqlite(element: _Equal, compiler: SQLCompiler, **kw: Any) -> str:
    column, text, _ = _arguments(element, compiler, kw)
    return f"({column()} = {text()})"


@compiles(_Equal, "postgresql")
def _equal_postgres(element: _Equal, compiler: SQLCompiler, **kw: Any) -> str:
    column, text, prefix = _arguments(element, compiler, kw)
    return f"(left({column()}, {PREFIX}) = {prefix()} AND {column()} = {text()})"


@compiles(_Like, "sqlite")
def _like_sqlite(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    column, _, glob = _arguments(element, compiler, kw)
    return f"({column()} GLOB {glob()})"


@compiles(_Like, "postgresql")
def _like_postgres(element: _Like, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern, _ = _arguments(element, compiler, kw)
    return f"({column()} LIKE {pattern()} ESCAPE '')"


@compiles(_ILike, "sqlite")
def _ilike_sqlite(element: _ILike, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = _arguments(element, compiler, kw)
    return f"({column()} LIKE {pattern()} ESCAPE '\\')"


@compiles(_ILike, "postgresql")
def _ilike_postgres(element: _ILike, compiler: SQLCompiler, **kw: Any) -> str:
    column, pattern = _arguments(element, compiler, kw)
    # A constant has no collation of its own; "C" lowers ASCII only.
    return f"({column()} COLLATE \"C\" ILIKE {pattern()} ESCAPE '\\')"


@compiles(_Matches, "sqlite")
def _matches_sqlite(element: _Matches, compiler: SQLCompiler, **kw: Any) -> str:
    column, expression, _ = _arguments(element, compiler, kw)
    return f"minleaf_regexp({expression()}, {column()})"


@compiles(_Matches, "postgresql")
def _matches_postgres(element: _Matches, compiler: SQLCompiler, **kw: Any) -> str:
    column, _, expression = _arguments(element, compiler, kw)
    return f'({column()} COLLATE "C" ~ {expression()})'
