"""Reads of logged models: a fixed number of queries, however many models."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from minleaf_server.db.integers import one_of
from minleaf_server.db.tables import key, run
from minleaf_server.db.tables.logged_models import (
    logged_model,
    logged_model_metric,
    logged_model_param,
    logged_model_tag,
)
from minleaf_server.entities import Lifecycle, Point
from minleaf_server.entities.logged_model import LoggedModel, ModelMetric, ModelStatus
from minleaf_server.errors import NotFound


class ModelRow(NamedTuple):
    """What places a model."""

    id: int
    experiment_id: int
    lifecycle: Lifecycle
    artifact_uri: str


def row_of(conn: Connection, uuid: str, *, deleted: bool = True) -> ModelRow:
    """The model with this id; deleted ones too, unless `deleted` is False. Raises NotFound."""
    found = rows_of(conn, [uuid])[uuid]
    if not deleted and found.lifecycle is not Lifecycle.ACTIVE:
        raise _unknown(uuid)
    return found


def rows_of(conn: Connection, uuids: Collection[str]) -> dict[str, ModelRow]:
    """The models by id, deleted ones too. Raises NotFound for the first that does not exist."""
    model = logged_model.c
    query = select(model.uuid, model.id, model.experiment_id, model.lifecycle, model.artifact_uri)
    found = {
        uuid: ModelRow(row_id, experiment_id, Lifecycle(lifecycle), uri)
        for uuid, row_id, experiment_id, lifecycle, uri in conn.execute(query.where(model.uuid.in_(list(uuids))))
    }
    for uuid in uuids:
        if uuid not in found:
            raise _unknown(uuid)
    return found


def _unknown(uuid: str) -> NotFound:
    return NotFound(f"Logged model with ID '{uuid}' not found.")


def load(conn: Connection, ids: Sequence[int]) -> list[LoggedModel]:
    """The models with these internal ids, in this order, with their data. Unknown ids are left out. Four queries."""
    rows = {row.id: row for row in conn.execute(select(logged_model).where(one_of(logged_model.c.id, ids)))}
    params = _texts(conn, logged_model_param, ids)
    tags = _texts(conn, logged_model_tag, ids)
    metrics = _metrics(conn, ids)
    return [_model(rows[i], params.get(i, {}), tags.get(i, {}), metrics.get(i, [])) for i in ids if i in rows]


def _texts(conn: Connection, table: Table, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Params or tags by model and key, in the order of the keys."""
    column = table.c
    query = select(column.model_id, column.key, column.value).where(one_of(column.model_id, ids)).order_by(column.key)
    found: dict[int, dict[str, str]] = {}
    for model_id, name, value in conn.execute(query):
        found.setdefault(model_id, {})[name] = value
    return found


def _metrics(conn: Connection, ids: Sequence[int]) -> dict[int, list[ModelMetric]]:
    """The points of each model by metric, time and step."""
    point = logged_model_metric.c
    columns = (point.model_id, key.c.name, point.value, point.timestamp, point.step, run.c.uuid)
    joined = logged_model_metric.join(key, key.c.id == point.key_id).join(run, run.c.id == point.run_id)
    query = (
        select(*columns, point.dataset_name, point.dataset_digest)
        .select_from(joined)
        .where(one_of(point.model_id, ids))
        .order_by(key.c.name, point.timestamp, point.step, run.c.uuid, point.dataset_name, point.bits)
    )
    found: dict[int, list[ModelMetric]] = {}
    for model_id, name, value, timestamp, step, run_id, dataset_name, dataset_digest in conn.execute(query):
        number = float("nan") if value is None else value
        metric = ModelMetric(Point(name, number, timestamp, step), run_id, dataset_name, dataset_digest)
        found.setdefault(model_id, []).append(metric)
    return found


def _model(row: Any, params: dict[str, str], tags: dict[str, str], metrics: list[ModelMetric]) -> LoggedModel:
    return LoggedModel(
        row.uuid,
        row.experiment_id,
        row.name,
        row.model_type,
        row.source_run_id,
        ModelStatus(row.status),
        Lifecycle(row.lifecycle),
        row.creation_time,
        row.last_update_time,
        row.artifact_uri,
        params,
        tags,
        metrics,
    )
