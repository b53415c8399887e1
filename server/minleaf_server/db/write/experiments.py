"""Writes of experiments and their tags."""

from collections.abc import Mapping
from time import time_ns

from sqlalchemy import Connection, delete, insert, select, update

from minleaf_server.db.dialect import Dialect
from minleaf_server.db.read.experiments import by_id
from minleaf_server.db.tables import experiment, experiment_tag, run
from minleaf_server.db.transaction import Transaction
from minleaf_server.entities import Experiment, Lifecycle
from minleaf_server.errors import AlreadyExists, InvalidParameter, InvalidState, NotFound
from minleaf_server.uri import appended

DEFAULT_ID = 0
DEFAULT_NAME = "Default"


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time_ns() // 1_000_000


def artifact_location(root: str, experiment_id: int) -> str:
    """Where the artifacts of an experiment are kept unless it says otherwise."""
    return appended(root, str(experiment_id))


def ensure_default(conn: Connection, dialect: Dialect, artifact_root: str) -> None:
    """Make experiment 0, `Default`, where it never was. A deleted one stays deleted, as in MLflow."""
    if conn.execute(select(experiment.c.id).where(experiment.c.id == DEFAULT_ID)).first() is not None:
        return
    now = now_ms()
    row = {"id": DEFAULT_ID, "name": DEFAULT_NAME, "artifact_location": artifact_location(artifact_root, DEFAULT_ID)}
    times = {"creation_time": now, "last_update_time": now, "lifecycle": Lifecycle.ACTIVE}
    # Another server may start on the same database at this moment.
    conn.execute(dialect.insert(experiment).values(row | times).on_conflict_do_nothing())


def create(tx: Transaction, name: str, location: str | None, root: str, tags: Mapping[str, str]) -> Experiment:
    """Raises AlreadyExists, also where a deleted experiment has the name."""
    _check_name_is_free(tx.conn, name)
    now = now_ms()
    times = {"creation_time": now, "last_update_time": now, "lifecycle": Lifecycle.ACTIVE}
    new = insert(experiment).values(name=name, artifact_location=location or "", **times)
    identity: int = tx.conn.execute(new.returning(experiment.c.id)).scalar_one()
    if location is None:
        location = artifact_location(root, identity)
        tx.conn.execute(update(experiment).where(experiment.c.id == identity).values(artifact_location=location))
    if tags:
        rows = [{"experiment_id": identity, "key": key, "value": value} for key, value in tags.items()]
        tx.conn.execute(insert(experiment_tag), rows)
    return Experiment(identity, name, location, Lifecycle.ACTIVE, now, now, dict(tags))


def rename(tx: Transaction, experiment_id: int, name: str) -> None:
    """Raises NotFound, InvalidState for a deleted experiment, AlreadyExists where another has the name."""
    found = by_id(tx.conn, experiment_id)
    if found.lifecycle is not Lifecycle.ACTIVE:
        raise InvalidState("Cannot rename a non-active experiment.")
    if name != found.name:
        _check_name_is_free(tx.conn, name)
    _update(tx, experiment_id, name=name)


def set_lifecycle(tx: Transaction, experiment_id: int, lifecycle: Lifecycle) -> None:
    """Delete or restore the experiment together with all its runs, as MLflow does. Raises NotFound."""
    found = by_id(tx.conn, experiment_id)
    if found.lifecycle is lifecycle:
        raise NotFound(f"No Experiment with id={experiment_id} exists")
    _update(tx, experiment_id, lifecycle=lifecycle)
    changed = (run.c.experiment_id == experiment_id) & (run.c.lifecycle != lifecycle)
    deleted_time = now_ms() if lifecycle is Lifecycle.DELETED else None
    moved = update(run).where(changed).values(lifecycle=lifecycle, deleted_time=deleted_time).returning(run.c.id)
    # Those that were changed and no others: a run that another server has just committed is among them.
    row_ids = sorted(tx.conn.execute(moved).scalars())
    for row_id in row_ids:
        tx.touch(row_id)
    tx.forget_runs(row_ids)


def set_tag(tx: Transaction, experiment_id: int, key: str, value: str) -> None:
    """Raises NotFound, InvalidParameter for a deleted experiment."""
    active(tx.conn, experiment_id)
    statement = tx.dialect.insert(experiment_tag).values(experiment_id=experiment_id, key=key, value=value)
    primary_key = [experiment_tag.c.experiment_id, experiment_tag.c.key]
    tx.conn.execute(statement.on_conflict_do_update(index_elements=primary_key, set_={"value": value}))


def delete_tag(tx: Transaction, experiment_id: int, key: str) -> None:
    """Raises NotFound for the experiment or the tag, InvalidParameter for a deleted experiment."""
    active(tx.conn, experiment_id)
    chosen = (experiment_tag.c.experiment_id == experiment_id) & (experiment_tag.c.key == key)
    if tx.conn.execute(delete(experiment_tag).where(chosen)).rowcount == 0:
        raise NotFound(f"No tag with name: {key} in experiment with id {experiment_id}")


def active(conn: Connection, experiment_id: int) -> Experiment:
    """Raises NotFound, InvalidParameter for a deleted experiment."""
    found = by_id(conn, experiment_id)
    if found.lifecycle is not Lifecycle.ACTIVE:
        raise InvalidParameter(
            f"The experiment {experiment_id} must be in the 'active' state. Current state is {found.lifecycle.stage}."
        )
    return found


def _check_name_is_free(conn: Connection, name: str) -> None:
    found = conn.execute(select(experiment.c.lifecycle).where(experiment.c.name == name)).first()
    if found is None:
        return
    text = f"Experiment(name={name}) already exists."
    if found.lifecycle == Lifecycle.DELETED:
        text += " It is deleted: restore it, or delete it permanently to use its name again."
    raise AlreadyExists(text)


def _update(tx: Transaction, experiment_id: int, **values: object) -> None:
    changed = update(experiment).where(experiment.c.id == experiment_id)
    tx.conn.execute(changed.values(last_update_time=now_ms(), **values))
