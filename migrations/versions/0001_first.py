"""The first schema: experiments, runs, keys, metric summaries, params, tags, segments and chunks of points.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import UserDefinedType

revision = "0001"
down_revision = None


class NoAffinity(UserDefinedType[float]):
    """A double on SQLite, in a column that does not turn 4.0 or -0.0 into integers."""

    cache_ok = True

    def get_col_spec(self, **_kwargs: object) -> str:
        return "BLOB"


string = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
double: sa.types.TypeEngine[float] = sa.Double().with_variant(NoAffinity(), "sqlite")
row_id: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table and index."""
    postgres = op.get_bind().dialect.name == "postgresql"
    if postgres:
        op.execute("CREATE SEQUENCE change")
    create_experiments()
    create_runs()
    create_logged_values()
    create_points()
    create_value_indexes(postgres)
    if postgres:
        # Points are compressed already: Postgres need not try again, and can read a part without the whole.
        op.execute("ALTER TABLE segment ALTER COLUMN data SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE chunk ALTER COLUMN data SET STORAGE EXTERNAL")


def create_experiments() -> None:
    op.create_table(
        "experiment",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("name", string, nullable=False, unique=True),
        sa.Column("artifact_location", string, nullable=False),
        sa.Column("lifecycle", sa.SmallInteger, nullable=False),
        sa.Column("creation_time", sa.BigInteger, nullable=False),
        sa.Column("last_update_time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "experiment_tag",
        sa.Column("experiment_id", sa.BigInteger, sa.ForeignKey("experiment.id"), primary_key=True),
        sa.Column("key", string, primary_key=True),
        sa.Column("value", string, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "key",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("experiment_id", sa.BigInteger, sa.ForeignKey("experiment.id"), nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("name", string, nullable=False),
        sa.UniqueConstraint("experiment_id", "kind", "name", name="key_name"),
    )


def create_runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("uuid", string, nullable=False, unique=True),
        sa.Column("experiment_id", sa.BigInteger, sa.ForeignKey("experiment.id"), nullable=False),
        sa.Column("name", string, nullable=False),
        sa.Column("user_id", string, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("start_time", sa.BigInteger),
        sa.Column("end_time", sa.BigInteger),
        sa.Column("lifecycle", sa.SmallInteger, nullable=False),
        sa.Column("deleted_time", sa.BigInteger),
        sa.Column("artifact_uri", string, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_index("run_by_start", "run", ["experiment_id", "lifecycle", sa.text("start_time DESC"), "uuid"])
    op.create_index("run_by_seq", "run", ["seq"])


def create_logged_values() -> None:
    op.create_table(
        "metric_summary",
        *run_and_key(),
        sa.Column("last_value", double),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("last_timestamp", sa.BigInteger, nullable=False),
        sa.Column("min_value", double),
        sa.Column("min_step", sa.BigInteger),
        sa.Column("max_value", double),
        sa.Column("max_step", sa.BigInteger),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("nan_count", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "param",
        *run_and_key(),
        sa.Column("value", string, nullable=False),
        sa.Column("number", double),
        sqlite_with_rowid=False,
    )
    op.create_table("tag", *run_and_key(), sa.Column("value", string, nullable=False), sqlite_with_rowid=False)


def create_points() -> None:
    op.create_table(
        "segment",
        sa.Column("run_id", sa.BigInteger, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chunk",
        *run_and_key(),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("first_step", sa.BigInteger, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def create_value_indexes(postgres: bool) -> None:
    # An entry of a Postgres index has to fit into a third of a page, so it holds the start of the value only.
    name, value = ("prefix", sa.text("left(value, 128)")) if postgres else ("value", sa.text("value"))
    for table in ("param", "tag"):
        op.create_index(f"{table}_by_{name}", table, ["key_id", value, "run_id"])


def run_and_key() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("run_id", sa.BigInteger, primary_key=True),
        sa.Column("key_id", sa.BigInteger, primary_key=True),
    )
