"""From the JSON of MLflow's REST API to entities.

proto-JSON leaves out what has its default value, writes 64-bit integers as numbers or as strings, and NaN and the
infinities as strings; all of that ends here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from minleaf._values import timestamp_ms, wire_float
from minleaf.entities import Experiment, LifecycleStage, Metric, Run, RunData, RunInfo, RunStatus, ViewType
from minleaf.exceptions import InvalidParameter, UnexpectedAnswer

Json = Mapping[str, Any]
Entity = TypeVar("Entity")


def one(parse: Callable[[Any], Entity], body: Json, name: str) -> Entity:
    """Field `name` of an answer, parsed. Raises UnexpectedAnswer where it is missing or not what it should be."""
    try:
        return parse(body[name])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnexpectedAnswer(
            f"The server's answer has no usable {name!r} ({type(error).__name__}: {error}). Is a tracking server at "
            "the tracking URI?"
        ) from error


def many(parse: Callable[[Any], Entity], body: Json, name: str) -> list[Entity]:
    """List `name` of an answer, parsed; an absent one is empty. Raises UnexpectedAnswer."""
    return one(lambda items: [parse(item) for item in items], {name: (), **body}, name)


def experiment(body: Json) -> Experiment:
    """The experiment in an answer."""
    return Experiment(
        experiment_id=str(body["experiment_id"]),
        name=body.get("name", ""),
        artifact_location=body.get("artifact_location", ""),
        lifecycle_stage=body.get("lifecycle_stage", LifecycleStage.ACTIVE.value),
        creation_time=_optional_int(body.get("creation_time")),
        last_update_time=_optional_int(body.get("last_update_time")),
        tags=_texts(body.get("tags", ())),
    )


def run_info(body: Json) -> RunInfo:
    """The `info` of a run in an answer."""
    return RunInfo(
        run_id=body.get("run_id") or body["run_uuid"],
        experiment_id=str(body.get("experiment_id", "")),
        run_name=body.get("run_name", ""),
        user_id=body.get("user_id", ""),
        status=body.get("status", RunStatus.RUNNING.value),
        start_time=int(body.get("start_time", 0)),
        end_time=_optional_int(body.get("end_time")),
        lifecycle_stage=body.get("lifecycle_stage", LifecycleStage.ACTIVE.value),
        artifact_uri=body.get("artifact_uri", ""),
    )


def run(body: Json) -> Run:
    """The run in an answer, with its data."""
    data = body.get("data", {})
    return Run(
        info=run_info(body["info"]),
        data=RunData(
            metrics={item["key"]: float(item.get("value", 0.0)) for item in data.get("metrics", ())},
            params=_texts(data.get("params", ())),
            tags=_texts(data.get("tags", ())),
        ),
    )


def metric(body: Json) -> Metric:
    """The point in an answer."""
    return Metric(
        key=body["key"],
        value=float(body.get("value", 0.0)),
        timestamp=int(body.get("timestamp", 0)),
        step=int(body.get("step", 0)),
        run_id=body.get("run_id") or body.get("run_uuid"),
    )


def _texts(items: Iterable[Json]) -> dict[str, str]:
    # proto-JSON drops an empty string, which is a legal value of params and tags.
    return {item["key"]: item.get("value", "") for item in items}


def _optional_int(value: Any) -> int | None:
    return None if value is None else int(value) or None


def metric_json(point: Metric) -> dict[str, Any]:
    """A metric whose key and value are checked, as the server takes it."""
    return {
        "key": point.key,
        "value": wire_float(point.value),
        "timestamp": timestamp_ms(point.timestamp),
        "step": point.step,
    }


def text_json(items: Mapping[str, str]) -> list[dict[str, str]]:
    """Params or tags as the server takes them."""
    return [{"key": key, "value": value} for key, value in items.items()]


def status_name(status: str) -> str:
    """The name of a run status. Raises InvalidParameter."""
    try:
        return RunStatus(status).value
    except ValueError as error:
        raise InvalidParameter(f"{status!r} is no run status; there are {', '.join(RunStatus)}.") from error


def view_name(view: str) -> str:
    """The name of a view type. Raises InvalidParameter."""
    try:
        return ViewType(view).value
    except ValueError as error:
        raise InvalidParameter(f"{view!r} is no view type; there are {', '.join(ViewType)}.") from error
