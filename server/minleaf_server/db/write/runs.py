"""Writes of runs: their life, params and tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, update

from minleaf_server.db.read.runs import load_info
from minleaf_server.db.tables import KeyKind, run
from minleaf_server.db.transaction import RunRow, Transaction
from minleaf_server.db.write.experiments import active, now_ms
from minleaf_server.entities import Lifecycle, RunInfo, RunStatus
from minleaf_server.entities.number import number_of
from minleaf_server.errors import InvalidParameter, NotFound
from minleaf_server.uri import appended

RUN_NAME_TAG = "mlflow.runName"


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run starts with. `tags` holds its name under `mlflow.runName` too."""

    uuid: str
    experiment_id: int
    name: str
    user: str
    start_time: int | None
    tags: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ChangedParam:
    """A param that was logged before with another value."""

    key: str
    old_value: str
    new_value: str


def create(tx: Transaction, new: NewRun) -> RunInfo:
    """Raises NotFound for the experiment, InvalidParameter where it is deleted."""
    experiment = active(tx.conn, new.experiment_id)
    uri = appended(experiment.artifact_location, new.uuid, "artifacts")
    info = RunInfo(
        new.uuid,
        new.experiment_id,
        new.name,
        new.user,
        RunStatus.RUNNING,
        new.start_time,
        None,
        Lifecycle.ACTIVE,
        uri,
    )
    row_id = tx.conn.execute(
        insert(run)
        .returning(run.c.id)
        .values(
            uuid=info.id,
            experiment_id=info.experiment_id,
            name=info.name,
            user_id=info.user,
            status=info.status,
            start_time=info.start_time,
            lifecycle=info.lifecycle,
            artifact_uri=info.artifact_uri,
            seq=tx.next_change(),
        )
    ).scalar_one()
    row = RunRow(row_id, info.id, info.experiment_id, info.name, info.lifecycle)
    _put_tags(tx, row, dict(new.tags))
    return info


def active_run(tx: Transaction, uuid: str) -> RunRow:
    """The locked run. Raises NotFound, InvalidParameter where it is deleted."""
    row = tx.run(uuid)
    if row.lifecycle is not Lifecycle.ACTIVE:
        raise InvalidParameter(f"The run {uuid} must be in the 'active' state. Current state is {row.lifecycle.stage}.")
    return row


def change(tx: Transaction, uuid: str, status: RunStatus | None, end_time: int | None, name: str | None) -> RunInfo:
    """Set what is given and return the run. A new name is the tag `mlflow.runName` too."""
    row = active_run(tx, uuid)
    values: dict[str, Any] = {"status": status, "end_time": end_time}
    values = {column: value for column, value in values.items() if value is not None}
    if values:
        tx.conn.execute(update(run).where(run.c.id == row.id).values(values))
    if name:
        set_tags(tx, row, {RUN_NAME_TAG: name})
    tx.touch(row.id)
    return load_info(tx.conn, row.id)


def set_lifecycle(tx: Transaction, uuid: str, lifecycle: Lifecycle) -> None:
    """Delete or restore the run; doing it again changes nothing. Raises NotFound."""
    row = tx.run(uuid)
    if row.lifecycle is lifecycle:
        return
    deleted_time = now_ms() if lifecycle is Lifecycle.DELETED else None
    changed = update(run).where(run.c.id == row.id)
    tx.conn.execute(changed.values(lifecycle=lifecycle, deleted_time=deleted_time))
    row.lifecycle = lifecycle
    tx.touch(row.id)


def log_params(tx: Transaction, row: RunRow, params: Sequence[tuple[str, str]]) -> list[ChangedParam]:
    """Store the params that are new. Returns those already logged with another value, and then stores none."""
    if not params:
        return []
    ids = tx.keys(row.experiment_id, KeyKind.PARAM, [key for key, _ in params])
    old = _values(tx, "param", row.id, ids)
    changed = [ChangedParam(key, old[key], value) for key, value in params if key in old and old[key] != value]
    if changed:
        return changed
    fresh = [(row.id, ids[key], value, number_of(value)) for key, value in sorted(params) if key not in old]
    if fresh:
        tx.execute_many("INSERT INTO param (run_id, key_id, value, number) VALUES (?, ?, ?, ?)", fresh)
        tx.touch(row.id)
    return []


def set_tags(tx: Transaction, row: RunRow, tags: dict[str, str]) -> None:
    """Set the tags over what was there. The tag `mlflow.runName` renames the run; an empty one changes nothing."""
    name = tags.get(RUN_NAME_TAG)
    if name == "":
        tags = {key: value for key, value in tags.items() if key != RUN_NAME_TAG}
    if not tags:
        return
    if name and name != row.name:
        tx.conn.execute(update(run).where(run.c.id == row.id).values(name=name))
        row.name = name
    _put_tags(tx, row, tags)
    tx.touch(row.id)


def delete_tag(tx: Transaction, row: RunRow, key: str) -> None:
    """Raises NotFound where the run has no such tag."""
    key_id = tx.key_id(row.experiment_id, KeyKind.TAG, key)
    if tx.execute("DELETE FROM tag WHERE run_id = ? AND key_id = ?", (row.id, key_id)).rowcount == 0:
        raise NotFound(f"No tag with name: {key} in run with id {row.uuid}")
    tx.touch(row.id)


def _put_tags(tx: Transaction, row: RunRow, tags: dict[str, str]) -> None:
    ids = tx.keys(row.experiment_id, KeyKind.TAG, tags)
    rows = sorted((row.id, ids[key], value) for key, value in tags.items())
    tx.execute_many(
        "INSERT INTO tag (run_id, key_id, value) VALUES (?, ?, ?) "
        "ON CONFLICT (run_id, key_id) DO UPDATE SET value = excluded.value",
        rows,
    )


def _values(tx: Transaction, table: str, run_id: int, ids: dict[str, int]) -> dict[str, str]:
    marks = ", ".join("?" * len(ids))
    query = f"SELECT key_id, value FROM {table} WHERE run_id = ? AND key_id IN ({marks})"
    found = {key_id: value for key_id, value in tx.execute(query, (run_id, *ids.values()))}  # noqa: C416, rows
    return {key: found[key_id] for key, key_id in ids.items() if key_id in found}
