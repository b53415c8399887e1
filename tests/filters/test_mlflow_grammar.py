"""Every filter that MLflow's own parser takes is read as the same comparisons, and every order as the same order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils

from minleaf_server.filters import Catalog, FilterError, check, check_order, parse, parse_order
from minleaf_server.filters.tree import And, Compare, Expr, In, IsNull, Kind

KINDS = {"metric": Kind.METRIC, "parameter": Kind.PARAM, "tag": Kind.TAG, "attribute": Kind.ATTRIBUTE}
KINDS["dataset"] = Kind.DATASET
PREFIXES = (
    "metrics.|metric.|params.|param.|parameters.|parameter.|tags.|tag.|attributes.|attr.|attribute.|run.||`params`."
)
KEYS = (
    'acc|val.acc|`a b`|"a b"|a_b|é|mlflow.user|status|run_id|start_time|end_time|created|`run name`|"Run name"|user_id'
    "|artifact_uri|run_name|name|digest|context|\"`x`\"|max|last|`a.b`|a-b|a/b|type|key|order|end|x1|_x|`it's`|'a'"
)
OPERATORS = "=|!=|<|<=|>|>=| LIKE | like | ILIKE | iLike | IN | NOT IN | is null| IS NOT NULL"
VALUES = (
    "'x'|\"x y\"|''|'it''s'|'it\\'s'|\"it's\"|'%a_'|1|-1|.5|1.|1e5|1E-5|0|12345678901234567890|('a', 'b')|(\"a\")"
    "|('a',)|'FINISHED'|'finished'|nan|-.5|'a\\'|1.5"
)

prefixes = st.sampled_from([*PREFIXES.split("|"), "datasets.", "dataset."])
keys = st.sampled_from(KEYS.split("|"))
operators = st.sampled_from(OPERATORS.split("|"))
values = st.sampled_from(VALUES.split("|"))
clause = st.builds("{}{}{}{}".format, prefixes, keys, operators, values)
filters = st.lists(clause, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([" AND ", " and ", "\nAND\t", " AND AND ", " "]).map(lambda glue: glue.join(parts))
)
decorated = st.builds("{}{}{}".format, st.sampled_from(["", " ", "AND "]), filters, st.sampled_from(["", " ", " AND"]))


def as_mlflow(expr: Expr) -> list[tuple[Kind | None, str, str, object]]:
    """The comparisons of a checked tree in the form of MLflow's parser."""
    if isinstance(expr, And):
        return [found for item in expr.items for found in as_mlflow(item)]
    if isinstance(expr, IsNull):
        return [(expr.field.kind, expr.field.name, "IS NOT NULL" if expr.negated else "IS NULL", None)]
    if isinstance(expr, In):
        texts = tuple(literal.value for literal in expr.values)
        return [(expr.field.kind, expr.field.name, "NOT IN" if expr.negated else "IN", texts)]
    assert isinstance(expr, Compare), "MLflow knows nothing else"
    return [(expr.field.kind, expr.field.name, expr.operator.value.upper(), expr.value.value)]


def from_mlflow(parsed: dict[str, str]) -> tuple[Kind, str, str, object]:
    kind, value = KINDS[parsed["type"]], parsed["value"]
    if kind is Kind.METRIC and value is not None:
        return kind, parsed["key"], parsed["comparator"].upper(), float(value)
    return kind, translated(kind, parsed["key"]), parsed["comparator"].upper(), value


def translated(kind: Kind, key: str) -> str:
    """The attribute that an alias means. MLflow also looks up params.created as params.start_time; that is a slip."""
    return SearchUtils.translate_key_alias(key) if kind is Kind.ATTRIBUTE else key


def accepted_by_mlflow(text: str) -> list[dict[str, str]] | None:
    """MLflow's comparisons, or None where its parser or the checks of its store refuse the filter."""
    try:
        parsed = SearchUtils.parse_search_filter(text)
        for each in parsed:
            comparator = each["comparator"].upper()
            for is_kind in (SearchUtils.is_metric, SearchUtils.is_param, SearchUtils.is_tag, SearchUtils.is_dataset):
                is_kind(each["type"], comparator)
            SearchUtils.is_string_attribute(each["type"], SearchUtils.translate_key_alias(each["key"]), comparator)
            SearchUtils.is_numeric_attribute(each["type"], SearchUtils.translate_key_alias(each["key"]), comparator)
            if isinstance(each["value"], tuple) != (comparator in ("IN", "NOT IN")):
                return None  # Its database refuses that.
    except (MlflowException, ValueError):
        return None
    return parsed


@given(decorated)
def test_filters_mean_what_they_mean_in_mlflow(text: str) -> None:
    wanted = accepted_by_mlflow(text)
    if wanted is not None:
        assert as_mlflow(check(parse(text), Catalog(), text=text)) == [from_mlflow(each) for each in wanted]


def test_most_of_the_random_filters_are_mlflow_filters() -> None:
    """The property above says nothing of what MLflow refuses, so a share of the simple ones must be accepted."""
    texts = [f"{prefix}x {operator} {value}" for prefix, operator, value in ACCEPTED]
    assert all(accepted_by_mlflow(text) for text in texts)


ACCEPTED = [
    ("metrics.", "=", "1"),
    ("metrics.", "<", ".5"),
    ("params.", "LIKE", "'%a_'"),
    ("tags.", "ILIKE", "'it''s'"),
    ("tags.", "IS", "NULL"),
    ("`params`.", "!=", '"x y"'),
    ("parameter.", "=", "''"),
]


@given(prefixes, keys, st.sampled_from(["", " ASC", " DESC", " desc", " aSc", " down"]))
def test_orders_mean_what_they_mean_in_mlflow(prefix: str, key: str, direction: str) -> None:
    text = prefix + key + direction
    try:
        kind, name, ascending = SearchUtils.parse_order_by_for_search_runs(text)
    except (MlflowException, ValueError):
        return
    if kind == "dataset":  # MLflow's store refuses it later.
        return
    (order,) = check_order([parse_order(text)], Catalog())
    wanted = (KINDS[kind], translated(KINDS[kind], name), not ascending)
    assert (order.field.kind, order.field.name, order.descending) == wanted


@pytest.mark.parametrize(
    "text", ["(status = 'a')", "status = 'a' or status = 'b'", "not params.a = 'x'", "max(metrics.a) > 1"]
)
def test_what_only_minleaf_reads(text: str) -> None:
    assert accepted_by_mlflow(text) is None
    try:
        parse(text)
    except FilterError as error:
        pytest.fail(str(error))
