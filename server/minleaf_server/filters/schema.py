"""What can be searched: the attributes of runs and of experiments, and the kinds of names each has."""

from dataclasses import dataclass
from enum import Enum

from minleaf_server.entities.run import RunStatus
from minleaf_server.filters.tree import Kind


class AttributeType(Enum):
    TEXT = "text"
    STATUS = "status"
    INTEGER = "integer"
    TIME = "time"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Schema:
    """`noun` names the searched things in messages; `name` is the attribute that plain words search.

    `kinds` may stand in a filter, `sorted_by` in an order.
    """

    noun: str
    name: str
    types: dict[str, AttributeType]
    aliases: dict[str, str]
    kinds: frozenset[Kind]
    sorted_by: frozenset[Kind]

    def attribute(self, name: str) -> str | None:
        """The attribute that `name` or one of its aliases means, or None."""
        return name if name in self.types else self.aliases.get(name)


RUNS = Schema(
    noun="runs",
    name="run_name",
    types={
        "run_id": AttributeType.TEXT,
        "run_name": AttributeType.TEXT,
        "user_id": AttributeType.TEXT,
        "status": AttributeType.STATUS,
        "start_time": AttributeType.TIME,
        "end_time": AttributeType.TIME,
        "duration": AttributeType.DURATION,
        "artifact_uri": AttributeType.TEXT,
    },
    aliases={
        "name": "run_name",
        "run name": "run_name",
        "Run name": "run_name",
        "Run Name": "run_name",
        "user": "user_id",
        "started": "start_time",
        "created": "start_time",
        "Created": "start_time",
        "ended": "end_time",
    },
    kinds=frozenset(Kind),
    sorted_by=frozenset(Kind) - {Kind.DATASET},
)

EXPERIMENTS = Schema(
    noun="experiments",
    name="name",
    types={
        "experiment_id": AttributeType.INTEGER,
        "name": AttributeType.TEXT,
        "creation_time": AttributeType.TIME,
        "last_update_time": AttributeType.TIME,
    },
    aliases={"created": "creation_time", "updated": "last_update_time"},
    kinds=frozenset({Kind.ATTRIBUTE, Kind.TAG}),
    sorted_by=frozenset({Kind.ATTRIBUTE}),
)

DATASET_KEYS = ("name", "digest", "context")

STATUSES = tuple(status.name for status in RunStatus)

PREFIXES = {
    "metric": Kind.METRIC,
    "metrics": Kind.METRIC,
    "parameter": Kind.PARAM,
    "parameters": Kind.PARAM,
    "param": Kind.PARAM,
    "params": Kind.PARAM,
    "tag": Kind.TAG,
    "tags": Kind.TAG,
    "attribute": Kind.ATTRIBUTE,
    "attributes": Kind.ATTRIBUTE,
    "attr": Kind.ATTRIBUTE,
    "run": Kind.ATTRIBUTE,
    "dataset": Kind.DATASET,
    "datasets": Kind.DATASET,
}
