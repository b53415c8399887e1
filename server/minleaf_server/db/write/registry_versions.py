"""Writes of model versions and their tags. Each holds the registry's lock, see `registry`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from minleaf_server.db.read import registry as read
from minleaf_server.db.tables.logged_models import logged_model, logged_model_tag
from minleaf_server.db.tables.registry import (
    model_version,
    model_version_tag,
    registered_model_alias,
)
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import logged_models
from minleaf_server.db.write.experiments import now_ms
from minleaf_server.db.write.registry import add_tags, drop_tag, lock, put_tag, touch
from minleaf_server.entities.registry import ModelVersion, Stage, is_prompt

MODEL_VERSIONS_TAG = "mlflow.modelVersions"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a version starts with."""

    description: str
    source: str
    storage_location: str
    run_id: str
    run_link: str
    model_id: str
    tags: Mapping[str, str]


def create(tx: Transaction, name: str, new: NewVersion) -> ModelVersion:
    """The next version of the model: a number that no version had before. Raises NotFound. Needs `registry.lock`."""
    row = read.model_row(tx.conn, name)
    version = row.last_version + 1
    now = touch(tx, row.id, last_version=version)
    made = insert(model_version).values(
        model_id=row.id,
        version=version,
        is_prompt=int(is_prompt(new.tags)),
        stage=Stage.NONE,
        description=new.description,
        source=new.source,
        storage_location=new.storage_location,
        run_id=new.run_id,
        run_link=new.run_link,
        logged_model_id=new.model_id,
        creation_time=now,
        last_updated_time=now,
    )
    identity: int = tx.conn.execute(made.returning(model_version.c.id)).scalar_one()
    add_tags(tx, model_version_tag, identity, new.tags)
    return read.load_version(tx.conn, identity)


def link_logged_model(tx: Transaction, model_id: str, version: ModelVersion) -> None:
    """Add the version to the logged model's tag `mlflow.modelVersions`, a JSON list. Raises NotFound."""
    tag = logged_model_tag.join(logged_model, logged_model.c.id == logged_model_tag.c.model_id)
    here = (logged_model.c.uuid == model_id) & (logged_model_tag.c.key == MODEL_VERSIONS_TAG)
    value = tx.conn.execute(select(logged_model_tag.c.value).select_from(tag).where(here)).scalar()
    # MLflow's server writes the number as a number.
    listed = [*_listed(value), {"name": version.name, "version": version.version}]
    logged_models.set_tags(tx, model_id, {MODEL_VERSIONS_TAG: json.dumps(listed)})


def _listed(value: str | None) -> list[object]:
    """The list in the tag; empty where someone has put something else there."""
    try:
        found = json.loads(value or "[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def describe(tx: Transaction, name: str, version: int, description: str | None) -> ModelVersion:
    """Set the description. As in MLflow the model does not count as updated. Raises NotFound."""
    lock(tx)
    row_id = read.version_id(tx.conn, name, version)
    changed = update(model_version).where(model_version.c.id == row_id)
    tx.conn.execute(changed.values(description=description, last_updated_time=now_ms()))
    return read.load_version(tx.conn, row_id)


def transition(tx: Transaction, name: str, version: int, stage: Stage, archive_existing: bool) -> ModelVersion:
    """Move the version to the stage, and the versions that are there to the archive if asked. Raises NotFound."""
    lock(tx)
    row_id = read.version_id(tx.conn, name, version)
    model_id = read.model_row(tx.conn, name).id
    now = touch(tx, model_id)
    table = model_version.c
    if archive_existing:
        there = (table.model_id == model_id) & (table.stage == stage) & (table.id != row_id)
        archived = update(model_version).where(there)
        tx.conn.execute(archived.values(stage=Stage.ARCHIVED, last_updated_time=now))
    tx.conn.execute(update(model_version).where(table.id == row_id).values(stage=stage, last_updated_time=now))
    return read.load_version(tx.conn, row_id)


def remove(tx: Transaction, name: str, version: int) -> None:
    """Remove the version, its tags and the aliases that point to it. Its number is not used again. Raises NotFound."""
    lock(tx)
    row_id = read.version_id(tx.conn, name, version)
    touch(tx, read.model_row(tx.conn, name).id)
    tx.conn.execute(delete(registered_model_alias).where(registered_model_alias.c.version_id == row_id))
    tx.conn.execute(delete(model_version_tag).where(model_version_tag.c.version_id == row_id))
    tx.conn.execute(delete(model_version).where(model_version.c.id == row_id))


def set_tag(tx: Transaction, name: str, version: int, key: str, value: str) -> bool:
    """Set the tag over what was there. Returns whether the model is a prompt. Raises NotFound."""
    lock(tx)
    row_id = read.version_id(tx.conn, name, version)
    put_tag(tx, model_version, model_version_tag, row_id, key, value)
    return bool(read.model_row(tx.conn, name).is_prompt)


def delete_tag(tx: Transaction, name: str, version: int, key: str) -> bool:
    """Remove the tag where it is there. Returns whether the model is a prompt. Raises NotFound."""
    lock(tx)
    row_id = read.version_id(tx.conn, name, version)
    drop_tag(tx, model_version, model_version_tag, row_id, key)
    return bool(read.model_row(tx.conn, name).is_prompt)
