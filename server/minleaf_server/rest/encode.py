"""From entities to the answers of MLflow's wire.

Ids are texts, 64-bit integers are numbers, NaN and infinities are the texts `NaN`, `Infinity` and `-Infinity`, which
is how protocol buffers write them in JSON. MLflow turns infinities into the largest double; here they stay.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET, Raw
from msgspec.json import Encoder

from minleaf_server import entities
from minleaf_server.entities import Lifecycle, Point, RunStatus
from minleaf_server.rest import replies

_json = Encoder().encode
_STAGES = {lifecycle: lifecycle.stage for lifecycle in Lifecycle}
_STATUSES = {status: status.name for status in RunStatus}


def value(number: float) -> float | str:
    """A double as JSON can hold it."""
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


def tags(pairs: Mapping[str, str]) -> list[replies.Tag]:
    """Tags of an experiment or run."""
    return [replies.Tag(key, text) for key, text in pairs.items()]


def experiment(found: entities.Experiment) -> replies.Experiment:
    """One experiment."""
    return replies.Experiment(
        experiment_id=str(found.id),
        name=found.name,
        artifact_location=found.artifact_location,
        lifecycle_stage=_STAGES[found.lifecycle],
        last_update_time=found.last_update_time,
        creation_time=found.creation_time,
        tags=tags(found.tags) or UNSET,
    )


def run_info(info: entities.RunInfo) -> replies.RunInfo:
    """A run without its data."""
    return replies.RunInfo(
        run_uuid=info.id,
        experiment_id=str(info.experiment_id),
        run_name=info.name,
        user_id=info.user,
        status=_STATUSES[info.status],
        artifact_uri=info.artifact_uri,
        lifecycle_stage=_STAGES[info.lifecycle],
        run_id=info.id,
        start_time=UNSET if info.start_time is None else info.start_time,
        end_time=UNSET if info.end_time is None else info.end_time,
    )


def run(found: entities.Run) -> replies.Run:
    """A run with its latest metrics, params and tags, its inputs and outputs."""
    metrics = [
        replies.Metric(key, value(last.last), last.last_timestamp, last.last_step)
        for key, last in found.metrics.items()
    ]
    params = [replies.Param(key, text) for key, text in found.params.items()]
    data = replies.RunData(metrics or UNSET, params or UNSET, tags(found.tags) or UNSET)
    return replies.Run(run_info(found.info), data, run_inputs(found.inputs), run_outputs(found.outputs))


def run_json(found: entities.Run) -> bytes:
    """A run as the text that stands in an answer."""
    return _json(run(found))


def one_run_json(found: bytes) -> bytes:
    """The answer with a run that is encoded already."""
    return _json(replies.OneRun(Raw(found)))  # type: ignore[arg-type]


def runs_json(found: Sequence[bytes], next_token: str | None) -> bytes:
    """The answer with a page of runs that are encoded already."""
    raw = [Raw(one) for one in found]
    return _json(replies.Runs(raw or UNSET, next_token or UNSET))  # type: ignore[arg-type]


def run_inputs(inputs: entities.RunInputs) -> replies.RunInputs:
    """What a run read."""
    datasets = [replies.DatasetInput(_dataset(each.dataset), tags(each.tags) or UNSET) for each in inputs.datasets]
    models = [replies.ModelInput(model_id) for model_id in inputs.models]
    return replies.RunInputs(datasets or UNSET, models or UNSET)


def _dataset(found: entities.Dataset) -> replies.Dataset:
    """A dataset. As in MLflow an empty schema or profile is none."""
    return replies.Dataset(
        found.name,
        found.digest,
        found.source_type,
        found.source,
        found.schema or UNSET,
        found.profile or UNSET,
    )


def run_outputs(outputs: entities.RunOutputs) -> replies.RunOutputs:
    """What a run made."""
    models = [replies.ModelOutput(model.model_id, model.step) for model in outputs.models]
    return replies.RunOutputs(models or UNSET)


def points_of_runs(series: Iterable[tuple[str, Point]]) -> list[replies.MetricOfRun]:
    """The points of several runs, each with its run."""
    return [
        replies.MetricOfRun(point.key, value(point.value), point.timestamp, point.step, run_id)
        for run_id, point in series
    ]
