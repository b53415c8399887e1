"""`MinleafClient`: one method per call of the REST API, with MLflow's names."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from minleaf import _values, _wire
from minleaf._batch import split
from minleaf._tracking_uri import get_tracking_uri
from minleaf._transport import Transport, shared
from minleaf.entities import Experiment, Metric, PagedList, Param, Run, RunInfo, RunStatus, RunTag, ViewType
from minleaf.exceptions import NotFound

_API = "/api/2.0/mlflow"
# MLflow serves these two under the address of its pages alone.
_PAGES_API = "/ajax-api/2.0/mlflow"
_HISTORY_PAGE = 25_000


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class MinleafClient:
    """A client of one tracking server: the one at `tracking_uri`, else the one that `get_tracking_uri()` names.

    Threads may share it. Every method raises ConnectionFailed, UnexpectedAnswer or a RestException (see
    `minleaf.exceptions`). A request that fails for the moment is repeated a few times, except the creation of an
    experiment or run after which no answer came, since repeating it could create two.
    """

    def __init__(self, tracking_uri: str | None = None) -> None:
        self.tracking_uri = tracking_uri or get_tracking_uri()
        self._transport: Transport = shared(self.tracking_uri)

    def _get(self, path: str, **params: Any) -> dict[str, Any]:
        given = {
            name: _values.utf8(f"The parameter {name}", value) if isinstance(value, str) else value
            for name, value in params.items()
            if value is not None
        }
        return self._transport.json("GET", f"{_API}/{path}", params=given)

    def _post(self, path: str, *, repeatable: bool = True, gone_is_done: bool = False, **body: Any) -> dict[str, Any]:
        given = {name: value for name, value in body.items() if value is not None}
        return self._transport.json(
            "POST", f"{_API}/{path}", body=given, repeatable=repeatable, gone_is_done=gone_is_done
        )

    # The server

    def health(self) -> bool:
        """Whether the server says that it is well; ConnectionFailed where there is none."""
        return self._transport.text("/health").strip() == "OK"

    def version(self) -> str:
        """The server's version."""
        return self._transport.text("/version").strip()

    # Experiments

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None
    ) -> str:
        """Create an experiment and return its id. AlreadyExists where the name is taken, by a deleted one too."""
        body = self._post(
            "experiments/create",
            name=_values.utf8("The name of the experiment", name),
            artifact_location=artifact_location,
            tags=_wire.text_json({key: str(value) for key, value in (tags or {}).items()}),
            repeatable=False,
        )
        return _wire.one(str, body, "experiment_id")

    def get_experiment(self, experiment_id: str | int) -> Experiment:
        """The experiment with this id, deleted or not. Raises NotFound."""
        return _wire.one(_wire.experiment, self._get("experiments/get", experiment_id=str(experiment_id)), "experiment")

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment with this name, deleted or not, or None."""
        try:
            body = self._get("experiments/get-by-name", experiment_name=name)
        except NotFound as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return _wire.one(_wire.experiment, body, "experiment")

    def search_experiments(
        self,
        view_type: str = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """One page of experiments; `token` of the answer fetches the next."""
        body = self._post(
            "experiments/search",
            view_type=_wire.view_name(view_type),
            max_results=max_results,
            filter=filter_string,
            order_by=list(order_by or ()),
            page_token=page_token,
        )
        return PagedList(_wire.many(_wire.experiment, body, "experiments"), _token(body))

    def rename_experiment(self, experiment_id: str | int, new_name: str) -> None:
        """Give an active experiment another name (the REST call experiments/update)."""
        self._post("experiments/update", experiment_id=str(experiment_id), new_name=_values.utf8("The name", new_name))

    def delete_experiment(self, experiment_id: str | int) -> None:
        """Mark an experiment and its runs as deleted; `restore_experiment` brings them back."""
        self._post("experiments/delete", experiment_id=str(experiment_id))

    def restore_experiment(self, experiment_id: str | int) -> None:
        """Bring back a deleted experiment and its runs."""
        self._post("experiments/restore", experiment_id=str(experiment_id))

    def set_experiment_tag(self, experiment_id: str | int, key: str, value: Any) -> None:
        """Set a tag of an experiment."""
        text = _values.utf8(f"The value of tag {key!r}", str(value))
        key = _values.checked_key("tag", key)
        self._post("experiments/set-experiment-tag", experiment_id=str(experiment_id), key=key, value=text)

    def delete_experiment_tag(self, experiment_id: str | int, key: str) -> None:
        """Delete a tag of an experiment."""
        self._post("experiments/delete-experiment-tag", experiment_id=str(experiment_id), key=key, gone_is_done=True)

    # Runs

    def create_run(
        self,
        experiment_id: str | int,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Create a run, which the server names where `run_name` is absent. `start_time` is in ms since 1970.

        Adds no tags of its own and does not make the run active; `minleaf.start_run` does both.
        """
        texts = {_values.checked_key("tag", key): _values.tag_text(key, value) for key, value in (tags or {}).items()}
        body = self._post(
            "runs/create",
            experiment_id=str(experiment_id),
            user_id=texts.get("mlflow.user", "unknown"),
            start_time=now_ms() if start_time is None else _values.timestamp_ms(start_time),
            tags=_wire.text_json(texts),
            run_name=run_name,
            repeatable=False,
        )
        return _wire.one(_wire.run, body, "run")

    def get_run(self, run_id: str) -> Run:
        """The run with this id, deleted or not. Raises NotFound."""
        return _wire.one(_wire.run, self._get("runs/get", run_id=run_id), "run")

    def update_run(
        self, run_id: str, status: str | None = None, name: str | None = None, end_time: int | None = None
    ) -> RunInfo:
        """Change what is given and leave the rest. `end_time` is in ms since 1970."""
        body = self._post(
            "runs/update",
            run_id=run_id,
            status=None if status is None else _wire.status_name(status),
            run_name=name,
            end_time=None if end_time is None else _values.timestamp_ms(end_time),
        )
        return _wire.one(_wire.run_info, body, "run_info")

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run: FINISHED and now, where nothing else is said."""
        self.update_run(run_id, status or RunStatus.FINISHED, end_time=now_ms() if end_time is None else end_time)

    def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted; `restore_run` brings it back."""
        self._post("runs/delete", run_id=run_id)

    def restore_run(self, run_id: str) -> None:
        """Bring back a deleted run."""
        self._post("runs/restore", run_id=run_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str | int] | str | int,
        filter_string: str = "",
        run_view_type: str = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """One page of the runs of these experiments that match the filter; `token` of the answer fetches the next."""
        ids = [experiment_ids] if isinstance(experiment_ids, str | int) else experiment_ids
        body = self._post(
            "runs/search",
            experiment_ids=[str(experiment_id) for experiment_id in ids],
            filter=filter_string,
            run_view_type=_wire.view_name(run_view_type),
            max_results=max_results,
            order_by=list(order_by or ()),
            page_token=page_token,
        )
        return PagedList(_wire.many(_wire.run, body, "runs"), _token(body))

    # Logging

    def log_metric(
        self, run_id: str, key: str, value: Any, timestamp: int | None = None, step: int | None = None
    ) -> None:
        """Log one point. `timestamp` (ms since 1970) defaults to now and `step`, any 64-bit integer, to 0.

        `value` may be a number, a boolean (as 0 and 1), a numpy scalar, or an array or tensor of one element.
        """
        point = _checked(Metric(key, value, now_ms() if timestamp is None else timestamp, 0 if step is None else step))
        self._post("runs/log-metric", run_id=run_id, **_wire.metric_json(point))

    def log_param(self, run_id: str, key: str, value: Any) -> Any:
        """Log `str(value)` as a param and return `value`. InvalidParameter where it has another value already."""
        text = _values.param_text(_values.checked_key("param", key), value)
        self._post("runs/log-parameter", run_id=run_id, key=key, value=text)
        return value

    def set_tag(self, run_id: str, key: str, value: Any) -> None:
        """Set a tag of a run to `str(value)`."""
        text = _values.tag_text(_values.checked_key("tag", key), value)
        self._post("runs/set-tag", run_id=run_id, key=key, value=text)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Delete a tag of a run. NotFound where the run has no such tag."""
        self._post("runs/delete-tag", run_id=run_id, key=key, gone_is_done=True)

    def log_batch(
        self,
        run_id: str,
        metrics: Iterable[Metric] = (),
        params: Iterable[Param] = (),
        tags: Iterable[RunTag] = (),
    ) -> None:
        """Log any number of metrics, params and tags, in as many requests as the server's limits ask for.

        Everything is checked before the first request is sent. Each request is stored whole or not at all.
        """
        points = [_checked(metric) for metric in metrics]
        texts = _values.checked_params((param.key, param.value) for param in params)
        marks = {_values.checked_key("tag", tag.key): _values.tag_text(tag.key, tag.value) for tag in tags}
        for part in split(points, texts, marks):
            self._post(
                "runs/log-batch",
                run_id=run_id,
                metrics=[_wire.metric_json(point) for point in part.metrics],
                params=_wire.text_json(part.params),
                tags=_wire.text_json(part.tags),
            )

    # Metric histories

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Every point of one metric of one run, in the order of timestamp, step and value."""
        return list(self.iter_metric_history(run_id, key))

    def iter_metric_history(self, run_id: str, key: str) -> Iterator[Metric]:
        """As `get_metric_history`, a page at a time, for histories that should not stand in memory at once."""
        token: str | None = None
        while True:
            body = self._get(
                "metrics/get-history", run_id=run_id, metric_key=key, max_results=_HISTORY_PAGE, page_token=token
            )
            yield from _wire.many(_wire.metric, body, "metrics")
            token = _token(body)
            if token is None:
                return

    def get_metric_history_bulk(self, run_ids: Sequence[str], key: str, max_results: int = 25_000) -> list[Metric]:
        """At most `max_results` points of one metric of several runs, by run, timestamp, step and value."""
        return self._points("get-history-bulk", key, run_id=list(run_ids), max_results=max_results)

    def get_metric_history_bulk_interval(
        self,
        run_ids: Sequence[str],
        key: str,
        start_step: int | None = None,
        end_step: int | None = None,
        max_results: int = 2500,
    ) -> list[Metric]:
        """Points at about `max_results` steps sampled evenly from `start_step` to `end_step`, both included."""
        return self._points(
            "get-history-bulk-interval",
            key,
            run_ids=list(run_ids),
            start_step=start_step,
            end_step=end_step,
            max_results=max_results,
        )

    def _points(self, path: str, key: str, **params: list[str] | str | int | None) -> list[Metric]:
        given = {name: value for name, value in params.items() if value is not None}
        given["metric_key"] = _values.utf8("The name of the metric", key)
        body = self._transport.json("GET", f"{_PAGES_API}/metrics/{path}", params=given)
        return _wire.many(_wire.metric, body, "metrics")


def _checked(metric: Metric) -> Metric:
    return Metric(
        _values.checked_key("metric", metric.key),
        _values.metric_value(metric.key, metric.value),
        _values.timestamp_ms(metric.timestamp),
        _values.int64("step", metric.step),
    )


def _token(body: Mapping[str, Any]) -> str | None:
    return body.get("next_page_token") or None
