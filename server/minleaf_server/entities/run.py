"""A run: one execution whose params, metrics and tags are logged."""

from collections.abc import Mapping
from enum import IntEnum

from msgspec import Struct

from minleaf_server.entities.dataset import NO_INPUTS, NO_OUTPUTS, RunInputs, RunOutputs
from minleaf_server.entities.lifecycle import Lifecycle
from minleaf_server.entities.metric import LatestPoint, MetricSummary


class RunStatus(IntEnum):
    """MLflow's statuses with MLflow's numbers, which are also what the database stores."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5


class RunInfo(Struct, frozen=True):
    """A run without its data. `id` is MLflow's run id, 32 hex digits for runs made here. Times in ms since 1970."""

    id: str
    experiment_id: int
    name: str
    user: str
    status: RunStatus
    start_time: int | None
    end_time: int | None
    lifecycle: Lifecycle
    artifact_uri: str


class Run(Struct, frozen=True):
    """A run with its params, the latest points of its metrics and its tags, each by key in key order.

    `inputs` and `outputs` are empty too where a search did not ask for them.
    """

    info: RunInfo
    params: dict[str, str]
    metrics: Mapping[str, LatestPoint]
    tags: dict[str, str]
    inputs: RunInputs = NO_INPUTS
    outputs: RunOutputs = NO_OUTPUTS


class SummarizedRun(Run, frozen=True):
    """A run with all that is known of its metrics without reading their points."""

    metrics: Mapping[str, MetricSummary]
