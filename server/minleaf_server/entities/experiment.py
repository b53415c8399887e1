"""An experiment: a named group of runs."""

from dataclasses import dataclass, field

from minleaf_server.entities.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class Experiment:
    """Times are milliseconds since 1970. MLflow's wire shows `id` as a decimal string."""

    id: int
    name: str
    artifact_location: str
    lifecycle: Lifecycle
    creation_time: int
    last_update_time: int
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExperimentOverview:
    """A row of the experiments page: the experiment, its number of active runs and the start of the latest (ms)."""

    experiment: Experiment
    run_count: int
    last_start_time: int | None
