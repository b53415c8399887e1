"""The model registry: registered models (prompts among them), their versions, tags and aliases."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table, UniqueConstraint, func

from minleaf_server.db.tables.base import RowId, String, metadata

registered_model = Table(
    "registered_model",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    # What the tag `mlflow.prompt.is_prompt` says, as 0 or 1; so too for a version.
    Column("is_prompt", SmallInteger, nullable=False),
    # The number of the newest version there ever was: a deleted one is not used again.
    Column("last_version", BigInteger, nullable=False),
    Column("description", String),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_updated_time", BigInteger, nullable=False),
)
Index("registered_model_by_kind", registered_model.c.is_prompt, registered_model.c.name)
Index("registered_model_by_update", registered_model.c.is_prompt, registered_model.c.last_updated_time)

registered_model_tag = Table(
    "registered_model_tag",
    metadata,
    Column("model_id", BigInteger, ForeignKey("registered_model.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    sqlite_with_rowid=False,
)

model_version = Table(
    "model_version",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("model_id", BigInteger, ForeignKey("registered_model.id"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("is_prompt", SmallInteger, nullable=False),
    Column("stage", SmallInteger, nullable=False),
    Column("description", String),
    Column("source", String, nullable=False),
    Column("storage_location", String, nullable=False),
    # MLflow's ids as the request gave them: neither the run nor the logged model need be of this server.
    Column("run_id", String, nullable=False),
    Column("run_link", String, nullable=False),
    Column("logged_model_id", String, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_updated_time", BigInteger, nullable=False),
    UniqueConstraint("model_id", "version", name="model_version_number"),
)
Index("model_version_by_stage", model_version.c.model_id, model_version.c.stage, model_version.c.version)
Index("model_version_by_update", model_version.c.is_prompt, model_version.c.last_updated_time)
Index("model_version_by_creation", model_version.c.is_prompt, model_version.c.creation_time)
Index("model_version_by_number", model_version.c.is_prompt, model_version.c.version)

model_version_tag = Table(
    "model_version_tag",
    metadata,
    Column("version_id", BigInteger, ForeignKey("model_version.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    sqlite_with_rowid=False,
)

registered_model_alias = Table(
    "registered_model_alias",
    metadata,
    Column("model_id", BigInteger, ForeignKey("registered_model.id"), primary_key=True),
    Column("alias", String, primary_key=True),
    Column("version_id", BigInteger, ForeignKey("model_version.id"), nullable=False),
    sqlite_with_rowid=False,
)
Index("registered_model_alias_by_version", registered_model_alias.c.version_id)


def _index_texts() -> None:
    """An entry of a Postgres index has to fit into a third of a page, so it holds the start of a text only."""
    version, tags = (
        model_version.c,
        {"registered_model_tag": registered_model_tag, "model_version_tag": model_version_tag},
    )
    for column in (version.run_id, version.source):
        Index(f"model_version_by_{column.name}", column).ddl_if("sqlite")
        Index(f"model_version_by_{column.name}_prefix", func.left(column, 128)).ddl_if("postgresql")
    for name, table in tags.items():
        owner = next(iter(table.c))
        Index(f"{name}_by_value", table.c.key, table.c.value, owner).ddl_if("sqlite")
        Index(f"{name}_by_prefix", table.c.key, func.left(table.c.value, 128), owner).ddl_if("postgresql")


_index_texts()
