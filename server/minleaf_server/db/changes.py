"""What the jobs of one transaction want stored, gathered by table: each table is written once for all of them."""

from dataclasses import dataclass, field

from minleaf_server.db.memory import RunRow
from minleaf_server.entities import MetricSummary

Place = tuple[int, int]  # run, key
NewStatus = tuple[int | None, int | None, str | None]

UNCHANGED: NewStatus = (None, None, None)


@dataclass(slots=True)
class Changes:
    """Not sent yet. Of two values for one place the later stands.

    `runs` are new ones. `segments` have a run, a number of points and their bytes. `changed` has, by run, a new status,
    end time and name, each None where it stays; a run with nothing new in its row stands there too where its data
    changed, for it gets a new `seq`.
    """

    runs: list[RunRow] = field(default_factory=list)
    segments: list[tuple[int, int, bytes]] = field(default_factory=list)
    summaries: dict[Place, MetricSummary] = field(default_factory=dict)
    params: dict[Place, tuple[str, float | None]] = field(default_factory=dict)
    tags: dict[Place, str] = field(default_factory=dict)
    changed: dict[int, NewStatus] = field(default_factory=dict)

    def __bool__(self) -> bool:
        # Everything else is noted together with the run that it is of.
        return bool(self.runs or self.changed)

    def change(self, run_id: int, status: int | None, end_time: int | None, name: str | None) -> None:
        """Note what is new in the row of a run; None leaves what was noted before."""
        old = self.changed.get(run_id, UNCHANGED)
        new = (status, end_time, name)
        self.changed[run_id] = (
            new if old is UNCHANGED else (new[0] or old[0], old[1] if new[1] is None else new[1], new[2] or old[2])
        )
