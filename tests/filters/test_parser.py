"""Texts to trees. Trees are shown as the text that the printer gives, which test_printer.py shows to be exact."""

import pytest

from minleaf_server.filters import parse, parse_order, to_text
from minleaf_server.filters.tree import (
    Aggregate,
    And,
    Between,
    Compare,
    Field,
    In,
    IsNull,
    Kind,
    Literal,
    Not,
    Operator,
    Or,
    Words,
)

ACC = Field(None, "acc")
ONE = Literal("1")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", And()),
        ("  \n", And()),
        ("acc > 1", Compare(ACC, Operator.GT, ONE)),
        ("acc>1", Compare(ACC, Operator.GT, ONE)),
        ("acc == 1", Compare(ACC, Operator.EQ, ONE)),
        ("acc <> 1", Compare(ACC, Operator.NE, ONE)),
        ("acc IN (1, 'x',)", In(ACC, (ONE, Literal("x", quoted=True)))),
        ("acc not in (1)", In(ACC, (ONE,), negated=True)),
        ("acc between 1 and 1 and acc = 1", And((Between(ACC, ONE, ONE), Compare(ACC, Operator.EQ, ONE)))),
        ("acc NOT BETWEEN 1 AND 1", Between(ACC, ONE, ONE, negated=True)),
        ("acc like 'a%'", Compare(ACC, Operator.LIKE, Literal("a%", quoted=True))),
        ("acc Not ILike res%", Compare(ACC, Operator.NOT_ILIKE, Literal("res%"))),
        ("acc ~ '^a'", Compare(ACC, Operator.MATCH, Literal("^a", quoted=True))),
        ("acc !~ b", Compare(ACC, Operator.NOT_MATCH, Literal("b"))),
        ("acc is null", IsNull(ACC)),
        ("acc is not null", IsNull(ACC, negated=True)),
        ("acc exists", IsNull(ACC, negated=True)),
        ("acc not exists", IsNull(ACC)),
        ("exists(acc)", IsNull(ACC, negated=True)),
        ("not exists (acc)", Not(IsNull(ACC, negated=True))),
        ("acc is nan", Compare(ACC, Operator.EQ, Literal("nan"))),
        ("acc is not NaN", Compare(ACC, Operator.NE, Literal("NaN"))),
        ("not acc = 1 or acc = 1", Or((Not(Compare(ACC, Operator.EQ, ONE)), Compare(ACC, Operator.EQ, ONE)))),
        ("resnet", Words(("resnet",))),
        ("resnet 'a b' \"50\"", Words(("resnet", "a b", "50"))),
        ("resnet and acc > 1", And((Words(("resnet",)), Compare(ACC, Operator.GT, ONE)))),
        ("max(acc) > 1", Compare(Field(None, "acc", Aggregate.MAX), Operator.GT, ONE)),
        ("ArgMin ( metrics.acc ) > 1", Compare(Field(Kind.METRIC, "acc", Aggregate.ARGMIN), Operator.GT, ONE)),
        ("max > 1", Compare(Field(None, "max"), Operator.GT, ONE)),
        ("metrics.max > 1", Compare(Field(Kind.METRIC, "max"), Operator.GT, ONE)),
        ('params."a b" = 1', Compare(Field(Kind.PARAM, "a b"), Operator.EQ, ONE)),
        ("param.`a``b` = 1", Compare(Field(Kind.PARAM, "a`b"), Operator.EQ, ONE)),
        ("`tags`.`a b` = 1", Compare(Field(Kind.TAG, "a b"), Operator.EQ, ONE)),
        ("`tags`.x.y = 1", Compare(Field(Kind.TAG, "x.y"), Operator.EQ, ONE)),
        ("attr.`run name` = 1", Compare(Field(Kind.ATTRIBUTE, "run name"), Operator.EQ, ONE)),
        ("datasets.name = 1", Compare(Field(Kind.DATASET, "name"), Operator.EQ, ONE)),
        ("`metrics.acc` = 1", Compare(Field(None, "metrics.acc"), Operator.EQ, ONE)),
        ("val/acc.x-1 = 1", Compare(Field(None, "val/acc.x-1"), Operator.EQ, ONE)),
        ("acc = 'it''s'", Compare(ACC, Operator.EQ, Literal("it''s", True))),
        ("acc = `it's`", Compare(ACC, Operator.EQ, Literal("it's", True))),
    ],
)  # fmt: skip
def test_text_is_read_as_this_tree(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a = 1 or b = 1 and c = 1", "a = 1 or (b = 1 and c = 1)"),
        ("not a = 1 and b = 1", "(not a = 1) and b = 1"),
        ("not not a = 1", "not (not (a = 1))"),
        ("a = 1 b = 2", "a = 1 and b = 2"),
        ("a = 1 b = 2 or c = 3", "(a = 1 and b = 2) or c = 3"),
        ("AND a = 1 AND AND b = 2 AND", "a = 1 and b = 2"),
        ("((a = 1))", "a = 1"),
    ],
)
def test_these_two_are_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


def test_the_tree_knows_where_its_parts_stood() -> None:
    text = "x = 1 and max(`val acc`) >= 'a b'"
    clause = parse(text).items[1]  # type: ignore[union-attr]
    assert text[clause.field.start : clause.field.end] == "max(`val acc`)"  # type: ignore[union-attr]
    assert text[clause.value.start : clause.value.end] == "'a b'"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "field", "descending"),
    [
        ("acc", ACC, False),
        ("acc DESC", ACC, True),
        ("metrics.`a b` asc", Field(Kind.METRIC, "a b"), False),
        ("max(acc) desc", Field(None, "acc", Aggregate.MAX), True),
        ('"metrics.acc" desc', Field(Kind.METRIC, "acc"), True),
        ("desc desc", Field(None, "desc"), True),
    ],
)
def test_orders(text: str, field: Field, descending: bool) -> None:
    order = parse_order(text)
    assert (order.field, order.descending) == (field, descending)


def test_the_design_examples_are_read() -> None:
    for text in (
        "min_leaf = 3 and test_acc > 0.44",
        "(optimizer = adam or lr < 1e-3) and not tags.stage = 'debug'",
        "max(val_acc) >= 0.9 and last(loss) < 0.1 and argmin(loss) < 500",
        "status in (running, failed) and started > -7d and duration > 2h",
        "name ~ '^resnet' and params.depth between 3 and 8 and metrics.f1 is null",
        "tags.mlflow.user = 'ana' and `key with spaces` != 'x'",
    ):
        assert to_text(parse(text)) == text
