"""Logged models.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import UserDefinedType

revision = "0003"
down_revision = "0002"


class NoAffinity(UserDefinedType[float]):
    """A double on SQLite, in a column that does not turn 4.0 or -0.0 into integers."""

    cache_ok = True

    def get_col_spec(self, **_kwargs: object) -> str:
        return "BLOB"


string = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
double: sa.types.TypeEngine[float] = sa.Double().with_variant(NoAffinity(), "sqlite")
row_id: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    create_models()
    create_values("logged_model_param", sa.Column("number", double))
    create_values("logged_model_tag")
    create_metrics()


def create_models() -> None:
    op.create_table(
        "logged_model",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("uuid", string, nullable=False, unique=True),
        sa.Column("experiment_id", sa.BigInteger, sa.ForeignKey("experiment.id"), nullable=False),
        sa.Column("name", string, nullable=False),
        sa.Column("model_type", string, nullable=False),
        sa.Column("source_run_id", string, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("lifecycle", sa.SmallInteger, nullable=False),
        sa.Column("creation_time", sa.BigInteger, nullable=False),
        sa.Column("last_update_time", sa.BigInteger, nullable=False),
        sa.Column("artifact_uri", string, nullable=False),
    )
    newest = sa.text("creation_time DESC")
    op.create_index("logged_model_by_creation", "logged_model", ["experiment_id", "lifecycle", newest, "uuid"])
    op.create_index("logged_model_by_name", "logged_model", ["experiment_id", "name"])
    op.create_index("logged_model_by_source_run", "logged_model", ["source_run_id"])


def create_values(table: str, *more: sa.Column[float]) -> None:
    op.create_table(
        table,
        sa.Column("model_id", sa.BigInteger, primary_key=True),
        sa.Column("key", string, primary_key=True),
        sa.Column("value", string, nullable=False),
        *more,
        sqlite_with_rowid=False,
    )
    # An entry of a Postgres index has to fit into a third of a page, so it holds the start of the value only.
    postgres = op.get_bind().dialect.name == "postgresql"
    name, value = ("prefix", sa.text("left(value, 128)")) if postgres else ("value", sa.text("value"))
    op.create_index(f"{table}_by_{name}", table, ["key", value, "model_id"])


def create_metrics() -> None:
    op.create_table(
        "logged_model_metric",
        sa.Column("model_id", sa.BigInteger, primary_key=True),
        sa.Column("key_id", sa.BigInteger, primary_key=True),
        sa.Column("timestamp", sa.BigInteger, primary_key=True),
        sa.Column("step", sa.BigInteger, primary_key=True),
        sa.Column("run_id", sa.BigInteger, primary_key=True),
        sa.Column("dataset_name", string, primary_key=True),
        sa.Column("dataset_digest", string, primary_key=True),
        sa.Column("bits", sa.BigInteger, primary_key=True),
        sa.Column("value", double),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "logged_model_metric_by_dataset",
        "logged_model_metric",
        ["model_id", "dataset_name", "dataset_digest", "key_id"],
        sqlite_where=sa.text("dataset_name <> ''"),
        postgresql_where=sa.text("dataset_name <> ''"),
    )
