"""What may be a key, a value, a step or a time, and what the message says when it may not."""

import math
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf import _values, _wire
from minleaf.entities import Metric
from minleaf.exceptions import InvalidParameter

INT64 = st.integers(_values.INT64_MIN, _values.INT64_MAX)


class TensorOnADevice:
    """What a tensor of one element offers: item(), and no float()."""

    def __init__(self, value: float) -> None:
        self.value = value

    def item(self) -> float:
        return self.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3.0),
        (True, 1.0),
        (False, 0.0),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.float16(0.5), 0.5),
        (np.int64(-7), -7.0),
        (np.bool_(True), 1.0),
        (np.array(2.5), 2.5),
        (np.array([[2.5]]), 2.5),
        (TensorOnADevice(0.25), 0.25),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        ("1.5", 1.5),
    ],
)
def test_a_metric_value_becomes_a_double(value: Any, expected: float) -> None:
    number = _values.metric_value("m", value)
    assert type(number) is float
    assert number == expected


@pytest.mark.parametrize("value", [None, "abc", [], [1.0], {}, np.array([1.0, 2.0]), np.array([]), 1j, 10**400])
def test_what_is_not_one_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameter, match="'m' must be one number"):
        _values.metric_value("m", value)


def test_an_integer_that_no_double_holds_is_rounded_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="9007199254740993 was rounded to 9007199254740992.0"):
        assert _values.metric_value("m", 2**53 + 1) == 2.0**53
    assert _values.metric_value("m", 2**53) == 2.0**53


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_a_double_survives_the_wire_bit_for_bit(value: float) -> None:
    import json

    point = Metric("m", value, 1, 2)
    again = _wire.metric(json.loads(json.dumps(_wire.metric_json(point), allow_nan=False)))
    if math.isnan(value):
        assert math.isnan(again.value)
    else:
        assert struct.pack("<d", again.value) == struct.pack("<d", value)


@pytest.mark.parametrize(
    "key", ["a", "a b", "train/loss", "a.b", "a:b", "a-b_c", "ключ", "a/..b", "...".replace(".", "x")]
)
def test_keys_that_may_be(key: str) -> None:
    assert _values.checked_key("metric", key) == key


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "must not be empty"),
        ("x" * 251, "at most 250 characters"),
        ("a,b", "letters, digits"),
        ("a\n", "letters, digits"),
        ("/a", "leading"),
        ("a/", "trailing"),
        ("a//b", "double slashes"),
        ("a/../b", "'..'"),
        ("..", "'..'"),
        (".", "'.'"),
        (3, "must be a string, not int"),
        (None, "must be a string, not NoneType"),
    ],
)
def test_keys_that_may_not(key: Any, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason) as caught:
        _values.checked_key("param", key)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert caught.value.status is None


@given(INT64)
def test_a_step_is_any_64_bit_integer(step: int) -> None:
    assert _values.int64("step", step) == step


@pytest.mark.parametrize("step", [np.int32(5), np.int64(5), 5.0, np.float64(5.0)])
def test_a_whole_number_of_any_type_is_a_step(step: Any) -> None:
    assert _values.int64("step", step) == 5


@pytest.mark.parametrize("step", [1.5, math.nan, math.inf, "5", None, 2**63, -(2**63) - 1])
def test_what_is_no_step(step: Any) -> None:
    with pytest.raises(InvalidParameter, match="The step must"):
        _values.int64("step", step)


def test_a_time_in_seconds_or_with_a_fraction_is_explained() -> None:
    with pytest.raises(InvalidParameter, match=r"int\(time.time\(\) \* 1000\)"):
        _values.timestamp_ms(1.7e12 + 0.5)
    with pytest.raises(InvalidParameter, match="cannot be negative"):
        _values.timestamp_ms(-1)


def test_long_values_are_refused_and_never_cut() -> None:
    assert _values.param_text("p", "x" * 6000) == "x" * 6000
    with pytest.raises(InvalidParameter, match="6001 characters and at most 6000"):
        _values.param_text("p", "x" * 6001)
    assert _values.tag_text("t", "x" * 8000) == "x" * 8000
    with pytest.raises(InvalidParameter, match="8001 characters and at most 8000"):
        _values.tag_text("t", "x" * 8001)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="not valid Unicode"):
        _values.param_text("p", "\ud800")


def test_a_param_twice_in_one_call() -> None:
    assert _values.checked_params([("a", 1), ("a", "1")]) == {"a": "1"}
    with pytest.raises(InvalidParameter, match="'a' comes twice in this call, as '1' and as '2'"):
        _values.checked_params([("a", 1), ("a", 2)])
