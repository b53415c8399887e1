"""MLflow's logged models with their params, tags and metrics.

A model's metrics are rows and not segments, because they are searched by dataset. The run that logged them has the
same points in its segments.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table, func, text

from minleaf_server.db.tables.base import Float, RowId, String, metadata

# What is not given is '' and not NULL, as on MLflow's wire: a model without a type matches `model_type != 'x'`.
logged_model = Table(
    "logged_model",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("uuid", String, nullable=False, unique=True),
    Column("experiment_id", BigInteger, ForeignKey("experiment.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("model_type", String, nullable=False),
    # As the request gave it. As in MLflow the run need not exist.
    Column("source_run_id", String, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("lifecycle", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("artifact_uri", String, nullable=False),
)
Index(
    "logged_model_by_creation",
    logged_model.c.experiment_id,
    logged_model.c.lifecycle,
    logged_model.c.creation_time.desc(),
    logged_model.c.uuid,
)
Index("logged_model_by_name", logged_model.c.experiment_id, logged_model.c.name)
Index("logged_model_by_source_run", logged_model.c.source_run_id)

logged_model_param = Table(
    "logged_model_param",
    metadata,
    Column("model_id", BigInteger, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    # The value as a number where its text is one, else NULL; see entities.number.
    Column("number", Float),
    sqlite_with_rowid=False,
)

logged_model_tag = Table(
    "logged_model_tag",
    metadata,
    Column("model_id", BigInteger, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    sqlite_with_rowid=False,
)

for _table in (logged_model_param, logged_model_tag):
    _c = _table.c
    Index(f"{_table.name}_by_value", _c.key, _c.value, _c.model_id).ddl_if("sqlite")
    Index(f"{_table.name}_by_prefix", _c.key, func.left(_c.value, 128), _c.model_id).ddl_if("postgresql")

# A point that was logged for a model, which its run has too. `key_id` is of the model's experiment.
# The key is what makes two points the same; it also has the latest of a metric at its end.
logged_model_metric = Table(
    "logged_model_metric",
    metadata,
    Column("model_id", BigInteger, primary_key=True),
    Column("key_id", BigInteger, primary_key=True),
    Column("timestamp", BigInteger, primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("run_id", BigInteger, primary_key=True),
    # '' where the point is about no dataset.
    Column("dataset_name", String, primary_key=True),
    Column("dataset_digest", String, primary_key=True),
    # The 64 bits of the value. `value` is for comparing, and is NULL for a NaN.
    Column("bits", BigInteger, primary_key=True),
    Column("value", Float),
    sqlite_with_rowid=False,
)
Index(
    "logged_model_metric_by_dataset",
    logged_model_metric.c.model_id,
    logged_model_metric.c.dataset_name,
    logged_model_metric.c.dataset_digest,
    logged_model_metric.c.key_id,
    sqlite_where=text("dataset_name <> ''"),
    postgresql_where=text("dataset_name <> ''"),
)
