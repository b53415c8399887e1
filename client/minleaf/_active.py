"""The runs that are open in this process, as a stack for each thread and each asyncio task.

The stack lies in a context variable: a new thread starts with an empty one, a new task with that of the task that
made it, and what a task starts the others do not see. In a Jupyter kernel a cell with `await` runs in a task of its
own, whose context is lost with the cell; there the stack belongs to the thread, as with MLflow.
"""

import os
import threading
from collections.abc import Iterable
from contextvars import ContextVar

from minleaf._sink import Sink
from minleaf._tags import notebook_shell
from minleaf._values import checked_key, param_text
from minleaf.entities import Run
from minleaf.exceptions import InvalidParameter


class OpenRun:
    """A run that was started here and not ended, with the sink it logs to and the params it is known to have."""

    def __init__(self, run: Run, sink: Sink) -> None:
        self.run = run
        self.sink = sink
        self.is_open = True
        self._params = dict(run.data.params)

    @property
    def run_id(self) -> str:
        return self.run.info.run_id

    def check_param(self, key: str, value: object) -> None:
        """Raise InvalidParameter where the run is known to have param `key` with another value."""
        text = param_text(checked_key("param", key), value)
        known = self._params.get(key, text)
        if known != text:
            raise InvalidParameter(
                f"A param is written once: {key!r} of run {self.run_id} is already {known!r} and cannot become "
                f"{text!r}. Log what changes during a run as a metric, and start another run, or a nested one, for "
                "other params."
            )

    def remember_param(self, key: str, value: object) -> None:
        """Note a param that the server has acknowledged."""
        self._params[key] = str(value)


_Stack = tuple[OpenRun, ...]
_stack: ContextVar[_Stack] = ContextVar("minleaf_runs", default=())
_of_thread = threading.local()
_last: ContextVar[str | None] = ContextVar("minleaf_last_run", default=None)
# Every open run of the process, in the order of starting. A dict, because its operations are atomic.
_open: dict[str, OpenRun] = {}


def stack() -> _Stack:
    """The open runs of this context, innermost last. Runs that another context has ended are left out."""
    runs: _Stack = getattr(_of_thread, "runs", ()) if notebook_shell() else _stack.get()
    return tuple(run for run in runs if run.is_open)


def push(run: OpenRun) -> None:
    """Make `run` the active one of this context."""
    _open[run.run_id] = run
    _set((*stack(), run))


def remove(run: OpenRun) -> None:
    """Note that `run` has ended, wherever it was started."""
    run.is_open = False
    _open.pop(run.run_id, None)
    _set(stack())
    _last.set(run.run_id)
    _of_thread.last = run.run_id


def _set(runs: _Stack) -> None:
    if notebook_shell():
        _of_thread.runs = runs
    else:
        _stack.set(runs)


def innermost() -> OpenRun | None:
    """The active run of this context."""
    runs = stack()
    return runs[-1] if runs else None


def find(run_id: str) -> OpenRun | None:
    """The open run with this id, of any context of this process."""
    return _open.get(run_id)


def last_run_id() -> str | None:
    """The run that ended last in this context or, failing that, in this thread."""
    return _last.get() or getattr(_of_thread, "last", None)


def all_open() -> Iterable[OpenRun]:
    """Every open run of the process, the latest first."""
    return list(reversed(_open.values()))


def _after_fork() -> None:
    # The runs belong to the parent, which ends them. A child that logs starts a run of its own, as with MLflow.
    for run in _open.values():
        run.is_open = False
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
