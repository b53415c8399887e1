"""What a server costs that does nothing, how long it takes to start, and the room that its points take."""

import time
from dataclasses import dataclass

import psycopg

from benchmarks import cpu
from benchmarks.data import load_series, query
from benchmarks.reading import SERIES
from benchmarks.servers import Minleaf, Target


@dataclass(frozen=True)
class Idle:
    """Of a server without requests."""

    processes: int
    megabytes: float
    percent: float
    """Of one core."""


SETTLE_SECONDS_MAX = 120
WINDOW_SECONDS = 3
BUSY_PERCENT = 15


def settle(targets: list[Target]) -> list[Target]:
    """Wait until every server has started all it starts and is quiet. Returns those that were not quiet in time.

    MLflow's server goes on for half a minute after its first answer, which would count as the work that comes next.
    """
    end = time.monotonic() + SETTLE_SECONDS_MAX
    quiet = 0
    while True:
        processes = [len(cpu.tree(pid_of(target))) for target in targets]
        found = at_rest(targets, WINDOW_SECONDS)
        restless = [
            target
            for target, before in zip(targets, processes, strict=True)
            if found[str(target)].percent > BUSY_PERCENT or found[str(target)].processes != before
        ]
        quiet = 0 if restless else quiet + 1
        if quiet == 2 or time.monotonic() > end:
            return restless


def at_rest(targets: list[Target], seconds: float) -> dict[str, Idle]:
    """Watch all servers for a while in which nobody asks them anything."""
    before = {str(target): target.cpu()[0] for target in targets}
    time.sleep(seconds)
    found = {}
    for target in targets:
        pid = pid_of(target)
        percent = 100 * (target.cpu()[0] - before[str(target)]) / seconds
        found[str(target)] = Idle(len(cpu.tree(pid)), cpu.memory(pid) / 2**20, percent)
    return found


def pid_of(target: Target) -> int:
    """The process of a server that runs."""
    assert target.process is not None
    return target.process.pid


def load_and_weigh(target: Target, points: int) -> tuple[str, float]:
    """Log one long series. Returns its run and the bytes a point takes in the database, compacted where that exists."""
    before = _weighed(target)
    run = load_series(target, SERIES, [points])[0]
    return run, (_weighed(target) - before) / points


def _weighed(target: Target) -> int:
    """Bytes of the database. All else is compacted too: its room must not count."""
    if not isinstance(target, Minleaf):
        return _used(target.uri)
    target.stop()
    target.compact()
    used = _used(target.uri)
    target.start()
    return used


def _used(uri: str) -> int:
    """Bytes of the database without what is free in it."""
    if uri.startswith("sqlite"):
        pages, free, size = (
            query(uri, f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)
    with psycopg.connect(uri, autocommit=True) as conn:
        conn.execute("VACUUM FULL")
        found = conn.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(found[0]) if found else 0
