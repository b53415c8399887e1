"""Datasets, and what a run read and made: its inputs and outputs."""

from enum import IntEnum

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table, UniqueConstraint

from minleaf_server.db.tables.base import RowId, String, metadata


class ModelRole(IntEnum):
    """What a logged model was to a run."""

    INPUT = 1
    OUTPUT = 2


# One row for all runs of an experiment that read the same data.
dataset = Table(
    "dataset",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("experiment_id", BigInteger, ForeignKey("experiment.id"), nullable=False),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("source_type", String, nullable=False),
    Column("source", String, nullable=False),
    Column("schema", String),
    Column("profile", String),
    UniqueConstraint("experiment_id", "name", "digest", name="dataset_identity"),
)

dataset_input = Table(
    "dataset_input",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("dataset_id", BigInteger, primary_key=True),
    # Counts the datasets of the run in the order in which they were logged.
    Column("position", BigInteger, nullable=False),
    # The tag `mlflow.data.context`, which filters ask for, or NULL; `tags` has it too.
    Column("context", String),
    # All tags as a JSON object: they are only ever read as a whole.
    Column("tags", String, nullable=False),
    sqlite_with_rowid=False,
)
Index("dataset_input_by_dataset", dataset_input.c.dataset_id, dataset_input.c.context, dataset_input.c.run_id)

# `model_id` is a logged model's, as the request gave it. As in MLflow it need not exist, here or any more.
run_model = Table(
    "run_model",
    metadata,
    Column("run_id", BigInteger, primary_key=True),
    Column("role", SmallInteger, primary_key=True),
    Column("model_id", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
    # At which step of the run the model was made; 0 for an input.
    Column("step", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
