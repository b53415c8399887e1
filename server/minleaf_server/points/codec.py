"""How metric points are written as bytes: segments (points as they came) and chunks (one series, compacted).

docs/storage.md gives the layout. The first byte of either is its version, the second its encoding. Values are kept as
their 64 bits, so a NaN keeps its payload and zero its sign.
"""

import struct
import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import zstandard

from minleaf_server.points.series import Series

VERSION = 1
RAW = 0  # records one behind the other
ZSTD = 1  # the columns one behind the other, compressed
PLANES = 2  # the same, but first all lowest bytes of a column, then all second bytes, and so on
# Below this many points compression costs more bytes than it saves.
COMPRESS_FROM = 16

RECORD = np.dtype([("key_id", "<i8"), ("step", "<i8"), ("timestamp", "<i8"), ("value", "<f8")])
_HEADER = struct.Struct("<BB")
_RECORD = struct.Struct("<qqqd")

# Of a zstd frame, what comes before its blocks.
_FRAME_HEAD_MAX = 18

Records = npt.NDArray[np.void]

_of_thread = threading.local()


class PointRow(NamedTuple):
    """One point with the integer id of its metric's name."""

    key_id: int
    step: int
    timestamp: int
    value: float


class CorruptPoints(Exception):
    """Stored bytes that no version of the format explains."""


def encode_segment(rows: Sequence[PointRow]) -> bytes:
    """The points of one batch as bytes, in the order given."""
    if len(rows) < COMPRESS_FROM:
        return _HEADER.pack(VERSION, RAW) + b"".join([_RECORD.pack(*row) for row in rows])
    records = np.array(rows, dtype=RECORD)
    return encode_columns([records[name] for name in RECORD.names or ()])


def encode_columns(columns: Sequence[npt.NDArray[Any]]) -> bytes:
    """The points of a large batch, given as the columns of RECORD, in the order given.

    By byte planes, which take a third fewer bytes than whole numbers and half the time.
    """
    planes = b"".join([np.ascontiguousarray(c).view(np.uint8).reshape(-1, 8).T.tobytes() for c in columns])
    return _HEADER.pack(VERSION, PLANES) + _compressor().compress(planes)


def decode_segments(blobs: Iterable[bytes]) -> Records:
    """The points of many segments as one array of RECORD, in the order of the segments."""
    # Points logged one by one make thousands of tiny segments: their records are joined and decoded in one go.
    parts: list[Records] = []
    raw: list[bytes] = []
    for blob in blobs:
        encoding = _encoding(blob)
        if encoding == RAW:
            raw.append(blob[_HEADER.size :])
            continue
        if raw:
            parts.append(np.frombuffer(b"".join(raw), dtype=RECORD))
            raw = []
        parts.append(_decode_columns(blob))
    if raw:
        parts.append(np.frombuffer(b"".join(raw), dtype=RECORD))
    return np.concatenate(parts) if parts else np.empty(0, dtype=RECORD)


def encode_chunk(series: Series) -> bytes:
    """One sorted series as bytes: steps and times as differences, then the values, by byte planes, compressed.

    Planes take an eighth fewer bytes than whole numbers and half the time: most planes are runs of one byte.
    """
    columns = (_differences(series.steps), _differences(series.timestamps), np.ascontiguousarray(series.values))
    planes = b"".join(column.view(np.uint8).reshape(-1, 8).T.tobytes() for column in columns)
    return _HEADER.pack(VERSION, PLANES) + _compressor().compress(planes)


def decode_chunk(blob: bytes) -> Series:
    """The inverse of `encode_chunk`."""
    return decode_chunks([blob])


def decode_chunks(blobs: Sequence[bytes]) -> Series:
    """The points of some chunks, one chunk behind the other."""
    counts = [_points_in(blob) for blob in blobs]
    steps, timestamps = np.empty(sum(counts), np.int64), np.empty(sum(counts), np.int64)
    values = np.empty(sum(counts), np.float64)
    start = 0
    for blob, count in zip(blobs, counts, strict=True):
        data = _decompressor().decompress(memoryview(blob)[_HEADER.size :])
        planes = np.frombuffer(data, np.uint8).reshape(3, 8, count)
        columns = np.empty((3, count, 8), np.uint8)
        for plane in range(8):
            columns[:, :, plane] = planes[:, plane]
        here = slice(start, start + count)
        step_differences, time_differences, value_bits = columns.view("<i8")[:, :, 0]
        np.cumsum(step_differences, out=steps[here])
        np.cumsum(time_differences, out=timestamps[here])
        values[here] = value_bits.view(np.float64)
        start += count
    return Series(steps, timestamps, values)


def _points_in(blob: bytes) -> int:
    """How many points a chunk has, by the head of its compressed data."""
    if _encoding(blob) != PLANES:
        raise CorruptPoints("a chunk in an unknown encoding")
    return zstandard.frame_content_size(blob[_HEADER.size : _HEADER.size + _FRAME_HEAD_MAX]) // (3 * 8)


def _compressor() -> zstandard.ZstdCompressor:
    # As with the decompressor.
    if not hasattr(_of_thread, "compressor"):
        _of_thread.compressor = zstandard.ZstdCompressor(level=3)
    compressor: zstandard.ZstdCompressor = _of_thread.compressor
    return compressor


def _decompressor() -> zstandard.ZstdDecompressor:
    # Making one takes a third as long as decompressing a chunk, and threads cannot share one.
    if not hasattr(_of_thread, "decompressor"):
        _of_thread.decompressor = zstandard.ZstdDecompressor()
    decompressor: zstandard.ZstdDecompressor = _of_thread.decompressor
    return decompressor


def _encoding(blob: bytes) -> int:
    version, encoding = _HEADER.unpack_from(blob)
    if version != VERSION or encoding not in (RAW, ZSTD, PLANES):
        raise CorruptPoints(f"points of version {version}, encoding {encoding}: this program reads version {VERSION}")
    return int(encoding)


def _decode_columns(blob: bytes) -> Records:
    data = np.frombuffer(_decompressor().decompress(memoryview(blob)[_HEADER.size :]), dtype=np.uint8)
    if _encoding(blob) == PLANES:
        data = data.reshape(len(RECORD.names or ()), 8, -1).transpose(0, 2, 1).ravel()
    columns = data.view("<i8").reshape(len(RECORD.names or ()), -1)
    records = np.empty(columns.shape[1], dtype=RECORD)
    for name, column in zip(RECORD.names or (), columns, strict=True):
        records[name] = column.view(RECORD[name])
    return records


def _differences(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    # Integers wrap around in both directions, so any distance between two int64 survives.
    return np.diff(numbers, prepend=np.int64(0))
