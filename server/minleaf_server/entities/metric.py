"""Metric points and the summary kept per run and metric."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from msgspec import Struct


class Point(NamedTuple):
    """One logged value of one metric. `timestamp` is in milliseconds since 1970, `step` any signed 64-bit integer.

    `value` is any double, NaN and infinities included, kept bit for bit.
    """

    key: str
    value: float
    timestamp: int
    step: int


class PointColumns(Struct, frozen=True, gc=False):
    """Many points as four lists of equal length, in the order in which they were logged.

    A request brings up to a thousand points: a list for each field costs a fraction of an object for each point.
    """

    keys: Sequence[str]
    values: Sequence[float]
    timestamps: Sequence[int]
    steps: Sequence[int]

    @classmethod
    def of(cls, points: Iterable[Point]) -> Self:
        """The same points as columns."""
        columns = list(zip(*points, strict=True)) or [(), (), (), ()]
        return cls(*columns)

    def __len__(self) -> int:
        return len(self.keys)

    def point(self, index: int) -> Point:
        """One of the points."""
        return Point(self.keys[index], self.values[index], self.timestamps[index], self.steps[index])


NO_POINTS = PointColumns((), (), (), ())


class LatestPoint(Struct, frozen=True, gc=False):
    """The point of one metric of one run with the largest (step, timestamp, value), as MLflow's latest metric is.

    NaN counts as zero in that comparison. A page of a thousand runs holds tens of thousands of these: a Struct is made
    ten times as fast as a dataclass.
    """

    last: float
    last_step: int
    last_timestamp: int


class MetricSummary(LatestPoint, frozen=True, gc=False):
    """What is known of one metric of one run without reading its points.

    `min` and `max` leave NaN out and are None when every point is NaN; their steps are the smallest step at which the
    extreme stands. `count` counts distinct points, `nan_count` those of them that are NaN.
    """

    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None
    count: int
    nan_count: int
