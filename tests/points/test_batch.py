"""A few points and many are handled in two ways that give the same."""

import struct
from collections.abc import Mapping

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.entities import MetricSummary
from minleaf_server.points.batch import MANY, Few, Many, batch_of, identity
from minleaf_server.points.codec import PointRow, decode_segments

INT64 = (-(2**63), 2**63 - 1)
NANS = [struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in (0x7FF8000000000000, 0xFFF8000000000001)]
# So few of each that many points are equal, or differ in the sign of zero only.
rows = st.builds(
    PointRow,
    st.integers(1, 3),
    st.sampled_from([0, 1, *INT64]),
    st.sampled_from([0, 1, INT64[1]]),
    st.sampled_from([0.0, -0.0, 1.5, -1.5, float("inf"), float("-inf"), *NANS]),
)
# Half of the batches have the steps of each metric rising, as a training has them.
batches = st.lists(rows, min_size=1, max_size=2 * MANY) | st.lists(rows, min_size=1, max_size=2 * MANY).map(
    lambda batch: [row._replace(step=step) for step, row in enumerate(batch)]
)


def many(batch: list[PointRow]) -> Many:
    key_ids, steps, timestamps, values = zip(*batch, strict=True)
    integers = (np.array(column, np.int64) for column in (key_ids, steps, timestamps))
    return Many(*integers, np.array(values, np.float64))


def shown(summaries: Mapping[int, MetricSummary]) -> dict[int, str]:
    """By its text, because a NaN is not equal to itself and zeros of both signs are."""
    return {key_id: repr(summary) for key_id, summary in sorted(summaries.items())}


def stored(batch: Few | Many) -> list[tuple[int, int, int, int]]:
    """What a segment of the batch gives back."""
    return [identity(PointRow(*record)) for record in decode_segments([batch.encoded()]).tolist()]


@given(batches, batches)
def test_few_and_many_give_the_same(first: list[PointRow], second: list[PointRow]) -> None:
    known: Mapping[int, MetricSummary] = {}
    seen: set[tuple[int, int, int, int]] = set()
    for batch in (first, second):
        ways = [Few(batch).distinct(), many(batch).distinct()]
        assert ways[0].is_behind(known) == ways[1].is_behind(known)
        ways = [way.without(seen) for way in ways]
        assert (
            stored(ways[0])
            == stored(ways[1])
            == [one for one in dict.fromkeys(map(identity, batch)) if one not in seen]
        )
        summaries = [way.added_to(known) for way in ways]
        assert shown(summaries[0]) == shown(summaries[1])
        known = {**known, **summaries[0]}
        seen.update(map(identity, batch))
    counted = {key_id: sum(one[0] == key_id for one in seen) for key_id in known}
    assert counted == {key_id: summary.count for key_id, summary in known.items()}


@given(batches)
def test_only_points_beyond_the_latest_are_taken_for_new(batch: list[PointRow]) -> None:
    known = Few(batch).distinct().added_to({})
    assert Few(batch).is_behind(known)
    assert many(batch).is_behind(known)
    assert not Few(batch).is_behind({})


def test_the_size_decides_the_way() -> None:
    for size, way in ((MANY - 1, Few), (MANY, Many)):
        assert isinstance(batch_of([1] * size, range(size), range(size), [0.5] * size), way)
