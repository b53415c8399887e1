"""Writes of runs: their life, params and tags."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import update

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
    row = RunRow(
        tx.new_run_id(),
        new.uuid,
        new.experiment_id,
        new.name,
        new.user,
        RunStatus.RUNNING,
        new.start_time,
        None,
        Lifecycle.ACTIVE,
        appended(_artifact_location(tx, new.experiment_id), new.uuid, "artifacts"),
        0,
    )
    tx.add_run(row)
    _put_tags(tx, row, dict(new.tags))
    return row.info()


def active_run(tx: Transaction, uuid: str) -> RunRow:
    """The locked run. Raises NotFound, InvalidParameter where it is deleted."""
    row = tx.run(uuid)
    if row.lifecycle != Lifecycle.ACTIVE:
        stage = Lifecycle(row.lifecycle).stage
        raise InvalidParameter(f"The run {uuid} must be in the 'active' state. Current state is {stage}.")
    return row


def change(tx: Transaction, uuid: str, status: RunStatus | None, end_time: int | None, name: str | None) -> RunInfo:
    """Set what is given and return the run. A new name is the tag `mlflow.runName` too."""
    row = active_run(tx, uuid)
    if name:
        set_tags(tx, row, {RUN_NAME_TAG: name})
    tx.change_run(row, status=status, end_time=end_time)
    return row.info()


def set_lifecycle(tx: Transaction, uuid: str, lifecycle: Lifecycle) -> None:
    """Delete or restore the run; doing it again changes nothing. Raises NotFound."""
    row = tx.run(uuid)
    if row.lifecycle == lifecycle:
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
    old = _stored(tx, row, ids)
    changed = [ChangedParam(key, old[key], value) for key, value in params if old.get(key, value) != value]
    if changed:
        return changed
    fresh = {(row.id, ids[key]): (value, number_of(value)) for key, value in params if key not in old}
    if fresh:
        tx.changes.params.update(fresh)
        row.params.update(key_id for _, key_id in fresh)
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
        tx.change_run(row, name=name)
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
    tx.changes.tags.update({(row.id, ids[key]): value for key, value in tags.items()})


def _stored(tx: Transaction, row: RunRow, ids: dict[str, int]) -> dict[str, str]:
    """The params of the run among these, by name, those of this transaction included."""
    gathered = {key_id: found[0] for key_id in ids.values() if (found := tx.changes.params.get((row.id, key_id)))}
    asked = [key_id for key_id in ids.values() if key_id in row.params or not row.is_whole]
    if asked:
        query = "SELECT key_id, value FROM param WHERE run_id = ? AND key_id IN ?"
        gathered |= dict(tx.rows(query, (row.id, asked)))
    return {key: gathered[key_id] for key, key_id in ids.items() if key_id in gathered}


def _artifact_location(tx: Transaction, experiment_id: int) -> str:
    """Of an active experiment. Raises NotFound, InvalidParameter where it is deleted."""
    found = tx.rows("SELECT artifact_location, lifecycle FROM experiment WHERE id = ?", (experiment_id,))
    if not found or found[0][1] != Lifecycle.ACTIVE:
        return active(tx.conn, experiment_id).artifact_location
    location: str = found[0][0]
    return location
