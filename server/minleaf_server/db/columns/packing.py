"""Aggregates that give a whole column as one value: a row of Python objects for each run takes ten times as long.

The other threads of the server go on meanwhile, because the driver lets them while it waits for a row.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

_texts = msgspec.json.Decoder(list[str])


class _Packed(FunctionElement[Any]):
    """An aggregate with one argument; each subclass has one spelling per database."""

    type = NullType()


class _Integers(_Packed):
    name = "minleaf_packed_integers"
    inherit_cache = True


class _Joined(_Packed):
    name = "minleaf_joined"
    inherit_cache = True


class _Texts(_Packed):
    name = "minleaf_packed_texts"
    inherit_cache = True


def packed_integers(column: ColumnElement[int]) -> ColumnElement[Any]:
    """All 64-bit integers that are not NULL, for `integers`."""
    return _Integers(column)


def joined(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """All that is packed already, for `integers`."""
    return _Joined(column)


def packed_texts(column: ColumnElement[str]) -> ColumnElement[Any]:
    """All texts, for `texts`."""
    return _Texts(column)


def integers(packed: str | bytes | None) -> NDArray[np.int64]:
    """The integers, in the order in which they were packed."""
    if not packed:
        return np.empty(0, np.int64)
    if isinstance(packed, str):
        return np.fromstring(packed, np.int64, sep=",")
    return np.frombuffer(packed, ">i8").astype(np.int64)


def texts(packed: str | None) -> list[str]:
    """The texts, in the order in which they were packed."""
    return _texts.decode(packed) if packed else []


def _argument(element: _Packed, compiler: SQLCompiler, kw: dict[str, Any]) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(_Integers, "sqlite")
@compiles(_Joined, "sqlite")
def _sqlite_integers(element: _Packed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"group_concat({_argument(element, compiler, kw)})"


@compiles(_Texts, "sqlite")
def _sqlite_texts(element: _Texts, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array({_argument(element, compiler, kw)})"


@compiles(_Integers, "postgresql")
def _postgres_integers(element: _Integers, compiler: SQLCompiler, **kw: Any) -> str:
    return f"string_agg(int8send({_argument(element, compiler, kw)}), '')"


@compiles(_Joined, "postgresql")
def _postgres_joined(element: _Joined, compiler: SQLCompiler, **kw: Any) -> str:
    return f"string_agg({_argument(element, compiler, kw)}, '')"


@compiles(_Texts, "postgresql")
def _postgres_texts(element: _Texts, compiler: SQLCompiler, **kw: Any) -> str:
    # As text, because the driver would make Python objects of JSON by itself, and slowly.
    return f"CAST(json_agg({_argument(element, compiler, kw)}) AS text)"
