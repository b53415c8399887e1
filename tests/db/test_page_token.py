"""Tokens come back as they were made, and nothing else is taken for one."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import column

from minleaf_server.db import page_token
from minleaf_server.db.keyset import SortKey
from minleaf_server.errors import InvalidParameter

KEYS = [SortKey(column("a"), int), SortKey(column("b"), float, nullable=True), SortKey(column("c"), str)]
ORDER = ["metrics.a desc"]
GOOD = {"order": ORDER, "after": ["1", "0x1.8p+0", "x"]}


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
)
def test_values_come_back(whole: int, number: float | None, text: str) -> None:
    found = page_token.decode(page_token.encode(ORDER, KEYS, [whole, number, text]), ORDER, KEYS)
    assert found == [whole, number, text]
    assert str(found[1]) == str(number)  # The sign of zero too.


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_the_hand_made_token_is_good() -> None:
    assert page_token.decode(encoded(GOOD), ORDER, KEYS) == [1, 1.5, "x"]


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "%%%",
        "é",
        "\ud800",
        base64.b64encode(b"\x80\x04\x95").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        base64.b64encode(b"9" * 100_000).decode(),
        "A" * 2_000_000,
        encoded({"offset": 5}),
        encoded([1]),
        encoded({**GOOD, "more": 1}),
        encoded({**GOOD, "after": [1, 2, 3]}),
        encoded({**GOOD, "after": ["1", "0x1p+0"]}),
        encoded({**GOOD, "after": ["-" + "9" * 23, "0x1p+0", "x"]}),
        encoded({**GOOD, "after": [str(10**23), "0x1p+0", "x"]}),
        encoded({**GOOD, "after": ["9" * 10_000, "0x1p+0", "x"]}),
        encoded({**GOOD, "after": [None, "0x1p+0", "x"]}),
        encoded({**GOOD, "after": ["1", "nan", "x"]}),
        encoded({**GOOD, "after": ["1", "0x1p+99999", "x"]}),
        encoded({**GOOD, "after": ["1", "1; drop", "x"]}),
        encoded({**GOOD, "after": ["1", "0x1p+0", "x\x00"]}),
        encoded({**GOOD, "after": ["1", "0x1p+0", "\ud800"]}),
        encoded({**GOOD, "after": ["1", "0x1p+0", None]}),
    ],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid page token"):
        page_token.decode(token, ORDER, KEYS)


def test_a_token_belongs_to_its_order() -> None:
    with pytest.raises(InvalidParameter, match="another order_by"):
        page_token.decode(encoded(GOOD), ["metrics.a asc"], KEYS)
