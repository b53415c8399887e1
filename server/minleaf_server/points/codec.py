"""How metric points are written as bytes: segments (points as they came) and chunks (one series, compacted).

docs/storage.md gives the layout. The first byte of either is its version, the second its encoding. Values are kept as
their 64 bits, so a NaN keeps its payload and zero its sign.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

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

Records = npt.NDArray[np.void]


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
        return _HEADER.pack(VERSION, RAW) + b"".join(_RECORD.pack(*row) for row in rows)
    records = np.array(rows, dtype=RECORD)
    columns = b"".join(records[name].tobytes() for name in RECORD.names or ())
    return _HEADER.pack(VERSION, ZSTD) + zstandard.ZstdCompressor(level=3).compress(columns)


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
    columns = (_differences(series.steps), _differences(series.timestamps), series.values)
    planes = b"".join(column.view(np.uint8).reshape(-1, 8).T.tobytes() for column in columns)
    return _HEADER.pack(VERSION, PLANES) + zstandard.ZstdCompressor(level=3).compress(planes)


def decode_chunk(blob: bytes) -> Series:
    """The inverse of `encode_chunk`."""
    if _encoding(blob) != PLANES:
        raise CorruptPoints("a chunk in an unknown encoding")
    planes = np.frombuffer(zstandard.ZstdDecompressor().decompress(blob[_HEADER.size :]), dtype=np.uint8)
    steps, timestamps, values = np.ascontiguousarray(planes.reshape(3, 8, -1).transpose(0, 2, 1)).view("<i8")[:, :, 0]
    return Series(np.cumsum(steps), np.cumsum(timestamps), values.view(np.float64))


def _encoding(blob: bytes) -> int:
    version, encoding = _HEADER.unpack_from(blob)
    if version != VERSION or encoding not in (RAW, ZSTD, PLANES):
        raise CorruptPoints(f"points of version {version}, encoding {encoding}: this program reads version {VERSION}")
    return int(encoding)


def _decode_columns(blob: bytes) -> Records:
    data = zstandard.ZstdDecompressor().decompress(blob[_HEADER.size :])
    count = len(data) // RECORD.itemsize
    records = np.empty(count, dtype=RECORD)
    for position, name in enumerate(RECORD.names or ()):
        records[name] = np.frombuffer(data, dtype=RECORD[name], count=count, offset=position * count * 8)
    return records


def _differences(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    # Integers wrap around in both directions, so any distance between two int64 survives.
    return np.diff(numbers, prepend=np.int64(0))
