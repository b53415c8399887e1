"""Writes of registered models, their tags and aliases.

Every write of the registry holds the lock under which names are made, so two servers on one database neither number
two versions alike nor wait for each other in a ring. Writes of the registry are rare; reads wait for none.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, delete, insert, select, update

from minleaf_server.db.read import registry as read
from minleaf_server.db.tables.registry import (
    model_version,
    model_version_tag,
    registered_model,
    registered_model_alias,
    registered_model_tag,
)
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write.experiments import now_ms
from minleaf_server.entities.registry import IS_PROMPT_TAG, RegisteredModel, is_prompt
from minleaf_server.errors import AlreadyExists


def lock(tx: Transaction) -> None:
    """Wait until no other server writes to the registry. Held until the transaction ends."""
    tx.dialect.lock_keys(tx.conn)


def create(tx: Transaction, name: str, description: str | None, tags: Mapping[str, str]) -> RegisteredModel:
    """Raises AlreadyExists, in other words where a prompt and a model would share the name."""
    lock(tx)
    _check_name_is_free(tx, name, is_prompt(tags))
    now = now_ms()
    new = insert(registered_model).values(
        name=name,
        is_prompt=int(is_prompt(tags)),
        last_version=0,
        description=description,
        creation_time=now,
        last_updated_time=now,
    )
    identity: int = tx.conn.execute(new.returning(registered_model.c.id)).scalar_one()
    add_tags(tx, registered_model_tag, identity, tags)
    return RegisteredModel(name, now, now, description, dict(tags), {}, ())


def describe(tx: Transaction, name: str, description: str | None) -> RegisteredModel:
    """Set the description. Raises NotFound."""
    lock(tx)
    row = read.model_row(tx.conn, name)
    touch(tx, row.id, description=description)
    return read.load_model(tx.conn, row.id)


def rename(tx: Transaction, name: str, new_name: str) -> RegisteredModel:
    """The model under its new name; its versions, tags and aliases are its own still. Raises NotFound, AlreadyExists.

    As in MLflow every version counts as updated.
    """
    lock(tx)
    row = read.model_row(tx.conn, name)
    taken = select(registered_model.c.id).where(registered_model.c.name == new_name, registered_model.c.id != row.id)
    if tx.conn.execute(taken).first() is not None:
        raise AlreadyExists(f"Registered Model (name={new_name}) already exists.")
    now = touch(tx, row.id, name=new_name)
    tx.conn.execute(update(model_version).where(model_version.c.model_id == row.id).values(last_updated_time=now))
    return read.load_model(tx.conn, row.id)


def remove(tx: Transaction, name: str) -> None:
    """Remove the model with all that it has. Raises NotFound."""
    lock(tx)
    model_id = read.model_row(tx.conn, name).id
    versions = select(model_version.c.id).where(model_version.c.model_id == model_id)
    tx.conn.execute(delete(registered_model_alias).where(registered_model_alias.c.model_id == model_id))
    tx.conn.execute(delete(model_version_tag).where(model_version_tag.c.version_id.in_(versions)))
    tx.conn.execute(delete(model_version).where(model_version.c.model_id == model_id))
    tx.conn.execute(delete(registered_model_tag).where(registered_model_tag.c.model_id == model_id))
    tx.conn.execute(delete(registered_model).where(registered_model.c.id == model_id))


def set_tag(tx: Transaction, name: str, key: str, value: str) -> bool:
    """Set the tag over what was there. Returns whether the model is a prompt now. Raises NotFound."""
    lock(tx)
    model_id = read.model_row(tx.conn, name).id
    put_tag(tx, registered_model, registered_model_tag, model_id, key, value)
    return bool(read.model_row(tx.conn, name).is_prompt)


def delete_tag(tx: Transaction, name: str, key: str) -> bool:
    """Remove the tag where it is there. Returns whether the model is a prompt now. Raises NotFound."""
    lock(tx)
    model_id = read.model_row(tx.conn, name).id
    drop_tag(tx, registered_model, registered_model_tag, model_id, key)
    return bool(read.model_row(tx.conn, name).is_prompt)


def set_alias(tx: Transaction, name: str, alias: str, version: int) -> bool:
    """Let the alias point to the version. Returns whether the model is a prompt. Raises NotFound."""
    lock(tx)
    row_id = read.version_id(tx.conn, name, version)
    row = read.model_row(tx.conn, name)
    statement = tx.dialect.insert(registered_model_alias).values(model_id=row.id, alias=alias, version_id=row_id)
    key = [registered_model_alias.c.model_id, registered_model_alias.c.alias]
    tx.conn.execute(statement.on_conflict_do_update(index_elements=key, set_={"version_id": row_id}))
    return bool(row.is_prompt)


def delete_alias(tx: Transaction, name: str, alias: str) -> bool:
    """Remove the alias where it is there. Returns whether the model is a prompt. Raises NotFound for the model."""
    lock(tx)
    row = read.model_row(tx.conn, name)
    table = registered_model_alias.c
    tx.conn.execute(delete(registered_model_alias).where(table.model_id == row.id, table.alias == alias))
    return bool(row.is_prompt)


def touch(tx: Transaction, model_id: int, **values: Any) -> int:
    """Note that the model changed, together with `values`. Returns the time, in ms since 1970."""
    now = now_ms()
    changed = update(registered_model).where(registered_model.c.id == model_id)
    tx.conn.execute(changed.values(last_updated_time=now, **values))
    return now


def add_tags(tx: Transaction, table: Table, owner_id: int, tags: Mapping[str, str]) -> None:
    """The tags of a new model or version."""
    owner = next(iter(table.c)).name
    rows = [(owner_id, key, value) for key, value in sorted(tags.items())]
    tx.execute_many(f"INSERT INTO {table.name} ({owner}, key, value) VALUES (?, ?, ?)", rows)


def put_tag(tx: Transaction, owners: Table, table: Table, owner_id: int, key: str, value: str) -> None:
    """Set one tag of a model or version, and with it whether that is a prompt."""
    owner = next(iter(table.c))
    statement = tx.dialect.insert(table).values({owner.name: owner_id, "key": key, "value": value})
    tx.conn.execute(statement.on_conflict_do_update(index_elements=[owner, table.c.key], set_={"value": value}))
    _mark(tx, owners, owner_id, {key: value})


def drop_tag(tx: Transaction, owners: Table, table: Table, owner_id: int, key: str) -> None:
    """Remove one tag of a model or version, and with it whether that is a prompt."""
    owner = next(iter(table.c))
    tx.conn.execute(delete(table).where(owner == owner_id, table.c.key == key))
    _mark(tx, owners, owner_id, {key: ""})


def _mark(tx: Transaction, owners: Table, owner_id: int, tags: Mapping[str, str]) -> None:
    if IS_PROMPT_TAG in tags:
        tx.conn.execute(update(owners).where(owners.c.id == owner_id).values(is_prompt=int(is_prompt(tags))))


def _check_name_is_free(tx: Transaction, name: str, prompt: bool) -> None:
    query = select(registered_model.c.is_prompt).where(registered_model.c.name == name)
    existing = tx.conn.execute(query).first()
    if existing is None:
        return
    kinds = {False: "Registered Model", True: "Prompt"}
    old, new = kinds[bool(existing.is_prompt)], kinds[prompt]
    if old == new:
        raise AlreadyExists(f"{new} (name={name}) already exists.")
    raise AlreadyExists(
        f"Tried to create a {new.lower()} with name {name!r}, but the name is already taken by a {old.lower()}. "
        "MLflow does not allow creating a model and a prompt with the same name."
    )
