"""Which texts of a param are numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.entities.number import number_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1.0),
        ("-1", -1.0),
        ("+1", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("1E+3", 1000.0),
        ("007", 7.0),
        ("1e-999", 0.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        ("+INF", math.inf),
    ],
)
def test_numbers(text: str, number: float) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "1_000",
        "0x10",
        "\uff11",
        "\u0663",
        "nan",
        "NaN",
        "1e400",
        "-1e400",
        "9" * 400,
        "1e",
        ".",
        "+",
        "e5",
        "1,5",
        "1d",
        "infin",
        "infinit",
        "--1",
        "True",
        "1" * 5000,
    ],
)
def test_texts_that_are_no_numbers(text: str) -> None:
    assert number_of(text) is None


@given(st.floats(allow_nan=False))
def test_every_double_is_read_back_from_its_text(number: float) -> None:
    assert number_of(repr(number)) == number


@given(st.text(max_size=20))
def test_any_text_gives_a_number_or_none(text: str) -> None:
    found = number_of(text)
    assert found is None or not math.isnan(found)
