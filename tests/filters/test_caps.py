"""What is over a cap is refused with a clear error, however it is nested; recursion never runs out."""

import pytest

from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import Catalog, FilterError, check, limits, parse, parse_orders
from minleaf_server.filters.printer import to_text

CLAUSE = "a = 1"


def test_at_the_caps() -> None:
    parse(" and ".join([CLAUSE] * limits.MAX_CLAUSES))
    parse(" ".join(["word"] * limits.MAX_CLAUSES))
    deep = "(" * limits.MAX_DEPTH + CLAUSE + ")" * limits.MAX_DEPTH
    assert to_text(parse(deep)) == CLAUSE
    parse("not " * limits.MAX_DEPTH + CLAUSE)
    parse(f"a in ({','.join('1' * limits.MAX_LIST)})")
    parse(f"a = '{'x' * (limits.MAX_LENGTH - 6)}'")
    parse_orders([f"metrics.m{i}" for i in range(limits.MAX_ORDER_BY)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" and ".join([CLAUSE] * (limits.MAX_CLAUSES + 1)), "more than 100 comparisons"),
        (" or ".join([CLAUSE] * 2000), "more than 100 comparisons"),
        (" ".join([CLAUSE] * 2000), "more than 100 comparisons"),
        ("word " * 5000, "more than 100 comparisons"),
        ("exists(a) and " * 2000, "more than 100 comparisons"),
        ("(" * (limits.MAX_DEPTH + 1) + CLAUSE, "More than 50 parentheses"),
        ("(" * 60_000, "More than 50 parentheses"),
        ("not " * 10_000 + CLAUSE, "More than 50 parentheses"),
        ("not (" * 5000 + CLAUSE, "More than 50 parentheses"),
        ("a in (" + "1," * (limits.MAX_LIST + 1) + "1)", "at most 10000 values"),
        ("a = '" + "x" * 1_000_000 + "'", "at most 65536 are allowed"),
        (" " * 65_537, "at most 65536 are allowed"),
    ],
)
def test_over_a_cap(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert message in caught.value.message
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"name like '{'%a' * 5000}'", "at most 8000 are allowed"),
        (f"name ilike '{'é' * 1001}'", "at most 1000 are allowed"),
        (f"name ~ '{'a' * 501}'", "at most 500 are allowed"),
        ("name ~ '((a{200}){200}){200}'", "larger than 500 characters"),
        ("name ~ 'a{256}'", "at most 255"),
        (f"name ~ '{'(' * 60}a{')' * 60}'", "more than 50 groups"),
        ("word" * 2001, "at most 8000 are allowed"),
        (f"started in ({','.join(['2026-11-23'] * 101)})", "at most 100 values"),
    ],
)
def test_over_a_cap_of_values(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        check(parse(text), Catalog(), text=text)
    assert message in caught.value.message


def test_too_many_orders() -> None:
    with pytest.raises(InvalidParameter, match="order_by has 3000 entries; at most 20 are allowed"):
        parse_orders(["x"] * 3000)


def test_suggestions_in_a_large_catalog_are_few() -> None:
    names = tuple(f"layer_{i}/gradient" for i in range(100_000))
    with pytest.raises(FilterError) as caught:
        check(parse("layer_1/gradiant > 1"), Catalog(metrics=names))
    assert (caught.value.hint or "").startswith("Did you mean layer_1/gradient")
