"""Experiments, runs and what is logged to them.

Integer keys inside, MLflow's string ids (`run.uuid`) outside. Times are milliseconds since 1970. Every metric, param
and tag name of an experiment is one row of `key`, so a data row carries an integer instead of a name.
"""

from enum import IntEnum

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Table,
    UniqueConstraint,
    func,
    text,
)

from minleaf_server.db.tables.base import CURRENT_XID, POSTGRES_ONLY, Float, RowId, String, metadata


class KeyKind(IntEnum):
    """What a row of `key` names."""

    METRIC = 1
    PARAM = 2
    TAG = 3


# One number for every change of a run, on Postgres. On SQLite the only writer counts by itself.
change = Sequence("change", metadata=metadata)

experiment = Table(
    "experiment",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("artifact_location", String, nullable=False),
    Column("lifecycle", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
)

experiment_tag = Table(
    "experiment_tag",
    metadata,
    Column("experiment_id", BigInteger, ForeignKey("experiment.id"), primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
    sqlite_with_rowid=False,
)

run = Table(
    "run",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("uuid", String, nullable=False, unique=True),
    Column("experiment_id", BigInteger, ForeignKey("experiment.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("user_id", String, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("start_time", BigInteger),
    Column("end_time", BigInteger),
    Column("lifecycle", SmallInteger, nullable=False),
    Column("deleted_time", BigInteger),
    Column("artifact_uri", String, nullable=False),
    # Grows with every change of the run or of its data; see `change`.
    Column("seq", BigInteger, nullable=False),
    # The transaction that set `seq`: on Postgres one with a smaller `seq` may be committed later.
    Column("xid", BigInteger, nullable=False, server_default=text(CURRENT_XID), info=POSTGRES_ONLY),
)
Index("run_by_start", run.c.experiment_id, run.c.lifecycle, run.c.start_time.desc(), run.c.uuid)
Index("run_by_seq", run.c.seq).ddl_if("sqlite")
Index("run_by_xid", run.c.experiment_id, run.c.xid).ddl_if("postgresql")

key = Table(
    "key",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("experiment_id", BigInteger, ForeignKey("experiment.id"), nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("name", String, nullable=False),
    UniqueConstraint("experiment_id", "kind", "name", name="key_name"),
)

# A NaN is NULL here on both databases: SQLite cannot store one, Postgres sorts it above infinity.
# The row exists, so a NULL `last_value` says that the last value is NaN.
metric_summary = Table(
    "metric_summary",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("key_id", BigInteger, primary_key=True),
    Column("last_value", Float),
    Column("last_step", BigInteger, nullable=False),
    Column("last_timestamp", BigInteger, nullable=False),
    Column("min_value", Float),
    Column("min_step", BigInteger),
    Column("max_value", Float),
    Column("max_step", BigInteger),
    Column("count", BigInteger, nullable=False),
    Column("nan_count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 70},
)

param = Table(
    "param",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("key_id", BigInteger, primary_key=True),
    Column("value", String, nullable=False),
    # The value as a number where its text is one, else NULL; see entities.number.
    Column("number", Float),
    sqlite_with_rowid=False,
)
Index("param_by_value", param.c.key_id, param.c.value, param.c.run_id).ddl_if("sqlite")
Index("param_by_prefix", param.c.key_id, func.left(param.c.value, 128), param.c.run_id).ddl_if("postgresql")

tag = Table(
    "tag",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("key_id", BigInteger, primary_key=True),
    Column("value", String, nullable=False),
    sqlite_with_rowid=False,
)
Index("tag_by_value", tag.c.key_id, tag.c.value, tag.c.run_id).ddl_if("sqlite")
Index("tag_by_prefix", tag.c.key_id, func.left(tag.c.value, 128), tag.c.run_id).ddl_if("postgresql")

# Points as they came, one row a batch; see points.codec. `seq` is drawn from `change`.
segment = Table(
    "segment",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Points of one series, compacted: sorted by (step, timestamp, value), without duplicates.
chunk = Table(
    "chunk",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("key_id", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("first_step", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    # Before the data: on SQLite what stands behind it is read with it.
    Column("first_timestamp", BigInteger, nullable=False),
    Column("last_timestamp", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
