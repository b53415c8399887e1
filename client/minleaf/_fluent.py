"""The functions that a script calls: log to the active run, and ask for runs and experiments.

`synchronous` is there because MLflow's functions have it. It changes nothing: every call returns when the server has
acknowledged it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, overload

from minleaf import _experiment
from minleaf._client import MinleafClient, now_ms
from minleaf._frame import runs_frame
from minleaf._runs import open_run
from minleaf._sink import current_sink
from minleaf.entities import Experiment, Metric, PagedList, Run, ViewType
from minleaf.exceptions import InvalidParameter

# A page of runs may be some megabytes, so not the 50,000 that the server allows.
_PAGE = 1000
_MOST_RUNS = 100_000

Item = TypeVar("Item")


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Log a param of the active run as `str(value)` and return `value`.

    Without an active run one is started. A param is written once: InvalidParameter where it has another value.
    """
    log_params({key: value})
    return value


def log_params(params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Log params of the active run, or of run `run_id`. A param is written once; see `log_param`."""
    if run_id is not None:
        current_sink().log_params(run_id, params)
        return
    run = open_run()
    for key, value in params.items():
        run.check_param(key, value)
    run.sink.log_params(run.run_id, params)
    for key, value in params.items():
        run.remember_param(key, value)


def log_metric(
    key: str,
    value: Any,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Log one point of a metric of the active run, or of run `run_id`.

    `value` may be a number, a boolean (as 0 and 1), a numpy scalar, or an array or tensor of one element; NaN and the
    infinities are kept. `step` defaults to 0 and `timestamp`, in milliseconds since 1970, to now.
    """
    log_metrics({key: value}, step, timestamp=timestamp, run_id=run_id)


def log_metrics(
    metrics: Mapping[str, Any],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> None:
    """Log a point of each of these metrics, all at the same step and time; see `log_metric`."""
    when = now_ms() if timestamp is None else timestamp
    points = [Metric(key, value, when, 0 if step is None else step) for key, value in metrics.items()]
    if run_id is not None:
        current_sink().log_metrics(run_id, points)
    else:
        run = open_run()
        run.sink.log_metrics(run.run_id, points)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> None:
    """Set a tag of the active run to `str(value)`; the last value stands."""
    set_tags({key: value})


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None) -> None:
    """Set tags of the active run; see `set_tag`."""
    run = open_run()
    run.sink.set_tags(run.run_id, tags)


def delete_tag(key: str) -> None:
    """Delete a tag of the active run. NotFound where it has no such tag."""
    run = open_run()
    run.sink.delete_tag(run.run_id, key)


def get_run(run_id: str) -> Run:
    """Read a run, deleted or not. Raises NotFound."""
    return MinleafClient().get_run(run_id)


def delete_run(run_id: str) -> None:
    """Mark a run as deleted; `restore_run` brings it back."""
    MinleafClient().delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Bring back a deleted run."""
    MinleafClient().restore_run(run_id)


def create_experiment(name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None) -> str:
    """Create an experiment and return its id. AlreadyExists where the name is taken, by a deleted one too."""
    return current_sink().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str | int) -> Experiment:
    """Read an experiment, deleted or not. Raises NotFound."""
    return MinleafClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """Read an experiment, deleted or not; None where there is none of this name."""
    return MinleafClient().get_experiment_by_name(name)


def delete_experiment(experiment_id: str | int) -> None:
    """Mark an experiment and its runs as deleted; `restore_experiment` brings them back."""
    MinleafClient().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str | int) -> None:
    """Bring back a deleted experiment and its runs."""
    MinleafClient().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag of the experiment that new runs go to."""
    current_sink().set_experiment_tag(_experiment.active_experiment_id(), key, value)


def search_experiments(
    view_type: str = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """All experiments that match the filter, or the first `max_results` of them."""
    client = MinleafClient()
    return _all_pages(
        lambda count, token: client.search_experiments(view_type, count, filter_string, order_by, token), max_results
    )


@overload
def search_runs(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str = "",
    run_view_type: str = ViewType.ACTIVE_ONLY,
    max_results: int = _MOST_RUNS,
    order_by: Sequence[str] | None = None,
    output_format: Literal["list"] = "list",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> list[Run]: ...


@overload
def search_runs(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str = "",
    run_view_type: str = ViewType.ACTIVE_ONLY,
    max_results: int = _MOST_RUNS,
    order_by: Sequence[str] | None = None,
    *,
    output_format: Literal["pandas"],
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any: ...


def search_runs(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str = "",
    run_view_type: str = ViewType.ACTIVE_ONLY,
    max_results: int = _MOST_RUNS,
    order_by: Sequence[str] | None = None,
    output_format: Literal["list", "pandas"] = "list",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """The first `max_results` runs that match the filter, of the experiments given by id or name.

    Without either, the active experiment is searched, or all with `search_all_experiments`. The answer is a list of
    `Run`; with `output_format="pandas"`, which is MLflow's default, a DataFrame with MLflow's column names.
    """
    if output_format not in ("list", "pandas"):
        raise InvalidParameter(f'output_format is "list" or "pandas", not {output_format!r}.')
    ids = _searched(experiment_ids, experiment_names, search_all_experiments)
    client = MinleafClient()

    def page(count: int, token: str | None) -> PagedList[Run]:
        return client.search_runs(ids, filter_string, run_view_type, count, order_by, token)

    runs = _all_pages(page, max_results) if ids else []
    return runs if output_format == "list" else runs_frame(runs)


def _searched(ids: Sequence[str | int] | None, names: Sequence[str] | None, everything: bool) -> list[str]:
    if ids and names:
        raise InvalidParameter("Give search_runs experiment_ids or experiment_names, not both.")
    if ids:
        return [str(experiment_id) for experiment_id in ([ids] if isinstance(ids, str | int) else ids)]
    if names:
        return [_id_of(name) for name in ([names] if isinstance(names, str) else names)]
    if everything:
        return [experiment.experiment_id for experiment in search_experiments()]
    return [_experiment.active_experiment_id()]


def _id_of(name: str) -> str:
    found = get_experiment_by_name(name)
    if found is None:
        raise InvalidParameter(f"There is no experiment named {name!r}.")
    return found.experiment_id


def _all_pages(page: Callable[[int, str | None], PagedList[Item]], most: int | None) -> list[Item]:
    found: list[Item] = []
    token: str | None = None
    while most is None or len(found) < most:
        part = page(_PAGE if most is None else min(_PAGE, most - len(found)), token)
        found.extend(part)
        token = part.token
        if token is None:
            break
    return found
