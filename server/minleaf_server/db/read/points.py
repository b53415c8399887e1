"""Reads of metric points: the chunks of a series and the segments of its run that are not compacted yet."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, select

from minleaf_server.db.tables import KeyKind, chunk, key, run, segment
from minleaf_server.points.codec import decode_chunk, decode_segments
from minleaf_server.points.series import Series


def series(conn: Connection, row_ids: Sequence[int], name: str) -> dict[int, Series]:
    """The points of the metric `name` by run, for these internal run ids, in no order and perhaps with repetitions.

    A run without the metric has no entry.
    """
    owner = select(run.c.id, key.c.id.label("key_id")).join(key, key.c.experiment_id == run.c.experiment_id)
    of_metric = owner.where(key.c.kind == int(KeyKind.METRIC), key.c.name == name, run.c.id.in_(row_ids))
    found = {row.id: _one(conn, row.id, row.key_id) for row in conn.execute(of_metric).all()}
    return {row_id: points for row_id, points in found.items() if len(points)}


def _one(conn: Connection, row_id: int, key_id: int) -> Series:
    of_series = (chunk.c.run_id == row_id) & (chunk.c.key_id == key_id)
    parts = [decode_chunk(data) for data in conn.execute(select(chunk.c.data).where(of_series)).scalars()]
    blobs = conn.execute(select(segment.c.data).where(segment.c.run_id == row_id).order_by(segment.c.seq)).scalars()
    records = decode_segments(blobs)
    records = records[records["key_id"] == key_id]
    parts.append(Series(records["step"], records["timestamp"], records["value"]))
    return Series(
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.timestamps for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
