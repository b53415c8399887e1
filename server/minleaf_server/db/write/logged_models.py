"""Writes of logged models: their life, params, tags and metrics."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from minleaf_server.db.read.logged_models import load, row_of, rows_of
from minleaf_server.db.tables import KeyKind
from minleaf_server.db.tables.logged_models import logged_model, logged_model_param, logged_model_tag
from minleaf_server.db.transaction import RunRow, Transaction
from minleaf_server.db.write.experiments import active, now_ms
from minleaf_server.entities import Lifecycle
from minleaf_server.entities.logged_model import LoggedModel, ModelPoint, ModelStatus
from minleaf_server.entities.number import number_of
from minleaf_server.errors import InvalidParameter, NotFound
from minleaf_server.uri import appended

_DOUBLE = struct.Struct("<d")
_BITS = struct.Struct("<q")
_PUT_METRIC = (
    "INSERT INTO logged_model_metric "
    "(model_id, key_id, timestamp, step, run_id, dataset_name, dataset_digest, bits, value) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class NewModel:
    """What a logged model starts with."""

    uuid: str
    experiment_id: int
    name: str
    model_type: str
    source_run_id: str
    params: Mapping[str, str]
    tags: Mapping[str, str]


def create(tx: Transaction, new: NewModel) -> LoggedModel:
    """Raises NotFound for the experiment, InvalidParameter where it is deleted."""
    experiment = active(tx.conn, new.experiment_id)
    now = now_ms()
    values = {
        "uuid": new.uuid,
        "experiment_id": new.experiment_id,
        "name": new.name,
        "model_type": new.model_type,
        "source_run_id": new.source_run_id,
        "status": ModelStatus.PENDING,
        "lifecycle": Lifecycle.ACTIVE,
        "creation_time": now,
        "last_update_time": now,
        "artifact_uri": appended(experiment.artifact_location, "models", new.uuid, "artifacts"),
    }
    row_id: int = tx.conn.execute(insert(logged_model).values(values).returning(logged_model.c.id)).scalar_one()
    _add_params(tx, row_id, new.params)
    _put_tags(tx, row_id, new.tags)
    return load(tx.conn, [row_id])[0]


def finalize(tx: Transaction, uuid: str, status: ModelStatus) -> LoggedModel:
    """Set the status, of a deleted model too, as MLflow does. Raises NotFound."""
    row = row_of(tx.conn, uuid)
    _update(tx, row.id, status=status)
    return load(tx.conn, [row.id])[0]


def mark_deleted(tx: Transaction, uuid: str) -> None:
    """Doing it again only moves the time of the last update, as in MLflow. Raises NotFound."""
    _update(tx, row_of(tx.conn, uuid).id, lifecycle=Lifecycle.DELETED)


def log_params(tx: Transaction, uuid: str, params: Mapping[str, str]) -> None:
    """Raises NotFound, InvalidParameter for a param that has another value already."""
    row = row_of(tx.conn, uuid)
    stored = logged_model_param.c
    query = select(stored.key, stored.value).where(stored.model_id == row.id, stored.key.in_(list(params)))
    old = {key: value for key, value in tx.conn.execute(query)}  # noqa: C416, rows
    for key, value in params.items():
        if old.get(key, value) != value:
            raise InvalidParameter(
                f"Changing param values is not allowed. Param with key='{key}' was already logged with "
                f"value='{old[key]}' for model ID='{uuid}'. Attempted logging new value '{value}'."
            )
    _add_params(tx, row.id, {key: value for key, value in params.items() if key not in old})


def set_tags(tx: Transaction, uuid: str, tags: Mapping[str, str]) -> None:
    """Set the tags over what was there. Raises NotFound."""
    _put_tags(tx, row_of(tx.conn, uuid).id, tags)


def delete_tag(tx: Transaction, uuid: str, key: str) -> None:
    """Raises NotFound for the model or the tag."""
    row = row_of(tx.conn, uuid)
    tag = logged_model_tag.c
    if tx.conn.execute(delete(logged_model_tag).where(tag.model_id == row.id, tag.key == key)).rowcount == 0:
        raise NotFound(f"No tag with key {key!r} found for model with ID {uuid!r}.")


def tag_of_run(tx: Transaction, run: RunRow, key: str) -> str | None:
    """The value of a run's tag, where it has the tag."""
    key_id = tx.key_id(run.experiment_id, KeyKind.TAG, key)
    found = tx.execute("SELECT value FROM tag WHERE run_id = ? AND key_id = ?", (run.id, key_id)).first()
    return None if found is None else str(found[0])


def log_points(tx: Transaction, run: RunRow, points: Sequence[ModelPoint]) -> None:
    """Give the models the points that they do not have: same metric, run, dataset, time, step and bits of the value.

    A model may be of another experiment and may be deleted, as in MLflow. Raises NotFound.
    """
    models = rows_of(tx.conn, sorted({one.model_id for one in points}))
    names: dict[int, set[str]] = {}
    for one in points:
        names.setdefault(models[one.model_id].experiment_id, set()).add(one.point.key)
    keys = {experiment: tx.keys(experiment, KeyKind.METRIC, found) for experiment, found in sorted(names.items())}
    rows = set()
    for (key, value, timestamp, step), uuid, name, digest in points:
        model = models[uuid]
        key_id = keys[model.experiment_id][key]
        rows.add((model.id, key_id, timestamp, step, run.id, name, digest, _bits(value)))
    # In order, so that two writers never wait for each other's rows in a ring.
    tx.execute_many(_PUT_METRIC, [(*row, _value(row[-1])) for row in sorted(rows)])


def _bits(value: float) -> int:
    # Every NaN counts as the same.
    (bits,) = _BITS.unpack(_DOUBLE.pack(float("nan") if value != value else value))
    return int(bits)


def _value(bits: int) -> float | None:
    (value,) = _DOUBLE.unpack(_BITS.pack(bits))
    return None if value != value else float(value)


def _update(tx: Transaction, row_id: int, **values: int) -> None:
    changed = update(logged_model).where(logged_model.c.id == row_id)
    tx.conn.execute(changed.values(last_update_time=now_ms(), **values))


def _add_params(tx: Transaction, row_id: int, params: Mapping[str, str]) -> None:
    rows = sorted((row_id, key, value, number_of(value)) for key, value in params.items())
    tx.execute_many("INSERT INTO logged_model_param (model_id, key, value, number) VALUES (?, ?, ?, ?)", rows)


def _put_tags(tx: Transaction, row_id: int, tags: Mapping[str, str]) -> None:
    tx.execute_many(
        "INSERT INTO logged_model_tag (model_id, key, value) VALUES (?, ?, ?) "
        "ON CONFLICT (model_id, key) DO UPDATE SET value = excluded.value",
        sorted((row_id, key, value) for key, value in tags.items()),
    )
