"""Reads of datasets and of the inputs and outputs of runs: two queries at most, however many runs."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, literal_column, select, union_all

from minleaf_server.db.integers import one_of, one_of_given
from minleaf_server.db.tables.inputs import ModelRole, dataset, dataset_input, run_model
from minleaf_server.entities import Dataset, DatasetInput, DatasetSummary, ModelOutput, RunInputs, RunOutputs
from minleaf_server.entities.dataset import NO_INPUTS, NO_OUTPUTS

MAX_SUMMARIES = 1000
"""Dataset summaries of one answer, as in MLflow."""

_DATASET = 0  # Stands where a row of `run_model` has its role.
_NOTHING = (NO_INPUTS, NO_OUTPUTS)
_tags = msgspec.json.Decoder(dict[str, str])
# Made once: to make it takes SQLAlchemy longer than it takes a database to answer it for one run.
_OF_RUNS = union_all(
    select(
        dataset_input.c.run_id,
        literal_column(str(_DATASET)).label("role"),
        dataset_input.c.position,
        dataset_input.c.dataset_id,
        dataset_input.c.tags.label("text"),
        literal_column("0").label("step"),
    ).where(one_of_given(dataset_input.c.run_id, "ids")),
    select(
        run_model.c.run_id,
        run_model.c.role,
        run_model.c.position,
        literal_column("0"),
        run_model.c.model_id,
        run_model.c.step,
    ).where(one_of_given(run_model.c.run_id, "ids")),
)


def of_runs(conn: Connection, row_ids: Sequence[int]) -> dict[int, tuple[RunInputs, RunOutputs]]:
    """The inputs and outputs of these runs, by internal id. A run that has neither is in it too."""
    rows = _rows(conn, row_ids)
    datasets = _datasets(conn, {row.dataset_id for row in rows if row.role == _DATASET})
    by_run: dict[int, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: int(row.position)):
        by_run[row.run_id].append(row)
    return {row_id: _of_run(by_run[row_id], datasets) if row_id in by_run else _NOTHING for row_id in row_ids}


def summaries(conn: Connection, experiment_ids: Sequence[int]) -> list[DatasetSummary]:
    """The datasets that runs of these experiments read, once for each context. The first MAX_SUMMARIES by name.

    As in MLflow, those of deleted runs and of deleted experiments are among them.
    """
    columns = (dataset.c.experiment_id, dataset.c.name, dataset.c.digest, dataset_input.c.context)
    query = (
        select(*columns)
        .join(dataset_input, dataset_input.c.dataset_id == dataset.c.id)
        .where(one_of(dataset.c.experiment_id, experiment_ids))
        .distinct()
        .order_by(*columns[:3], dataset_input.c.context.nulls_last())
        .limit(MAX_SUMMARIES)
    )
    return [DatasetSummary(*row) for row in conn.execute(query)]


def _rows(conn: Connection, row_ids: Sequence[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Rows of (run id, role, position, dataset id, text, step): the text is the tags or the id of the model."""
    return conn.execute(_OF_RUNS, {"ids": row_ids}).all()


def _datasets(conn: Connection, ids: Collection[int]) -> dict[int, Dataset]:
    """The datasets by id. Each is one object, however many runs share it."""
    if not ids:
        return {}
    rows = conn.execute(select(dataset).where(one_of(dataset.c.id, sorted(ids))))
    return {row.id: Dataset(row.name, row.digest, row.source_type, row.source, row.schema, row.profile) for row in rows}


def _of_run(rows: Sequence[Row[*tuple[Any, ...]]], datasets: dict[int, Dataset]) -> tuple[RunInputs, RunOutputs]:
    read = tuple(DatasetInput(datasets[row.dataset_id], _tags.decode(row.text)) for row in rows if row.role == _DATASET)
    used = tuple(row.text for row in rows if row.role == ModelRole.INPUT)
    made = tuple(ModelOutput(row.text, row.step) for row in rows if row.role == ModelRole.OUTPUT)
    return RunInputs(read, used), RunOutputs(made)
