"""The answers about logged models, and how they are made of the entities."""

from msgspec import UNSET, Struct, UnsetType

from minleaf_server.entities.logged_model import LoggedModel, ModelMetric, ModelStatus
from minleaf_server.rest import encode
from minleaf_server.rest.replies import Milliseconds, NextPage, Param, Tag, Value

STATUS_NAMES = {
    ModelStatus.UNSPECIFIED: "LOGGED_MODEL_STATUS_UNSPECIFIED",
    ModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    ModelStatus.READY: "LOGGED_MODEL_READY",
    ModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}


class MetricOfModel(Struct):
    key: str
    value: Value
    timestamp: Milliseconds
    step: int
    model_id: str
    run_id: str
    dataset_name: str | UnsetType = UNSET
    dataset_digest: str | UnsetType = UNSET


class LoggedModelInfo(Struct):
    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: Milliseconds
    last_updated_timestamp_ms: Milliseconds
    artifact_uri: str
    status: str
    model_type: str
    source_run_id: str
    tags: list[Tag] | UnsetType = UNSET


class LoggedModelData(Struct):
    params: list[Param] | UnsetType = UNSET
    metrics: list[MetricOfModel] | UnsetType = UNSET


class LoggedModelReply(Struct):
    info: LoggedModelInfo
    data: LoggedModelData


class OneLoggedModel(Struct):
    model: LoggedModelReply


class LoggedModels(Struct):
    models: list[LoggedModelReply] | UnsetType = UNSET
    next_page_token: NextPage | UnsetType = UNSET


def logged_model(found: LoggedModel) -> LoggedModelReply:
    """A model with its data."""
    info = LoggedModelInfo(
        model_id=found.id,
        experiment_id=str(found.experiment_id),
        name=found.name,
        creation_timestamp_ms=found.creation_time,
        last_updated_timestamp_ms=found.last_update_time,
        artifact_uri=found.artifact_uri,
        status=STATUS_NAMES[found.status],
        model_type=found.model_type,
        source_run_id=found.source_run_id,
        tags=encode.tags(found.tags) or UNSET,
    )
    params = [Param(key, text) for key, text in found.params.items()]
    metrics = [_metric(found.id, metric) for metric in found.metrics]
    return LoggedModelReply(info, LoggedModelData(params or UNSET, metrics or UNSET))


def _metric(model_id: str, metric: ModelMetric) -> MetricOfModel:
    point = metric.point
    return MetricOfModel(
        point.key,
        encode.value(point.value),
        point.timestamp,
        point.step,
        model_id,
        metric.run_id,
        metric.dataset_name or UNSET,
        metric.dataset_digest or UNSET,
    )
