"""Names to what they name, values to what they mean."""

import pytest

from minleaf_server.filters import EXPERIMENTS, Catalog, bare_names, check, parse, parse_order, to_text
from minleaf_server.filters.tree import Between, Compare, In, Literal

CATALOG = Catalog(metrics=("acc", "status", "time"), params=("depth", "time"), tags=("stage",))
NOW = 1_795_392_000_000  # 2026-11-23 00:00 UTC
DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "qualified"),
    [
        ("acc > 1", "last(metrics.acc) > 1"),
        ("depth = 3", "params.depth = 3"),
        ("stage = x", "tags.stage = x"),
        ("status = failed", "attributes.status = failed"),
        ("max(time) > 1", "max(metrics.time) > 1"),
        ("params.time = 1", "params.time = 1"),
        ("name = a or `Run Name` = a", "attributes.run_name = a or attributes.run_name = a"),
        ("user = a and user_id = a", "attributes.user_id = a and attributes.user_id = a"),
        ("created > 1 and ended > 1", "attributes.start_time > 1 and attributes.end_time > 1"),
        ("started > 1", "attributes.start_time > 1"),
        ("run.status = a or attr.name = b", None),
        ("depth = true", "params.depth in ('true', 'True', 'TRUE')"),
        ("depth != nan", "params.depth not in ('nan', 'NaN', 'NAN')"),
        ("depth = 'true'", "params.depth = 'true'"),
    ],
)  # fmt: skip
def test_bare_names(text: str, qualified: str | None) -> None:
    if qualified is None:
        with pytest.raises(Exception, match="There is no status 'a'"):
            check(parse(text), CATALOG)
    else:
        assert to_text(check(parse(text), CATALOG)) == qualified


def value(text: str) -> object:
    checked = check(parse(text), CATALOG, now=NOW)
    assert isinstance(checked, Compare)
    return checked.value.value


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("acc > 1", 1.0),
        ("acc > 1e999", float("inf")),
        ("acc > '0.5'", 0.5),
        ("depth = 3", 3.0),
        ("depth = '3'", "3"),
        ("depth < '3'", 3.0),
        ("depth = 0x10", "0x10"),
        ("depth = -7d", "-7d"),
        ("depth = 2026-11-23", "2026-11-23"),
        ("stage = 3", "3"),
        ("status = running", "RUNNING"),
        ("status = 'running'", "running"),
        ("count(acc) > 9007199254740993", 9007199254740993),
        ("started > 1.5", 1.5),
        ("started > -7d", NOW - 7 * DAY),
        ("started >= 2026-11-23", NOW),
        ("started > 2026-11-23", NOW + DAY - 1),
        ("started < '2026-11-23 00:01'", NOW + 60_000),
        ("started <= 2026-11-23", NOW + DAY - 1),
        ("duration > 2h", 7_200_000.0),
    ],
)
def test_values(text: str, wanted: object) -> None:
    found = value(text)
    assert found == wanted
    assert type(found) is type(wanted)


def test_a_date_is_equal_to_all_of_its_day() -> None:
    checked = check(parse("started != 2026-11-23"), CATALOG)
    assert isinstance(checked, Between)
    assert (checked.low.value, checked.high.value, checked.negated) == (NOW, NOW + DAY - 1, True)
    between = check(parse("started between 2026-11-22 and 2026-11-23"), CATALOG)
    assert isinstance(between, Between)
    assert (between.low.value, between.high.value) == (NOW - DAY, NOW + DAY - 1)


def test_a_list_keeps_numbers_and_texts_apart() -> None:
    checked = check(parse("depth in (3, '3', auto)"), CATALOG)
    assert isinstance(checked, In)
    assert [literal.value for literal in checked.values] == [3.0, "3", "auto"]
    assert checked.values[0] == Literal("3")


def test_experiments_have_attributes_of_their_own() -> None:
    text = "name = a and created > 2026-11-23 and experiment_id in ('1', 2) and tags.x = 'y'"
    assert to_text(check(parse(text), Catalog(), schema=EXPERIMENTS)) == (
        "attributes.name = a and attributes.creation_time > 2026-11-23 and attributes.experiment_id in ('1', 2) "
        "and tags.x = 'y'"
    )


def test_which_names_need_the_catalog() -> None:
    expr = parse("acc > 1 and name = 'x' and metrics.loss > 1 and (max(status) > 1 or not resnet)")
    assert bare_names(expr, [parse_order("f1 desc"), parse_order("created")]) == {"acc", "status", "f1"}
