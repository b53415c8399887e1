"""Compaction in the background: which runs are due, one after the other, in small parts that leave the writer free."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from minleaf_server.db.tables import run, segment
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write.compaction import compact
from minleaf_server.errors import Exhausted, Unavailable

SEGMENTS_DUE = 256
"""A run with this many new segments is compacted while it goes on."""

SEGMENTS_WORTH = 8
"""A run that has been quiet is compacted when it has this many."""

QUIET_SECONDS = 60.0
_RETRY_SECONDS = 2.0
# Of the time, compaction takes at most a tenth.
_REST_FACTOR = 9
_RUNS_PER_SWEEP = 500

Write = Callable[[Callable[[Transaction], bool], tuple[str, ...]], "Future[bool]"]
Found = list[tuple[int, str, int]]
Read = Callable[[Callable[[Connection], Found]], Found]

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """The segments of a run that are new since it was compacted, and when the last of them came."""

    count: int
    last: float


class Compactor:
    """A thread that compacts. `write` queues a job of the writer, `read` runs one on a reading connection."""

    def __init__(self, write: Write, read: Read) -> None:
        self._write = write
        self._read = read
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}
        # Runs that are due and not compacted yet, and where the search for what an earlier process left goes on.
        self._listed: dict[str, None] = {}
        self._sweep_after: int | None = -1
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="compactor", daemon=True)
        self._thread.start()

    def stored(self, counts: Mapping[str, int]) -> None:
        """Note how many segments were committed, by run id. Called by the writer, so it must cost next to nothing."""
        now = time.monotonic()
        due = False
        with self._lock:
            for uuid, count in counts.items():
                waiting = self._waiting.setdefault(uuid, _Waiting(0, now))
                waiting.count += count
                waiting.last = now
                due = due or waiting.count >= SEGMENTS_DUE
        if due:
            self._wake.set()

    def close(self) -> None:
        """Stop after the part that is under way."""
        self._closed.set()
        self._wake.set()
        self._thread.join()

    def _work(self) -> None:
        pause = QUIET_SECONDS / 2
        while not self._closed.is_set():
            is_quiet = not self._wake.wait(pause)
            self._wake.clear()
            self._listed |= dict.fromkeys(self._due())
            try:
                self._compact_listed()
                is_sweeping = is_quiet and self._sweep()
                pause = 0.0 if is_sweeping else QUIET_SECONDS / 2
            except (Unavailable, Exhausted):
                # The database is away or full, or the server is closing: what is listed stays so until it answers.
                pause = _RETRY_SECONDS
            except Exception:
                log.exception("The search for runs to compact failed: their points stay as they are")
                pause, self._sweep_after = QUIET_SECONDS / 2, None

    def _compact_listed(self) -> None:
        while self._listed and not self._closed.is_set():
            uuid = next(iter(self._listed))
            try:
                self._compact(uuid)
            except (Unavailable, Exhausted):
                raise
            except Exception:
                log.exception("Compaction of run %s failed: its points stay as they are", uuid)
            del self._listed[uuid]

    def _sweep(self) -> bool:
        """Compact some of what an earlier process left. Returns whether there may be more."""
        if self._sweep_after is None:
            return False
        uuids, self._sweep_after = _page(self._read, self._sweep_after)
        self._listed |= dict.fromkeys(uuids)
        self._compact_listed()
        return True

    def _due(self) -> list[str]:
        """The runs to compact now. A quiet run with few segments is forgotten."""
        quiet = time.monotonic() - QUIET_SECONDS
        with self._lock:
            due = [
                uuid
                for uuid, waiting in self._waiting.items()
                if waiting.count >= SEGMENTS_DUE or (waiting.last < quiet and waiting.count >= SEGMENTS_WORTH)
            ]
            for uuid in [*due, *(uuid for uuid, waiting in self._waiting.items() if waiting.last < quiet)]:
                self._waiting.pop(uuid, None)
        return due

    def _compact(self, uuid: str) -> None:
        more = True
        while more and not self._closed.is_set():
            started = time.monotonic()
            more = self._write(lambda tx: compact(tx, uuid), (uuid,)).result()
            self._closed.wait((time.monotonic() - started) * _REST_FACTOR)


def left_over(read: Read) -> Iterator[str]:
    """The ids of the runs with enough segments to be worth compacting, found a few hundred runs at a time."""
    after: int | None = -1
    while after is not None:
        uuids, after = _page(read, after)
        yield from uuids


def _page(read: Read, after: int) -> tuple[list[str], int | None]:
    """Some runs that are worth compacting, and the internal id to go on behind, None at the end."""

    def page(conn: Connection) -> Found:
        counted = (
            select(segment.c.run_id, func.count().label("n"))
            .where(segment.c.run_id > after)
            .group_by(segment.c.run_id)
            .order_by(segment.c.run_id)
            .limit(_RUNS_PER_SWEEP)
            .subquery()
        )
        query = select(run.c.id, run.c.uuid, counted.c.n).join(counted, counted.c.run_id == run.c.id)
        return [(row.id, row.uuid, row.n) for row in conn.execute(query.order_by(run.c.id))]

    found = read(page)
    uuids = [uuid for _, uuid, count in found if count >= SEGMENTS_WORTH]
    return uuids, found[-1][0] if len(found) == _RUNS_PER_SWEEP else None
