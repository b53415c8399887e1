"""Writes of datasets and of the inputs and outputs of runs. What is there already stays as it is."""

from collections.abc import Sequence

import msgspec

from minleaf_server.db.tables.inputs import ModelRole
from minleaf_server.db.transaction import RunRow, Transaction
from minleaf_server.entities import Dataset, DatasetInput, ModelOutput
from minleaf_server.errors import InvalidParameter

Identity = tuple[str, str]  # name, digest

_FOUND_AT_ONCE = 500
_NEW_DATASET = (
    "INSERT INTO dataset (experiment_id, name, digest, source_type, source, schema, profile) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_NEW_INPUT = "INSERT INTO dataset_input (run_id, dataset_id, position, context, tags) VALUES (?, ?, ?, ?, ?)"
_NEW_MODEL = "INSERT INTO run_model (run_id, role, model_id, position, step) VALUES (?, ?, ?, ?, ?)"


def log_datasets(tx: Transaction, row: RunRow, inputs: Sequence[DatasetInput]) -> None:
    """Note that the run read the datasets.

    As in MLflow the first word stands: a dataset that the experiment has keeps its source, schema and profile, and an
    input that the run has keeps its tags.
    """
    if not inputs:
        return
    first: dict[Identity, DatasetInput] = {}
    for each in inputs:
        first.setdefault(_identity(each.dataset), each)
    ids = _dataset_ids(tx, row.experiment_id, [each.dataset for each in first.values()])
    old = {found[0] for found in tx.execute("SELECT dataset_id FROM dataset_input WHERE run_id = ?", (row.id,))}
    new = [(ids[identity], each) for identity, each in first.items() if ids[identity] not in old]
    rows = [
        (row.id, dataset_id, len(old) + index, each.context, _json(each.tags))
        for index, (dataset_id, each) in enumerate(new)
    ]
    if rows:
        tx.execute_many(_NEW_INPUT, rows)
        tx.touch(row.id)


def log_used_models(tx: Transaction, row: RunRow, model_ids: Sequence[str]) -> None:
    """Note that the run read the models."""
    _log_models(tx, row, ModelRole.INPUT, [ModelOutput(model_id) for model_id in model_ids])


def log_made_models(tx: Transaction, row: RunRow, models: Sequence[ModelOutput]) -> None:
    """Note that the run made the models. Raises InvalidParameter for one that it made at another step."""
    _log_models(tx, row, ModelRole.OUTPUT, models)


def _log_models(tx: Transaction, row: RunRow, role: ModelRole, models: Sequence[ModelOutput]) -> None:
    if not models:
        return
    found = tx.execute("SELECT model_id, step FROM run_model WHERE run_id = ? AND role = ?", (row.id, int(role)))
    steps: dict[str, int] = {model_id: step for model_id, step in found}  # noqa: C416, rows
    rows = []
    for model in models:
        if model.model_id not in steps:
            rows.append((row.id, int(role), model.model_id, len(steps), model.step))
            steps[model.model_id] = model.step
        elif steps[model.model_id] != model.step:
            raise InvalidParameter(
                f"The model '{model.model_id}' was already logged as an output of run '{row.uuid}' at step "
                f"{steps[model.model_id]}. Attempted logging it at step {model.step}."
            )
    if rows:
        tx.execute_many(_NEW_MODEL, rows)
        tx.touch(row.id)


def _dataset_ids(tx: Transaction, experiment_id: int, datasets: Sequence[Dataset]) -> dict[Identity, int]:
    """The ids of these datasets in the experiment, made where they are new."""
    found = _find(tx, experiment_id, [_identity(each) for each in datasets])
    missing = sorted((each for each in datasets if _identity(each) not in found), key=_identity)
    if missing:
        tx.dialect.lock_keys(tx.conn)
        tx.execute_many(_NEW_DATASET, [_values(experiment_id, each) for each in missing])
        found |= _find(tx, experiment_id, [_identity(each) for each in missing])
    return found


def _find(tx: Transaction, experiment_id: int, identities: Sequence[Identity]) -> dict[Identity, int]:
    found: dict[Identity, int] = {}
    for start in range(0, len(identities), _FOUND_AT_ONCE):
        wanted = identities[start : start + _FOUND_AT_ONCE]
        marks = ", ".join(["(?, ?)"] * len(wanted))
        query = f"SELECT id, name, digest FROM dataset WHERE experiment_id = ? AND (name, digest) IN (VALUES {marks})"
        values = [text for identity in wanted for text in identity]
        found |= {(name, digest): row_id for row_id, name, digest in tx.execute(query, (experiment_id, *values))}
    return found


def _identity(dataset: Dataset) -> Identity:
    return dataset.name, dataset.digest


def _values(experiment_id: int, dataset: Dataset) -> tuple[int | str | None, ...]:
    return (
        experiment_id,
        dataset.name,
        dataset.digest,
        dataset.source_type,
        dataset.source,
        dataset.schema,
        dataset.profile,
    )


def _json(tags: dict[str, str]) -> str:
    return msgspec.json.encode(dict(sorted(tags.items()))).decode()
