"""Starting and ending runs: `start_run`, `end_run`, and what happens to open runs when the process ends."""

import atexit
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, cast

from minleaf import _active, _experiment, _tags
from minleaf._active import OpenRun
from minleaf._client import MinleafClient, now_ms
from minleaf._settings import forget_variable, variable
from minleaf._sink import current_sink
from minleaf._wire import status_name
from minleaf.entities import LifecycleStage, Run, RunStatus
from minleaf.exceptions import InvalidParameter, InvalidState, MinleafException

_log = logging.getLogger("minleaf")


class ActiveRun(Run):
    """A started run. As a context manager it ends FINISHED, or FAILED when any exception leaves the block.

    That includes KeyboardInterrupt and SystemExit, as with MLflow; KILLED is only set by `end_run("KILLED")`.
    """

    def __enter__(self) -> "ActiveRun":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        run = _active.find(self.info.run_id)
        if run is None:
            return
        if kind is None:
            _end(run, RunStatus.FINISHED)
            return
        try:
            _end(run, RunStatus.FAILED)
        except MinleafException as failure:
            # The exception of the block is what the user has to see.
            _log.warning("Run %s could not be marked as FAILED: %s", run.run_id, failure)


def start_run(
    run_id: str | None = None,
    experiment_id: str | int | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
) -> ActiveRun:
    """Start a run and make it the active one, to which `log_param` and the others log.

    With `run_id`, or MINLEAF_RUN_ID or MLFLOW_RUN_ID in the environment, that run is taken up again and set to
    RUNNING; the environment variable is used up by it. While a run is active another one needs `nested=True` and
    becomes its child. Without `experiment_id` the run goes to the experiment of `set_experiment`.

    Raises InvalidState where a run is active already, InvalidParameter, NotFound, and the errors of the connection.
    """
    run = _start(run_id, experiment_id, run_name, nested, parent_run_id, _with_note(tags, description))
    return cast(ActiveRun, run.run)


def _start(
    run_id: str | None = None,
    experiment_id: str | int | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
) -> OpenRun:
    outer = _active.innermost()
    if outer is not None and not nested:
        raise InvalidState(
            f"Run {outer.run_id} is already active. End it with end_run() first, or start this one inside it with "
            "start_run(nested=True)."
        )
    resumed = run_id or variable("RUN_ID")
    if resumed:
        if not run_id:
            forget_variable("RUN_ID")
        run = _resume(resumed, run_name, tags or {})
    else:
        run = _create(experiment_id, run_name, _parent(parent_run_id, outer), tags or {})
    opened = OpenRun(ActiveRun(run.info, run.data), current_sink())
    _active.push(opened)
    return opened


def _with_note(tags: Mapping[str, Any] | None, description: str | None) -> dict[str, Any]:
    marks = dict(tags or {})
    if description:
        if _tags.NOTE in marks:
            raise InvalidParameter(f"Give the description as description= or as tag {_tags.NOTE!r}, not as both.")
        marks[_tags.NOTE] = description
    return marks


def _resume(run_id: str, name: str | None, tags: Mapping[str, Any]) -> Run:
    client, sink = MinleafClient(), current_sink()
    info = client.get_run(run_id).info
    chosen = _experiment.chosen_id()
    if chosen is not None and chosen != info.experiment_id:
        raise InvalidParameter(
            f"Run {run_id} belongs to experiment {info.experiment_id}, and set_experiment chose {chosen}. Choose the "
            "experiment of the run before resuming it."
        )
    if info.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidParameter(
            f"Run {run_id} is deleted and cannot be resumed; restore_run({run_id!r}) brings it back."
        )
    sink.update_run(run_id, status=RunStatus.RUNNING, name=name)
    if tags:
        sink.set_tags(run_id, tags)
    return client.get_run(run_id)


def _parent(parent_run_id: str | None, outer: OpenRun | None) -> str | None:
    """The parent of a new run: the one asked for, which must be the active run if there is one, else the active run."""
    if parent_run_id is None:
        return None if outer is None else outer.run_id
    if outer is not None and parent_run_id != outer.run_id:
        raise InvalidParameter(
            f"parent_run_id is {parent_run_id}, but run {outer.run_id} is active and would be the parent. End it with "
            "end_run() first."
        )
    if MinleafClient().get_run(parent_run_id).info.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidParameter(f"Run {parent_run_id} is deleted and cannot be the parent of a new run.")
    return parent_run_id


def _create(experiment_id: str | int | None, name: str | None, parent: str | None, tags: Mapping[str, Any]) -> Run:
    home = _experiment.active_experiment_id() if experiment_id is None else str(experiment_id)
    own = {} if parent is None else {_tags.PARENT_RUN_ID: parent}
    if name:
        own[_tags.RUN_NAME] = name
    return current_sink().create_run(home, {**_tags.start_tags(), **tags, **own}, name)


def end_run(status: str = RunStatus.FINISHED) -> None:
    """End the active run with a status: FINISHED, FAILED or KILLED. Without an active run nothing happens."""
    run = _active.innermost()
    if run is not None:
        forget_variable("RUN_ID")
        _end(run, status_name(status))


def _end(run: OpenRun, status: str) -> None:
    # First of all no longer active, as with MLflow: where the server cannot be told, logging does not go on as if.
    _active.remove(run)
    run.sink.update_run(run.run_id, status=status, end_time=now_ms())


def open_run() -> OpenRun:
    """The active run, which is started where there is none, as with MLflow."""
    return _active.innermost() or _start()


def active_run() -> ActiveRun | None:
    """The active run of this thread or asyncio task, as it was when it started, or None."""
    run = _active.innermost()
    return None if run is None else cast(ActiveRun, run.run)


def last_active_run() -> Run | None:
    """The active run or else the run that ended last in this thread or task, read anew from the server, or None."""
    active = active_run()
    if active is not None:
        return active
    run_id = _active.last_run_id()
    return None if run_id is None else MinleafClient().get_run(run_id)


def _end_all() -> None:
    """At exit: end what is open as FINISHED, innermost first.

    That holds for a script that dies from an exception outside any `with start_run()` block too, as with MLflow,
    which however leaves the outer runs and those of other threads RUNNING for ever.
    """
    for run in _active.all_open():
        try:
            _end(run, RunStatus.FINISHED)
        except MinleafException as failure:
            _log.warning("Run %s could not be marked as FINISHED: %s", run.run_id, failure)
            return


atexit.register(_end_all)
