"""What writers sent and what the server acknowledged of it, and whether the server has kept it."""

import math
import struct
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Mark = tuple[int, int, bytes]
"""A point of a series as (step, timestamp, bits of the value), so that a NaN equals itself."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point as it was sent."""

    key: str
    value: float
    timestamp: int
    step: int

    @property
    def mark(self) -> Mark:
        return self.step, self.timestamp, bits(self.value)

    def json(self) -> dict[str, Any]:
        """As MLflow's client sends it: NaN and infinity as text."""
        value: Any = self.value if math.isfinite(self.value) else _SHOWN.get(self.value, "NaN")
        return {"key": self.key, "value": value, "timestamp": self.timestamp, "step": self.step}


_SHOWN = {math.inf: "Infinity", -math.inf: "-Infinity"}


def bits(value: float) -> bytes:
    """The value's eight bytes; every NaN has the same."""
    return struct.pack("<d", math.nan if math.isnan(value) else value)


@dataclass(slots=True, eq=False)
class Batch:
    """What one request writes to a run. It may be sent more than once: a client repeats what was not answered."""

    run_id: str
    points: list[Point] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    acknowledged: bool = False

    def request(self) -> tuple[str, dict[str, Any]]:
        """Path and body: the call for one thing where it is one, else log-batch."""
        if (len(self.points), len(self.params), len(self.tags)) == (1, 0, 0):
            return "log-metric", {"run_id": self.run_id, **self.points[0].json()}
        if (len(self.points), len(self.params), len(self.tags)) == (0, 1, 0):
            return "log-parameter", {"run_id": self.run_id, **_pairs(self.params)[0]}
        if (len(self.points), len(self.params), len(self.tags)) == (0, 0, 1):
            return "set-tag", {"run_id": self.run_id, **_pairs(self.tags)[0]}
        body = {"run_id": self.run_id, "params": _pairs(self.params), "tags": _pairs(self.tags)}
        return "log-batch", {**body, "metrics": [point.json() for point in self.points]}


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the server says of a whole series, beside its points. NaN stands for a number that is not there."""

    count: int
    last: Mark
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Stored:
    """A run as the server has it."""

    points: dict[str, list[Mark]]
    summaries: dict[str, Summary]
    params: dict[str, str]
    tags: dict[str, str]


class Ledger:
    """Every batch of every writer, in the order in which it was first sent. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._batches: dict[str, list[Batch]] = defaultdict(list)

    def sent(self, batch: Batch) -> None:
        """Note a new batch, before it is sent."""
        with self._lock:
            self._batches[batch.run_id].append(batch)

    def answered(self, batch: Batch) -> None:
        """Note that the server answered 200."""
        with self._lock:
            batch.acknowledged = True

    def runs(self) -> list[str]:
        return list(self._batches)

    def faults(self, run_id: str, stored: Stored) -> Iterator[str]:
        """What is wrong with a run that nobody writes to now: a line for each fault."""
        batches = self._batches[run_id]
        yield from _point_faults(batches, stored)
        yield from _summary_faults(stored)
        for kept, sent in ((stored.params, [b.params for b in batches]), (stored.tags, [b.tags for b in batches])):
            yield from _value_faults(kept, sent, [b.acknowledged for b in batches])
        yield from _torn(batches, stored)


def _point_faults(batches: list[Batch], stored: Stored) -> Iterator[str]:
    sent, acknowledged = _marks(batches), _marks(batch for batch in batches if batch.acknowledged)
    for key in sent.keys() | stored.points.keys():
        marks = stored.points.get(key, [])
        kept = set(marks)
        if len(marks) > len(kept):
            yield f"{key}: {len(marks) - len(kept)} points are there more than once"
        if lost := acknowledged[key] - kept:
            yield f"{key}: {len(lost)} of {len(acknowledged[key])} acknowledged points are lost, as {min(lost)}"
        if invented := kept - sent[key]:
            yield f"{key}: {len(invented)} points were never sent, as {min(invented)}"


def _marks(batches: Iterable[Batch]) -> defaultdict[str, set[Mark]]:
    found: defaultdict[str, set[Mark]] = defaultdict(set)
    for batch in batches:
        for point in batch.points:
            found[point.key].add(point.mark)
    return found


def _summary_faults(stored: Stored) -> Iterator[str]:
    expected = {key: summary_of(marks) for key, marks in stored.points.items() if marks}
    for key in expected.keys() | stored.summaries.keys():
        if repr(expected.get(key)) != repr(stored.summaries.get(key)):
            yield f"{key}: the summary is {stored.summaries.get(key)}, the points say {expected.get(key)}"


def summary_of(marks: list[Mark]) -> Summary:
    """What a summary of these points has to be."""
    values = [value for mark in marks if not math.isnan(value := struct.unpack("<d", mark[2])[0])]
    return Summary(len(marks), max(marks), min(values, default=math.nan), max(values, default=math.nan))


def _value_faults(kept: dict[str, str], sent: list[dict[str, str]], acknowledged: list[bool]) -> Iterator[str]:
    """A name has the last acknowledged value or one that was sent after it: each name has one writer."""
    allowed: dict[str, set[str | None]] = defaultdict(lambda: {None})
    for values, is_acknowledged in zip(sent, acknowledged, strict=True):
        for name, value in values.items():
            allowed[name] = {value} if is_acknowledged else {*allowed[name], value}
    for name in allowed.keys() | kept.keys():
        if kept.get(name) not in allowed[name]:
            yield f"{name} is {kept.get(name)}, not one of {sorted(map(str, allowed[name]))}"


def _torn(batches: list[Batch], stored: Stored) -> Iterator[str]:
    """A batch is there as a whole or not at all. A param that several batches have says nothing of either."""
    kept = {key: set(marks) for key, marks in stored.points.items()}
    batches_with = Counter(name for batch in batches for name in batch.params)
    for batch in batches:
        there = {point.mark in kept.get(point.key, ()) for point in batch.points}
        own = {name: value for name, value in batch.params.items() if batches_with[name] == 1}
        there |= {stored.params.get(name) == value for name, value in own.items()}
        if len(there) > 1:
            yield f"a batch of {len(batch.points)} points and {len(batch.params)} params is there in part"
