"""The model registry.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

string = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
row_id: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    create_models()
    create_versions()
    create_aliases()
    create_indexes()
    create_text_indexes(op.get_bind().dialect.name == "postgresql")


def create_models() -> None:
    op.create_table(
        "registered_model",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("name", string, nullable=False, unique=True),
        sa.Column("is_prompt", sa.SmallInteger, nullable=False),
        sa.Column("last_version", sa.BigInteger, nullable=False),
        sa.Column("description", string),
        sa.Column("creation_time", sa.BigInteger, nullable=False),
        sa.Column("last_updated_time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "registered_model_tag",
        sa.Column("model_id", sa.BigInteger, sa.ForeignKey("registered_model.id"), primary_key=True),
        sa.Column("key", string, primary_key=True),
        sa.Column("value", string, nullable=False),
        sqlite_with_rowid=False,
    )


def create_versions() -> None:
    op.create_table(
        "model_version",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("model_id", sa.BigInteger, sa.ForeignKey("registered_model.id"), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("is_prompt", sa.SmallInteger, nullable=False),
        sa.Column("stage", sa.SmallInteger, nullable=False),
        sa.Column("description", string),
        sa.Column("source", string, nullable=False),
        sa.Column("storage_location", string, nullable=False),
        sa.Column("run_id", string, nullable=False),
        sa.Column("run_link", string, nullable=False),
        sa.Column("logged_model_id", string, nullable=False),
        sa.Column("creation_time", sa.BigInteger, nullable=False),
        sa.Column("last_updated_time", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("model_id", "version", name="model_version_number"),
    )
    op.create_table(
        "model_version_tag",
        sa.Column("version_id", sa.BigInteger, sa.ForeignKey("model_version.id"), primary_key=True),
        sa.Column("key", string, primary_key=True),
        sa.Column("value", string, nullable=False),
        sqlite_with_rowid=False,
    )


def create_aliases() -> None:
    op.create_table(
        "registered_model_alias",
        sa.Column("model_id", sa.BigInteger, sa.ForeignKey("registered_model.id"), primary_key=True),
        sa.Column("alias", string, primary_key=True),
        sa.Column("version_id", sa.BigInteger, sa.ForeignKey("model_version.id"), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("registered_model_alias_by_version", "registered_model_alias", ["version_id"])


def create_indexes() -> None:
    op.create_index("registered_model_by_kind", "registered_model", ["is_prompt", "name"])
    op.create_index("registered_model_by_update", "registered_model", ["is_prompt", "last_updated_time"])
    op.create_index("model_version_by_stage", "model_version", ["model_id", "stage", "version"])
    op.create_index("model_version_by_update", "model_version", ["is_prompt", "last_updated_time"])
    op.create_index("model_version_by_creation", "model_version", ["is_prompt", "creation_time"])
    op.create_index("model_version_by_number", "model_version", ["is_prompt", "version"])


def create_text_indexes(postgres: bool) -> None:
    # An entry of a Postgres index has to fit into a third of a page, so it holds the start of the text only.
    for column in ("run_id", "source"):
        name = f"model_version_by_{column}_prefix" if postgres else f"model_version_by_{column}"
        op.create_index(name, "model_version", [sa.text(f"left({column}, 128)") if postgres else column])
    name, value = ("prefix", sa.text("left(value, 128)")) if postgres else ("value", sa.text("value"))
    for table, owner in (("registered_model_tag", "model_id"), ("model_version_tag", "version_id")):
        op.create_index(f"{table}_by_{name}", table, ["key", value, owner])
