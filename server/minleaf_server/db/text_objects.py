"""Several texts as one value: a row for each run instead of a row for each of its params."""

from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _TextObject(FunctionElement[str]):
    """Arguments: key, text."""

    name = "minleaf_text_object"
    type = String()
    inherit_cache = True


def text_object(key: ColumnElement[int], text: ColumnElement[str]) -> ColumnElement[str]:
    """An aggregate: a JSON object of the texts of a group by their keys."""
    return _TextObject(key, text)


@compiles(_TextObject, "sqlite")
def _sqlite(element: _TextObject, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_object({compiler.process(element.clauses, **kw)})"


@compiles(_TextObject, "postgresql")
def _postgres(element: _TextObject, compiler: SQLCompiler, **kw: Any) -> str:
    # As text, because the driver would make Python objects of JSON by itself, and slowly.
    return f"CAST(json_object_agg({compiler.process(element.clauses, **kw)}) AS text)"
