"""Segments and chunks give back every bit."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.points.codec import (
    COMPRESS_FROM,
    CorruptPoints,
    PointRow,
    decode_chunk,
    decode_segments,
    encode_chunk,
    encode_segment,
)
from minleaf_server.points.series import Series

int64 = st.integers(-(2**63), 2**63 - 1)
any_double = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
rows = st.builds(PointRow, st.integers(1, 2**40), int64, int64, any_double)


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(st.lists(st.lists(rows, min_size=1, max_size=2 * COMPRESS_FROM), max_size=5))
def test_segments_come_back_in_order_bit_for_bit(batches: list[list[PointRow]]) -> None:
    records = decode_segments(encode_segment(batch) for batch in batches)
    expected = [row for batch in batches for row in batch]
    assert records[["key_id", "step", "timestamp"]].tolist() == [row[:3] for row in expected]
    assert records["value"].tobytes() == b"".join(bits(row.value) for row in expected)


@given(st.lists(st.tuples(int64, int64, any_double), min_size=1, max_size=50))
def test_chunks_come_back_bit_for_bit(points: list[tuple[int, int, float]]) -> None:
    steps, timestamps, _ = zip(*points, strict=True)
    # The values go through bytes: a float in a list may lose the payload of a signalling NaN.
    values = np.frombuffer(b"".join(bits(point[2]) for point in points))
    back = decode_chunk(encode_chunk(Series(np.array(steps), np.array(timestamps), values)))
    assert back.steps.tolist() == list(steps)
    assert back.timestamps.tolist() == list(timestamps)
    assert back.values.tobytes() == values.tobytes()


def test_bytes_of_a_newer_format_are_refused() -> None:
    blob = encode_segment([PointRow(1, 0, 0, 0.5)])
    with pytest.raises(CorruptPoints, match="version 9"):
        list(decode_segments([b"\x09" + blob[1:]]))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.0, -0.0, 1.0, float("nan")]))))
def test_sorting_a_series_keeps_each_distinct_point_once(points: list[tuple[int, int, float]]) -> None:
    steps, timestamps, values = np.array(points, dtype=np.float64).reshape(-1, 3).T
    series = Series(steps.astype(np.int64), timestamps.astype(np.int64), values.copy())
    for result, order in ((series.by_step(), (0, 1)), (series.by_time(), (1, 0))):
        found = list(zip(result.steps.tolist(), result.timestamps.tolist(), map(bits, result.values), strict=True))
        assert sorted(found) == sorted({(step, time, bits(value)) for step, time, value in points})
        keys = [(row[order[0]], row[order[1]]) for row in found]
        assert keys == sorted(keys)
