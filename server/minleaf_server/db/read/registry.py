"""Reads of registered models and their versions: a fixed number of queries, however many there are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from minleaf_server.db.integers import one_of
from minleaf_server.db.read.registry_rows import VERSIONS
from minleaf_server.db.tables.registry import (
    model_version,
    model_version_tag,
    registered_model,
    registered_model_alias,
    registered_model_tag,
)
from minleaf_server.entities.limits import INT64_MAX
from minleaf_server.entities.registry import ModelVersion, RegisteredModel, Stage
from minleaf_server.errors import InvalidParameter, NotFound


def model_row(conn: Connection, name: str) -> Row[*tuple[Any, ...]]:
    """The row of the registered model. Raises NotFound."""
    row = conn.execute(select(registered_model).where(registered_model.c.name == name)).first()
    if row is None:
        raise NotFound(f"Registered Model with name={name} not found")
    return row


def version_id(conn: Connection, name: str, version: int) -> int:
    """The internal id of the version. Raises NotFound."""
    found: int | None = None
    if 0 < version <= INT64_MAX:
        here = (registered_model.c.name == name) & (model_version.c.version == version)
        found = conn.execute(select(model_version.c.id).select_from(VERSIONS).where(here)).scalar()
    if found is None:
        raise NotFound(f"Model Version (name={name}, version={version}) not found")
    return found


def aliased_version_id(conn: Connection, model_id: int, alias: str) -> int:
    """The internal id of the version that the alias points to. Raises InvalidParameter, as MLflow, where none does."""
    table = registered_model_alias.c
    query = select(table.version_id).where(table.model_id == model_id, table.alias == alias)
    found: int | None = conn.execute(query).scalar()
    if found is None:
        raise InvalidParameter(f"Registered model alias {alias} not found.")
    return found


def newest_version_id(conn: Connection, model_id: int, stage: Stage | None = None) -> int | None:
    """The internal id of the highest version of the model, or of that stage; None where there is none."""
    query = select(model_version.c.id).where(model_version.c.model_id == model_id)
    if stage is not None:
        query = query.where(model_version.c.stage == stage)
    found: int | None = conn.execute(query.order_by(model_version.c.version.desc()).limit(1)).scalar()
    return found


def load_model(conn: Connection, model_id: int) -> RegisteredModel:
    """One registered model."""
    return load_models(conn, [model_id])[0]


def load_version(conn: Connection, row_id: int) -> ModelVersion:
    """One version."""
    return load_versions(conn, [row_id])[0]


def load_models(conn: Connection, ids: Sequence[int]) -> list[RegisteredModel]:
    """The registered models with these internal ids, in this order. Unknown ids are left out. Seven queries."""
    rows = {row.id: row for row in conn.execute(select(registered_model).where(one_of(registered_model.c.id, ids)))}
    tags = _tags(conn, registered_model_tag, ids)
    aliases = _model_aliases(conn, ids)
    latest = latest_versions(conn, ids)
    return [
        RegisteredModel(
            row.name,
            row.creation_time,
            row.last_updated_time,
            row.description,
            tags.get(row.id, {}),
            aliases.get(row.id, {}),
            tuple(latest.get(row.id, ())),
        )
        for row in (rows[identity] for identity in ids if identity in rows)
    ]


def latest_versions(conn: Connection, model_ids: Sequence[int]) -> dict[int, list[ModelVersion]]:
    """By model the highest version of each stage, in the order in which the stages were first reached. Four queries."""
    table = model_version.c
    first = func.min(table.version)
    newest = (
        select(table.model_id, table.stage, func.max(table.version).label("version"), first.label("first"))
        .where(one_of(table.model_id, model_ids))
        .group_by(table.model_id, table.stage)
        .subquery("newest")
    )
    same = (newest.c.model_id == table.model_id) & (newest.c.version == table.version)
    query = select(table.model_id, table.id).select_from(newest.join(model_version, same)).order_by(newest.c.first)
    owners = {row.id: row.model_id for row in conn.execute(query)}
    found: dict[int, list[ModelVersion]] = {}
    ids = list(owners)
    for row_id, version in zip(ids, load_versions(conn, ids), strict=True):
        found.setdefault(owners[row_id], []).append(version)
    return found


def load_versions(conn: Connection, ids: Sequence[int]) -> list[ModelVersion]:
    """The versions with these internal ids, in this order. Unknown ids are left out. Three queries."""
    query = select(model_version, registered_model.c.name).select_from(VERSIONS).where(one_of(model_version.c.id, ids))
    rows = {row.id: row for row in conn.execute(query)}
    tags = _tags(conn, model_version_tag, ids)
    aliases = _version_aliases(conn, ids)
    return [
        _version(rows[identity], tags.get(identity, {}), tuple(aliases.get(identity, ())))
        for identity in ids
        if identity in rows
    ]


def _version(row: Any, tags: dict[str, str], aliases: tuple[str, ...]) -> ModelVersion:
    return ModelVersion(
        row.name,
        row.version,
        row.creation_time,
        row.last_updated_time,
        row.description,
        Stage(row.stage),
        row.source,
        row.storage_location,
        row.run_id,
        row.run_link,
        row.logged_model_id,
        tags,
        aliases,
    )


def _tags(conn: Connection, table: Table, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    owner = next(iter(table.c))
    found: dict[int, dict[str, str]] = {}
    query = select(owner, table.c.key, table.c.value).where(one_of(owner, ids)).order_by(table.c.key)
    for identity, key, value in conn.execute(query):
        found.setdefault(identity, {})[key] = value
    return found


def _model_aliases(conn: Connection, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    table = registered_model_alias.c
    joined = registered_model_alias.join(model_version, model_version.c.id == table.version_id)
    query = select(table.model_id, table.alias, model_version.c.version).select_from(joined)
    found: dict[int, dict[str, int]] = {}
    for identity, alias, version in conn.execute(query.where(one_of(table.model_id, ids)).order_by(table.alias)):
        found.setdefault(identity, {})[alias] = version
    return found


def _version_aliases(conn: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    table = registered_model_alias.c
    found: dict[int, list[str]] = {}
    query = select(table.version_id, table.alias).where(one_of(table.version_id, ids)).order_by(table.alias)
    for identity, alias in conn.execute(query):
        found.setdefault(identity, []).append(alias)
    return found
