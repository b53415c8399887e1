"""How the pages name a run's status, its times and its parent."""

from dataclasses import dataclass

from minleaf_server.entities import Run, RunInfo, RunStatus
from minleaf_server.ui import format as fmt

PARENT_TAG = "mlflow.parentRunId"


@dataclass(frozen=True, slots=True)
class Status:
    """A word, and a style `name` for its dot."""

    word: str
    name: str


@dataclass(frozen=True, slots=True)
class Span:
    """A duration in words and in milliseconds, "" both where the run has no start or, ended, no end."""

    text: str
    title: str


def status(info: RunInfo) -> Status:
    """The run's status as a page shows it."""
    word = info.status.name.lower()
    return Status(word, word)


def span(info: RunInfo, now: int) -> Span:
    """How long the run took; for one that is running, how long it has been."""
    running = info.status is RunStatus.RUNNING
    end = now if info.end_time is None and running else info.end_time
    if info.start_time is None or end is None:
        return Span("", "")
    ms = end - info.start_time
    title = f"{fmt.count(ms)} ms"
    return Span(fmt.duration(ms), f"{title} so far" if info.end_time is None else title)


def parent_id(run: Run) -> str | None:
    """The id that the run's parent tag names; whether such a run exists is not known here."""
    return run.tags.get(PARENT_TAG) or None


def display_name(info: RunInfo) -> str:
    """The run's name, or the start of its id where it has none."""
    return info.name if info.name.strip() else info.id[:8]
