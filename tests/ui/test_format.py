"""Numbers, times and long texts as the pages write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.ui import format as fmt

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.44, "0.44"),
        (0.437512345, "0.43751"),
        (1 / 3, "0.33333"),
        (1e-5, "1e-5"),
        (1.2345678e-7, "1.2346e-7"),
        (12345.678, "12346"),
        (1234567.891, "1.2346e6"),
        (500.0, "500"),
        (123456.0, "123456"),
        (-0.0, "-0"),
        (0.0, "0"),
        (-2.5, "-2.5"),
        (math.nan, "NaN"),
        (math.inf, "∞"),
        (-math.inf, "\N{MINUS SIGN}∞"),
        (1.7976931348623157e308, "1.7977e308"),
        (5e-324, "4.9407e-324"),
    ],
)
def test_five_significant_digits(value: float, text: str) -> None:
    assert fmt.number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_whole_number_reads_back_as_the_same_double(value: float) -> None:
    read = float(fmt.whole_number(value))
    assert (read, math.copysign(1, read)) == (value, math.copysign(1, value))


@given(st.floats(-1e308, 1e308))
def test_the_short_number_is_right_to_five_digits(value: float) -> None:
    assert float(fmt.number(value)) == pytest.approx(value, rel=1e-4, abs=5e-324)


def test_padding_brings_the_points_into_line() -> None:
    texts = ["0.5", "12", "0.4375", "1e-5", "NaN", "-3.25", "∞"]
    padded = [text + pad for text, pad in zip(texts, fmt.decimals_padding(texts), strict=True)]
    assert padded == ["0.5000", "12.0000", "0.4375", "1e-5", "NaN", "-3.2500", "∞"]


@given(st.lists(st.floats().map(fmt.number)))
def test_padded_numbers_of_a_column_have_equally_many_decimals(texts: list[str]) -> None:
    pads = fmt.decimals_padding(texts)
    plain = [t + p for t, p in zip(texts, pads, strict=True) if not set(t) & set("eN∞")]
    assert len({len(text.partition(".")[2]) for text in plain}) <= 1


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1 s"),
        (12_440, "12.4 s"),
        (59_999, "59.9 s"),
        (60_000, "1 min"),
        (200_000, "3 min 20 s"),
        (7_500_000, "2 h 5 min"),
        (273_600_000, "3 d 4 h"),
        (86_400_000 * 1204, "1,204 d"),
        (-1500, "\N{MINUS SIGN}1.5 s"),
    ],
)
def test_durations_have_two_units_at_most(ms: int, text: str) -> None:
    assert fmt.duration(ms) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (0, "just now"),
        (9_999, "just now"),
        (10_000, "10 s ago"),
        (61_000, "1 min ago"),
        (3_600_000, "1 h ago"),
        (90_000_000, "1 d ago"),
        (40 * 86_400_000, "1 mo ago"),
        (800 * 86_400_000, "2 y ago"),
        (-7_300_000, "in 2 h"),
    ],
)
def test_relative_times(ago: int, text: str) -> None:
    assert fmt.relative(NOW - ago, NOW) == text


def test_a_moment_has_the_absolute_time_too() -> None:
    moment = fmt.moment(NOW - 60_000 + 5, NOW)
    assert moment == fmt.Moment("59 s ago", "2023-11-14 22:12:20 UTC", "2023-11-14T22:12:20.005Z")
    assert fmt.moment(None, NOW) is None


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_logged_time_can_be_shown(ms: int) -> None:
    moment = fmt.moment(ms, NOW)
    assert moment is not None
    assert moment.text
    assert moment.title


def test_long_texts_are_cut_with_a_sign_and_say_how_long_they_are() -> None:
    assert fmt.shortened("one\ntwo") == "one two"
    assert fmt.shortened("x" * 81) == "x" * 79 + "…"
    assert fmt.full_title("short", "short") == ""
    assert fmt.full_title("x" * 81, "x" * 79 + "…") == "x" * 81
    assert "6,000 characters" in fmt.full_title("x" * 6000, "x")
    assert len(fmt.full_title("x" * 6000, "x")) < 600
