"""One measurement: a job sent to a server, with the CPU that the server and its database took for it."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, fields

from benchmarks.load import Job, Result, send
from benchmarks.servers import Target

SLOW_SECONDS = 0.035
"""An answer in two segments waits for the client's delayed acknowledgement, 40 ms by the kernel's default."""


class Lost(Exception):
    """Something that was acknowledged cannot be read back."""


def unchecked(_result: Result) -> None:
    """For what nothing can be read back."""


@dataclass(frozen=True)
class Plan:
    """What to send, how many operations that is, and how to see that the server did it."""

    job: Job
    operations: int
    check: Callable[[Result], None] = unchecked
    """Reads back what was acknowledged. Raises Lost."""


@dataclass(frozen=True)
class Work:
    """A row of the table."""

    name: str
    make: Callable[[Target], Plan]
    reach: str = ""
    """What the server is to reach, in ms."""
    of: Callable[[Target], bool] = lambda _target: True
    """Which servers can do it."""


@dataclass(frozen=True)
class Sample:
    """Per operation: CPU of the server and of Postgres; per request: latencies. All in ms, the rate in requests/s."""

    server: float
    database: float
    rate: float
    p50: float
    p99: float
    failures: int = 0
    slow: float = 0.0
    """Percent of the requests that took longer than SLOW_SECONDS."""

    @property
    def cpu(self) -> float:
        return self.server + self.database


def measured(target: Target, work: Work) -> Sample:
    """Do the work once. Raises Lost where not all that was acknowledged is there."""
    plan = work.make(target)
    before = target.cpu()
    result = send(plan.job)
    after = target.cpu()
    if result.failures and len(result.failures) == len(result.latencies):
        raise Lost(f"every request was refused: {result.failures[0]}")
    plan.check(result)
    server, database = (1000 * (end - start) / plan.operations for start, end in zip(before, after, strict=True))
    return sample(server, database, result)


def sample(server: float, database: float, result: Result) -> Sample:
    """The sample of a result, given the CPU in ms of one operation."""
    times = sorted(1000 * latency for latency in result.latencies)
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
    slow = 100 * sum(latency > SLOW_SECONDS for latency in result.latencies) / len(times)
    return Sample(server, database, len(times) / result.seconds, p50, p99, len(result.failures), slow)


def middle(samples: list[Sample]) -> Sample:
    """The median of each number."""
    return Sample(*(statistics.median(getattr(one, each.name) for one in samples) for each in fields(Sample)))
