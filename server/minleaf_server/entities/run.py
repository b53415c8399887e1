"""A run: one execution whose params, metrics and tags are logged."""

from dataclasses import dataclass
from enum import IntEnum

from minleaf_server.entities.dataset import NO_INPUTS, NO_OUTPUTS, RunInputs, RunOutputs
from minleaf_server.entities.lifecycle import Lifecycle
from minleaf_server.entities.metric import MetricSummary


class RunStatus(IntEnum):
    """MLflow's statuses with MLflow's numbers, which are also what the database stores."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5


@dataclass(frozen=True, slots=True)
class RunInfo:
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


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its params, metric summaries and tags, each by key in key order.

    `inputs` and `outputs` are empty too where a search did not ask for them.
    """

    info: RunInfo
    params: dict[str, str]
    metrics: dict[str, MetricSummary]
    tags: dict[str, str]
    inputs: RunInputs = NO_INPUTS
    outputs: RunOutputs = NO_OUTPUTS
