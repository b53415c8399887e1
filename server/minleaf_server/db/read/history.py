"""One series in order of time, some thousands of points at a time, each time in a snapshot of its own.

Between two snapshots points may come, and compaction may move points from segments to chunks. Neither matters: what
comes next is found anew, as the points behind the last one, and a point that is met twice is taken once.
"""

from sqlalchemy import Connection, select

from minleaf_server.db.read.blocks import Blocks
from minleaf_server.db.tables import KeyKind, key, run
from minleaf_server.points.history import Corner, first_points, window
from minleaf_server.points.series import Place, Series

HELD_MAX = 262_144
"""Points that are held at a time where many blocks are of the same time: some 20 MB while they are sorted."""


class History:
    """The points of one metric of one run behind `after`. Not to be used by two threads at once."""

    def __init__(self, conn: Connection, row_id: int, name: str, after: Place | None = None) -> None:
        """`row_id` is the internal id of the run. A metric that the run does not have has no points."""
        query = (
            select(key.c.id)
            .join(run, run.c.experiment_id == key.c.experiment_id)
            .where(run.c.id == row_id, key.c.kind == int(KeyKind.METRIC), key.c.name == name)
        )
        key_id = conn.execute(query).scalar()
        self._blocks = None if key_id is None else Blocks(row_id, key_id)
        self._taken_to = after
        self._read_to = after
        self._ready = Series.joined(())

    def starts_at_a_point(self, conn: Connection) -> bool:
        """Whether the place that the history is to go on behind is one of its points."""
        place = self._taken_to
        if place is None or self._blocks is None:
            return place is None
        corner = Corner(place.timestamp, place.step)
        blocks = [block for block in self._blocks.look(conn, place) if block.first <= corner]
        return any(points.has(place) for _, points in self._blocks.read(conn, blocks))

    def take(self, conn: Connection, count: int) -> Series:
        """The next points, at most `count` of them; none at the end."""
        if not len(self._ready):
            self._ready = self._next(conn, count)
        taken, self._ready = self._ready[:count], self._ready[count:]
        if len(taken):
            self._taken_to = taken.place(-1)
        return taken

    def rest(self, conn: Connection) -> Place | None:
        """The last place that was taken where points lie behind it, None at the end."""
        if not len(self._ready):
            self._ready = self._next(conn, 1)
        return self._taken_to if len(self._ready) else None

    def _next(self, conn: Connection, wanted: int) -> Series:
        """The points of the next window, of which there are at least `wanted` where it is not the last."""
        if self._blocks is None:
            return Series.joined(())
        blocks = self._blocks.look(conn, self._read_to)
        while True:
            plan = window(blocks, self._read_to, wanted)
            parts = self._blocks.read(conn, plan.blocks)
            points, _ = first_points(parts, self._read_to, plan.before, HELD_MAX)
            if len(points):
                self._read_to = points.place(-1)
            # What was compacted meanwhile may leave a window empty that is not the last.
            if len(points) or plan.before is None:
                return points
            wanted *= 2
