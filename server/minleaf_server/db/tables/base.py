"""The kinds of column that every table is made of, and the one list of tables."""

from sqlalchemy import BigInteger, Double, Integer, MetaData, Text
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

metadata = MetaData()
