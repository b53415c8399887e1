"""Printing and parsing are inverse."""

from hypothesis import given, settings
from hypothesis import strategies as st

from minleaf_server.filters import Catalog, FilterError, check, order_to_text, parse, parse_order, to_text
from minleaf_server.filters.order import OrderBy
from minleaf_server.filters.tree import Compare, Expr, Field, Kind, Literal, Operator, Words
from tests.filters import strategies

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12) | st.text(
    "'\"`\\ a.", max_size=8
)
names = texts.filter(bool)
fields = st.builds(Field, st.none() | st.sampled_from(Kind), names)


@settings(max_examples=300)
@given(strategies.expressions)
def test_parsing_what_was_printed_gives_the_tree(expr: Expr) -> None:
    assert parse(to_text(expr)) == expr


@settings(max_examples=300)
@given(strategies.expressions)
def test_a_checked_tree_prints_so_that_it_checks_to_itself(expr: Expr) -> None:
    checked = check(expr, Catalog(), now=10**12)
    assert check(parse(to_text(checked)), Catalog(), now=10**12) == checked


@settings(max_examples=500)
@given(fields, texts)
def test_any_name_and_any_quoted_text_come_back(field: Field, text: str) -> None:
    expr = Compare(field, Operator.EQ, Literal(text, quoted=True))
    assert parse(to_text(expr)) == expr


@given(fields, texts, fields, texts)
def test_a_text_does_not_run_into_the_next_one(first: Field, one: str, second: Field, two: str) -> None:
    both = [Compare(first, Operator.EQ, Literal(one, True)), Compare(second, Operator.EQ, Literal(two, True))]
    assert parse(" and ".join(map(to_text, both))).items == tuple(both)  # type: ignore[union-attr]


@given(st.lists(texts, min_size=1, max_size=4))
def test_any_words_come_back(words: list[str]) -> None:
    assert parse(to_text(Words(tuple(words)))) == Words(tuple(words))


@given(fields, st.booleans())
def test_orders_come_back(field: Field, descending: bool) -> None:
    order = parse_order(order_to_text(OrderBy(field, descending)))
    if field.kind is not None or "." not in field.name:
        assert (order.field, order.descending) == (field, descending)


PIECES = "a b.c metrics. tags.x max ( ) , = != < ~ in not and or like between is null exists 'x y' \"z\" ` ' 1 -7d nan"
jumbled = st.lists(st.sampled_from(PIECES.split(" ")), max_size=12).map(" ".join)


@settings(max_examples=1000)
@given(jumbled)
def test_any_text_is_a_tree_or_a_filter_error(text: str) -> None:
    try:
        expr = parse(text)
    except FilterError as error:
        start, end = error.start, error.end
    else:
        assert parse(to_text(expr)) == expr
        start, end = 0, len(text)
    assert 0 <= start <= end <= len(text)
