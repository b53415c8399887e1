"""A metric's series as a chart draws it."""

from dataclasses import dataclass
from enum import Enum


class Axis(Enum):
    """What stands on a curve's x axis.

    `STEP` is the logged step, `TIME` the logged timestamp in milliseconds since 1970, `RELATIVE` the milliseconds
    since the earliest timestamp of the same run and metric.
    """

    STEP = "step"
    TIME = "time"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of one run between two places of the x axis, thinned where it has more points than were asked for.

    `x` and `y` are parallel and in x order, points that are NaN or infinite among them. Each is a logged point: no
    value is averaged or rounded. `before` and `after` are the nearest points outside the range, so that a line can be
    drawn up to its edges. `total` counts the points of the whole series; `in_range`, `nan_count` and `inf_count`
    count those in the range, whether or not they are in `x`.
    """

    run_id: str
    x: list[int]
    y: list[float]
    total: int
    in_range: int
    nan_count: int
    inf_count: int
    before: tuple[int, float] | None = None
    after: tuple[int, float] | None = None
