"""What the writer remembers from one committed transaction to the next, so that most requests read next to nothing."""

from collections import OrderedDict
from dataclasses import dataclass, field

from minleaf_server.db.known_points import KnownPoints
from minleaf_server.db.tables import KeyKind
from minleaf_server.entities import Lifecycle, MetricSummary, RunInfo, RunStatus

# Of all runs together: an entry is a summary or the id of a param and takes about 400 bytes at most.
KEPT_ENTRIES_MAX = 50_000
# Of all experiments together; a name takes about 150 bytes.
KEPT_NAMES_MAX = 100_000


@dataclass(slots=True)
class RunRow:
    """The row of a run that the writer has locked, and what it knows of the run's data.

    That is true as long as `seq` is. `summaries` and `params` (only that they are there) are by the ids of their keys.
    They are everything the run has where `is_whole` is set, as it is for a run that this writer made.
    """

    id: int
    uuid: str
    experiment_id: int
    name: str
    user: str
    status: int
    start_time: int | None
    end_time: int | None
    lifecycle: int
    artifact_uri: str
    seq: int
    summaries: dict[int, MetricSummary] = field(default_factory=dict)
    params: set[int] = field(default_factory=set)
    is_whole: bool = False

    def info(self) -> RunInfo:
        """The run as the use cases know it."""
        return RunInfo(
            self.uuid,
            self.experiment_id,
            self.name,
            self.user,
            RunStatus(self.status),
            self.start_time,
            self.end_time,
            Lifecycle(self.lifecycle),
            self.artifact_uri,
        )


class KeptRuns:
    """The runs written last. A run is taken out while a transaction works on it: a rollback then leaves nothing."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, RunRow] = OrderedDict()
        self._entries = 0

    def __len__(self) -> int:
        return len(self._runs)

    def take(self, uuid: str, seq: int | None = None) -> RunRow | None:
        """The run out of the memory, or None where it is not known. With `seq`, not known as it is now."""
        row = self._runs.pop(uuid, None)
        if row is None:
            return None
        self._entries -= _entries(row)
        return row if seq is None or row.seq == seq else None

    def keep(self, row: RunRow) -> None:
        """Remember the run; the one that was written least recently is forgotten where there are too many."""
        self._runs[row.uuid] = row
        self._entries += _entries(row)
        while self._entries > KEPT_ENTRIES_MAX:
            _, old = self._runs.popitem(last=False)
            self._entries -= _entries(old)

    def forget_all(self) -> None:
        """Where runs changed that were not taken out."""
        self._runs.clear()
        self._entries = 0


class KeptNames:
    """The ids of names, by experiment and kind. The names of an experiment are forgotten together."""

    def __init__(self) -> None:
        self._ids: OrderedDict[tuple[int, KeyKind], dict[str, int]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, experiment_id: int, kind: KeyKind) -> dict[str, int]:
        """The names that are known of this kind."""
        return self._ids.get((experiment_id, kind), {})

    def keep(self, experiment_id: int, kind: KeyKind, ids: dict[str, int]) -> None:
        """Remember names; those that got no new one for the longest time are forgotten where there are too many."""
        known = self._ids.setdefault((experiment_id, kind), {})
        self._ids.move_to_end((experiment_id, kind))
        self._count -= len(known)
        known.update(ids)
        self._count += len(known)
        while self._count > KEPT_NAMES_MAX:
            _, old = self._ids.popitem(last=False)
            self._count -= len(old)


@dataclass(slots=True)
class Memory:
    """All of it. Only what is committed comes here."""

    names: KeptNames = field(default_factory=KeptNames)
    runs: KeptRuns = field(default_factory=KeptRuns)
    known_points: KnownPoints = field(default_factory=KnownPoints)


def _entries(row: RunRow) -> int:
    return 2 + len(row.summaries) + len(row.params)
