"""MLflow's logged model: a model as an entity of its own, with params, tags and metrics. It needs no run."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from minleaf_server.entities.lifecycle import Lifecycle
from minleaf_server.entities.metric import Point


class ModelStatus(IntEnum):
    """MLflow's statuses with MLflow's numbers, which are also what the database stores."""

    UNSPECIFIED = 0
    PENDING = 1
    READY = 2
    FAILED = 3


class ModelPoint(NamedTuple):
    """A point of a run that is about a model too, and perhaps about a dataset; '' for no dataset."""

    point: Point
    model_id: str
    dataset_name: str = ""
    dataset_digest: str = ""


class ModelMetric(NamedTuple):
    """A point of a logged model, with the run that logged it."""

    point: Point
    run_id: str
    dataset_name: str
    dataset_digest: str


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A logged model with its data. `id` is MLflow's model id, `m-` and 32 hex digits. Times in ms since 1970.

    `model_type` and `source_run_id` are '' where they were not given. `metrics` holds every point, by metric, time and
    step.
    """

    id: str
    experiment_id: int
    name: str
    model_type: str
    source_run_id: str
    status: ModelStatus
    lifecycle: Lifecycle
    creation_time: int
    last_update_time: int
    artifact_uri: str
    params: dict[str, str]
    tags: dict[str, str]
    metrics: list[ModelMetric]


class DatasetFilter(NamedTuple):
    """Which points of a model count in a search: those about this dataset, or about any of the name or the digest."""

    name: str = ""
    digest: str = ""


class ModelOrder(NamedTuple):
    """One entry of a search's order_by: an attribute, or `metrics.` and a name, whose latest value counts.

    Of a metric, only the points about the dataset count, if one is given.
    """

    field_name: str
    ascending: bool = True
    dataset: DatasetFilter = DatasetFilter()
