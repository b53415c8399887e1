"""Where the fluent functions send what a script logs.

Everything a run writes about itself passes through a `Sink`. Today there is one, which sends over HTTP and returns
when the server has acknowledged. A journal, and logging without a server, take its place here. Deleting and restoring
do not pass: they are not logging and need the server's answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from minleaf._client import MinleafClient
from minleaf.entities import Metric, Param, Run, RunInfo, RunTag


class Sink(Protocol):
    """Takes the writes of runs. Values are checked by whoever implements it, before it returns."""

    def create_experiment(self, name: str, artifact_location: str | None, tags: Mapping[str, Any] | None) -> str:
        """Create an experiment and return its id."""

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        """Set a tag of an experiment."""

    def create_run(self, experiment_id: str, tags: Mapping[str, Any], run_name: str | None) -> Run:
        """Create a run that starts now."""

    def update_run(self, run_id: str, *, status: str, end_time: int | None = None, name: str | None = None) -> RunInfo:
        """Set the status of a run, and its end and name where they are given."""

    def log_metrics(self, run_id: str, points: Sequence[Metric]) -> None:
        """Log points."""

    def log_params(self, run_id: str, params: Mapping[str, Any]) -> None:
        """Log params."""

    def set_tags(self, run_id: str, tags: Mapping[str, Any]) -> None:
        """Set tags."""

    def delete_tag(self, run_id: str, key: str) -> None:
        """Delete a tag."""


class HttpSink:
    """Sends each write to the server and waits for its acknowledgement."""

    def __init__(self, client: MinleafClient) -> None:
        self._client = client

    def create_experiment(self, name: str, artifact_location: str | None, tags: Mapping[str, Any] | None) -> str:
        return self._client.create_experiment(name, artifact_location, tags)

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        self._client.set_experiment_tag(experiment_id, key, value)

    def create_run(self, experiment_id: str, tags: Mapping[str, Any], run_name: str | None) -> Run:
        return self._client.create_run(experiment_id, tags=tags, run_name=run_name)

    def update_run(self, run_id: str, *, status: str, end_time: int | None = None, name: str | None = None) -> RunInfo:
        return self._client.update_run(run_id, status, name, end_time)

    def log_metrics(self, run_id: str, points: Sequence[Metric]) -> None:
        if len(points) == 1:
            point = points[0]
            self._client.log_metric(run_id, point.key, point.value, point.timestamp, point.step)
        else:
            self._client.log_batch(run_id, metrics=points)

    def log_params(self, run_id: str, params: Mapping[str, Any]) -> None:
        if len(params) == 1:
            ((key, value),) = params.items()
            self._client.log_param(run_id, key, value)
        else:
            self._client.log_batch(run_id, params=[Param(key, value) for key, value in params.items()])

    def set_tags(self, run_id: str, tags: Mapping[str, Any]) -> None:
        if len(tags) == 1:
            ((key, value),) = tags.items()
            self._client.set_tag(run_id, key, value)
        else:
            self._client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])

    def delete_tag(self, run_id: str, key: str) -> None:
        self._client.delete_tag(run_id, key)


def current_sink() -> Sink:
    """The sink for the server that `get_tracking_uri()` names now."""
    return HttpSink(MinleafClient())
