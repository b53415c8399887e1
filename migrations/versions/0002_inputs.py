"""Datasets, inputs and outputs of runs.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

string = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
row_id: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "dataset",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("experiment_id", sa.BigInteger, sa.ForeignKey("experiment.id"), nullable=False),
        sa.Column("name", string, nullable=False),
        sa.Column("digest", string, nullable=False),
        sa.Column("source_type", string, nullable=False),
        sa.Column("source", string, nullable=False),
        sa.Column("schema", string),
        sa.Column("profile", string),
        sa.UniqueConstraint("experiment_id", "name", "digest", name="dataset_identity"),
    )
    op.create_table(
        "dataset_input",
        sa.Column("run_id", sa.BigInteger, primary_key=True),
        sa.Column("dataset_id", sa.BigInteger, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("context", string),
        sa.Column("tags", string, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("dataset_input_by_dataset", "dataset_input", ["dataset_id", "context", "run_id"])
    op.create_table(
        "run_model",
        sa.Column("run_id", sa.BigInteger, primary_key=True),
        sa.Column("role", sa.SmallInteger, primary_key=True),
        sa.Column("model_id", string, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("step", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
