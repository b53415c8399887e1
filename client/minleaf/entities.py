"""What the client hands out: experiments, runs, metrics, params and tags. Immutable, shaped as MLflow's are.

Written separately from the server's entities on purpose: the two sides share the wire and nothing else. Times are
milliseconds since 1970, experiment and run ids are strings.
"""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class RunStatus(StrEnum):
    """Where a run stands; equal to MLflow's strings."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class ViewType(StrEnum):
    """Which experiments or runs a search shows: active ones, deleted ones or both."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"


class LifecycleStage(StrEnum):
    """Whether an experiment or a run is deleted."""

    ACTIVE = "active"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Metric:
    """One logged value of a metric. `run_id` is set where points of several runs come together."""

    key: str
    value: float
    timestamp: int
    step: int = 0
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Param:
    """A param: written once, always text."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class RunTag:
    """A tag of a run; the last value written stands."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who, when and where of a run. `end_time` is None while it runs."""

    run_id: str
    experiment_id: str
    run_name: str
    user_id: str
    status: str
    start_time: int
    end_time: int | None
    lifecycle_stage: str
    artifact_uri: str


@dataclass(frozen=True, slots=True)
class RunData:
    """What a run logged: the latest value of each metric, the params and the tags, by key."""

    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A run as it stood when it was read; read it again for newer values."""

    info: RunInfo
    data: RunData

    def to_dictionary(self) -> dict[str, Any]:
        """`info` and `data` as plain dictionaries."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named group of runs."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    creation_time: int | None = None
    last_update_time: int | None = None
    tags: dict[str, str] = field(default_factory=dict)


class PagedList(list[Item], Generic[Item]):
    """One page of a search: a list with `token`, which fetches the next page, or None on the last one."""

    def __init__(self, items: list[Item], token: str | None = None) -> None:
        super().__init__(items)
        self.token = token
