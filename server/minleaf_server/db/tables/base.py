"""The kinds of column that every table is made of, and the one list of tables."""

from typing import Any

from sqlalchemy import BigInteger, Double, Integer, MetaData, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import DDLCompiler
from sqlalchemy.types import TypeEngine, UserDefinedType


class _SQLiteDouble(UserDefinedType[float]):
    """A column without affinity: SQLite keeps 4.0 and -0.0 of a REAL column as integers, without the sign of zero."""

    cache_ok = True

    def get_col_spec(self, **_kwargs: object) -> str:
        return "BLOB"


# SQLite compares text by its bytes; Postgres does under collation "C". Both then sort and page alike.
String = Text().with_variant(Text(collation="C"), "postgresql")
Float: TypeEngine[float] = Double().with_variant(_SQLiteDouble(), "sqlite")
# SQLite gives a row its id by itself only where the primary key is spelled INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")

CURRENT_XID = "pg_current_xact_id()::text::bigint"
"""The number of the transaction in Postgres."""

POSTGRES_ONLY = {"postgres_only": True}
"""The `info` of a column that SQLite has no use for, and therefore does not have."""

metadata = MetaData()


@compiles(CreateColumn, "sqlite")
def _create_column(element: CreateColumn, compiler: DDLCompiler, **kw: Any) -> str | None:
    if element.element.info == POSTGRES_ONLY:
        return None
    created: str = compiler.visit_create_column(element, **kw)  # type: ignore[no-untyped-call]
    return created
