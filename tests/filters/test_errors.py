"""What is wrong, where, and what would be right."""

import pytest

from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import (
    EXPERIMENTS,
    Catalog,
    FilterError,
    check,
    check_order,
    parse,
    parse_order,
    parse_orders,
)

CATALOG = Catalog(metrics=("test_acc", "loss", "lr"), params=("min_leaf", "lr", "depth"), tags=("stage",))


@pytest.mark.parametrize(
    ("text", "underlined", "message", "hint"),
    [
        ("loss >", "", "Expected a value after '>', found the end.", ""),
        ("loss > > 1", ">", "Expected a value after '>', found '>'.", ""),
        ("loss = and", "and", "Expected a value after '=', found 'and'.", "in quotes"),
        ("loss = null", "null", "found 'null'", "Use 'is null'."),
        ("name = 'abc", "'abc", "The quote ' is not closed.", "Add '"),
        ("loss > 1 ; drop table run", ";", "Unexpected character ';'.", "quotes"),
        ("loss ! 1", "!", "Unexpected character '!'.", "!="),
        ("(loss > 1", "", "Expected ')', 'and' or 'or', found the end.", ""),
        ("loss > 1)", ")", "found ')'.", "no '(' that it closes"),
        ("()", ")", "Expected a name, a word, 'not' or '(', found ')'.", ""),
        ("loss > 1 && lr > 2", "&&", "found '&&'.", "Use 'and'."),
        ("loss > 1 -- comment", "--", "found '--'.", ""),
        ("loss in 1", "1", "Expected '(' and a list of values after 'in', found '1'.", ""),
        ("loss in ()", ")", "Expected a value after '(', found ')'.", ""),
        ("loss between 1", "", "Expected 'and' and the upper bound", ""),
        ("loss not 1", "1", "after 'not', found '1'.", ""),
        ("loss is 1", "1", "Expected 'null' or 'nan' after 'is', found '1'.", "Use ="),
        ("my metric > 1", "metric", "Expected 'and' or 'or', found 'metric'.", "backticks"),
        ("metrics.loss", "", "after metrics.loss, found the end.", ""),
        ("metrics. = 1", "=", "Expected a name after metrics., found '='.", ""),
        ("tags.`` = 'x'", "``", "A name cannot be empty.", ""),
        ("'loss' > 1", "'loss'", "Expected a name, found 'loss'.", "backticks"),
        ("mean(loss) > 1", "mean", "There is no aggregate 'mean'.", "last, min, max"),
        ("max(params.depth) > 1", "params.depth", "Only a metric has max(…)", ""),
        ("max(depth) > 1", "max(depth)", "No metric of these runs is called 'depth'.", ""),
        ("tset_acc > 1", "tset_acc", "Nothing of these runs is called 'tset_acc'", "Did you mean test_acc?"),
        ("Min_Leaf = 1", "Min_Leaf", "Nothing of these runs", "Did you mean min_leaf?"),
        ("0.5 < loss", "0.5", "Nothing of these runs is called '0.5'", "name on the left"),
        ("lr > 1", "lr", "'lr' is both a metric and a param.", "Write metrics.lr or params.lr."),
        ("attributes.foo = 1", "attributes.foo", "Invalid attribute key 'foo' specified.", "start_time"),
        ("datasets.foo = 'x'", "datasets.foo", "A dataset has no 'foo'.", "name, digest, context"),
        ("loss > abc", "abc", "loss is a number, found 'abc'.", ""),
        ("loss > 1_000", "1_000", "loss is a number", ""),
        ("loss like 'x'", "'x'", "'like' cannot be used with it", ""),
        ("started > yesterday", "yesterday", "started is a time, found 'yesterday'.", "2026-11-23"),
        ("started > 7d", "7d", "does not say before what", "-7d"),
        ("started > 2026-13-01", "2026-13-01", "started is a time", ""),
        ("duration > 5", "5", "duration is a length of time, found '5'.", "2h30m"),
        ("status = runing", "runing", "There is no status 'runing'.", "Did you mean running?"),
        ("status > 'a'", "'a'", "status has no order.", ""),
        ("stage > 5", "5", "10 comes before 9", "quotes"),
        ("depth between 1 and x", "x", "One bound of depth is a number and the other is text.", ""),
        ("name ~ '(ab'", "(", "In the regular expression: '(' is not closed.", ""),
        (r"name ~ '(a)\1'", "\\", r"the escape '\1' is not supported", ""),
        ("name ~ '(?=a)'", "(", "this kind of group is not supported", ""),
        ("x\x00y", "\x00", "U+0000 cannot occur", ""),
        ("name = 'a\ud800'", "\ud800", "U+D800 cannot occur", ""),
    ],
)  # fmt: skip
def test_errors_say_where_and_what(text: str, underlined: str, message: str, hint: str) -> None:
    with pytest.raises(FilterError) as caught:
        check(parse(text), CATALOG, text=text)
    error = caught.value
    assert error.text == text
    assert text[error.start : error.end] == underlined
    assert message in error.message
    assert hint in (error.hint or "")
    assert isinstance(error, InvalidParameter)
    assert f"at character {error.start + 1} of" in str(error)


@pytest.mark.parametrize("text", ["metrics.x > 1", "params.loss = 'a'", "tags.`no such` = 'x'", "max(metrics.x) > 1"])
def test_a_qualified_name_need_not_exist(text: str) -> None:
    assert check(parse(text), Catalog())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected a name to sort by"),
        ("loss sideways", "Expected 'asc', 'desc' or the end, found 'sideways'"),
        ("loss desc; drop table run", "Unexpected character ';'"),
        ("(select 1)", "Expected a name, found '('"),
        ("1", "Nothing of these runs is called '1'"),
        ("`password`", "Nothing of these runs is called 'password'"),
        ("loss desc and", "found 'and'"),
        ("datasets.name", "Runs cannot be sorted by a dataset."),
        ("lr", "both a metric and a param"),
    ],
)
def test_errors_of_orders(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        check_order([parse_order(text)], CATALOG)
    assert message in caught.value.message


def test_a_field_may_come_once_in_an_order() -> None:
    with pytest.raises(InvalidParameter, match="`order_by` contains duplicate fields"):
        check_order(parse_orders(["created", "attributes.start_time desc"]), CATALOG)


@pytest.mark.parametrize(
    "text", ["metrics.a > 1", "params.a = 'x'", "status = 'x'", "datasets.name = 'x'", "max(a) > 1"]
)
def test_what_experiments_do_not_have(text: str) -> None:
    with pytest.raises(FilterError):
        check(parse(text), Catalog(), schema=EXPERIMENTS, text=text)
