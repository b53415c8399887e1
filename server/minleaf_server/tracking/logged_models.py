"""Use cases of logged models: their life, params and tags. Their metrics come with those of runs (`tracking.runs`)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from minleaf_server.db.read import logged_models as read
from minleaf_server.db.store import Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import logged_models as write
from minleaf_server.db.write import runs as write_runs
from minleaf_server.entities.logged_model import LoggedModel, ModelStatus
from minleaf_server.entities.logged_model_rules import (
    validate_model_name,
    validate_model_params,
    validate_model_tags,
    validate_origin,
)
from minleaf_server.entities.names import random_run_name
from minleaf_server.entities.validation import validate_tag
from minleaf_server.errors import InvalidParameter

HISTORY_TAG = "mlflow.log-model.history"


async def create(
    store: Store,
    experiment_id: int,
    *,
    name: str | None = None,
    model_type: str = "",
    source_run_id: str = "",
    params: Sequence[tuple[str, str]] = (),
    tags: Sequence[tuple[str, str]] = (),
) -> LoggedModel:
    """A new model, PENDING until it is finalized. Without a name it gets one of our making.

    Raises NotFound for the experiment, InvalidParameter for a bad value or a deleted experiment. The source run need
    not exist, as in MLflow.
    """
    if name is None:
        name = random_run_name()
    validate_model_name(name)
    validate_origin(model_type, source_run_id)
    validate_model_params(params)
    validate_model_tags(tags)
    # The id is made here and not by the job, which may run twice.
    uuid = f"m-{uuid4().hex}"
    new = write.NewModel(uuid, experiment_id, name, model_type, source_run_id, dict(params), dict(tags))
    return await store.write(lambda tx: write.create(tx, new))


async def get(store: Store, model_id: str, *, deleted: bool = False) -> LoggedModel:
    """The model with its data; a deleted one only where `deleted`. Raises NotFound."""
    return await store.read(lambda conn: read.load(conn, [read.row_of(conn, model_id, deleted=deleted).id])[0])


async def artifact_uri(store: Store, model_id: str) -> str:
    """Where the artifacts of a model are, unless it is deleted. Raises NotFound."""
    return await store.read(lambda conn: read.row_of(conn, model_id, deleted=False).artifact_uri)


async def finalize(store: Store, model_id: str, status: ModelStatus) -> LoggedModel:
    """Set the status. It can be set again, and of a deleted model too, as in MLflow. Raises NotFound."""
    return await store.write(lambda tx: write.finalize(tx, model_id, status))


async def delete(store: Store, model_id: str) -> None:
    """Mark the model as deleted: nothing of it is removed, but it is found no more. Raises NotFound."""
    await store.write(lambda tx: write.mark_deleted(tx, model_id))


async def log_params(store: Store, model_id: str, params: Sequence[tuple[str, str]]) -> None:
    """Add params; one that has the same value already is fine.

    Raises NotFound, InvalidParameter where a value is bad or would change.
    """
    validate_model_params(params)
    await store.write(lambda tx: write.log_params(tx, model_id, dict(params)))


async def set_tags(store: Store, model_id: str, tags: Sequence[tuple[str, str]]) -> None:
    """Set tags over what was there. Raises NotFound, InvalidParameter."""
    validate_model_tags(tags)
    await store.write(lambda tx: write.set_tags(tx, model_id, dict(tags)))


async def delete_tag(store: Store, model_id: str, key: str) -> None:
    """Raises NotFound for the model or the tag."""
    await store.write(lambda tx: write.delete_tag(tx, model_id, key))


async def record(store: Store, run_id: str, entry: Mapping[str, Any]) -> None:
    """Append `entry` to the run's tag `mlflow.log-model.history`, MLflow's record of models before version 3.

    Raises NotFound, InvalidParameter for a deleted run and where the tag has become too long or is no JSON list.
    """

    def job(tx: Transaction) -> None:
        row = write_runs.active_run(tx, run_id)
        text = json.dumps([*_history(write.tag_of_run(tx, row, HISTORY_TAG)), entry])
        validate_tag(HISTORY_TAG, text)
        write_runs.set_tags(tx, row, {HISTORY_TAG: text})

    await store.write(job, (run_id,))


def _history(text: str | None) -> list[Any]:
    try:
        found = json.loads(text) if text else []
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise InvalidParameter(f"The tag '{HISTORY_TAG}' of the run is no JSON list, so nothing can be added to it.")
    return found
