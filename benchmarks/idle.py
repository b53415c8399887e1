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


def at_rest(targets: list[Target], seconds: float) -> dict[str, Idle]:
    """Watch all servers for a while in which nobody asks them anything."""
    before = {str(target): target.cpu()[0] for target in targets}
    time.sleep(seconds)
    found = {}
    for target in targets:
        assert target.process is not None
        pid = target.process.pid
        percent = 100 * (target.cpu()[0] - before[str(target)]) / seconds
        found[str(target)] = Idle(len(cpu.tree(pid)), cpu.memory(pid) / 2**20, percent)
    return found


def restarted(target: Target) -> float:
    """Seconds from the start of the process to its first answer, on a store that is there."""
    target.stop()
    return target.start()


def load_and_weigh(target: Target, points: int) -> tuple[str, float]:
    """Log one long series. Returns its run and the bytes a point takes in the database, compacted where that exists."""
    before = _used(target.uri)
    run = load_series(target, SERIES, [points])[0]
    if isinstance(target, Minleaf):
        target.stop()
        target.compact()
        after = _used(target.uri)
        target.start()
    else:
        after = _used(target.uri)
    return run, (after - before) / points


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
