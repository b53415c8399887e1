"""Dates and spans."""

import pytest

from minleaf_server.filters.values import parse_date, parse_span

DAY = 86_400_000
START = 1_795_392_000_000  # 2026-11-23 00:00 UTC


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("7d", 7 * DAY),
        ("-7d", -7 * DAY),
        ("2h30m", 9_000_000),
        ("1.5h", 5_400_000),
        ("1w", 7 * DAY),
        ("90min", 5_400_000),
        ("1s500ms", 1500),
        ("0.5ms", 0),
        ("7", None),
        ("7x", None),
        ("d", None),
        ("", None),
        ("1d 2h", None),
        ("9" * 13 + "d", None),
        ("٣d", None),
    ],
)
def test_spans(text: str, milliseconds: int | None) -> None:
    assert parse_span(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "first", "length"),
    [
        ("2026-11-23", START, DAY),
        ("2026-11-23 10:00", START + 36_000_000, 60_000),
        ("2026-11-23T10:00:05", START + 36_005_000, 1000),
        ("2026-11-23T10:00:05.25Z", START + 36_005_250, 1),
        ("2026-11-23T10:00+02:00", START + 28_800_000, 60_000),
        ("2026-11-23T10:00-0130", START + 41_400_000, 60_000),
        ("1969-12-31", -DAY, DAY),
    ],
)
def test_dates(text: str, first: int, length: int) -> None:
    assert parse_date(text) == (first, first + length - 1)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-11-23 25:00", "2026-11", "23.11.2026", "2026-11-23T10:00+99:00", "0000-01-01"]
)
def test_no_dates(text: str) -> None:
    assert parse_date(text) is None
