"""Columns find exactly the runs that plain Python finds, in the same order, on pages of any size."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minleaf_server import columns
from minleaf_server.columns import find, matching, supports, wanted
from minleaf_server.filters import (
    Catalog,
    Expr,
    OrderBy,
    check,
    check_order,
    order_to_text,
    parse,
    parse_order,
    to_text,
)
from minleaf_server.filters.tree import Aggregate
from tests.columns.oracle_rows import OracleRows
from tests.filters import strategies
from tests.filters.clauses import CLAUSES
from tests.filters.oracle import OracleRun, matches, number, sort_runs
from tests.filters.random_runs import battery_run, random_run

RUNS = 80


def made_runs(seed: int) -> list[OracleRun]:
    rng = random.Random(seed)
    runs = [random_run(rng, [0]) for _ in range(RUNS)] + [battery_run(rng) for _ in range(RUNS)]
    for run in runs:
        run.id = f"{rng.getrandbits(128):032x}"
        run.artifact_uri = f"mlflow-artifacts:/0/{run.id}/artifacts"
    # Equal in their first eight and sixteen letters, so that the last ones decide.
    for place, run in enumerate(runs[:8]):
        run.id = f"{'0' * (8 * (place % 3))}{run.id}"[:32]
    return runs


ROWS = OracleRows(made_runs(seed=20261123))


def all_pages(rows: OracleRows, mask: np.ndarray, orders: Sequence[OrderBy], size: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = find(rows, mask, orders, after, size)
        found += [rows.runs[place].id for place in page.indexes]
        if page.last is None:
            return found
        assert len(page.indexes) == size
        after = page.last


@settings(max_examples=150, deadline=None)
@given(expr=strategies.expressions.filter(supports), orders=strategies.orders, size=st.sampled_from([5, 20, 1000]))
def test_columns_find_what_plain_python_finds(expr: Expr, orders: list[OrderBy], size: int) -> None:
    text = to_text(expr)
    checked = check(parse(text), Catalog(), text=text)
    checked_orders = list(check_order([parse_order(order_to_text(order)) for order in orders], Catalog()))
    expected = [run for run in ROWS.runs if matches(run, checked)]
    found = matching(checked, ROWS)
    assert [run.id for run, found_ in zip(ROWS.runs, found, strict=True) if found_] == [run.id for run in expected]
    assert all_pages(ROWS, found, checked_orders, size) == [run.id for run in sort_runs(expected, checked_orders)]


def test_every_operator_with_every_value() -> None:
    for text in CLAUSES:
        expr = check(parse(text), Catalog(), text=text)
        if supports(expr):
            assert matching(expr, ROWS).tolist() == [matches(run, expr) for run in ROWS.runs], text


FIELDS = ["metrics.acc", "min(acc)", "argmax(acc)", "count(acc)", "params.lr", "tags.stage", "metrics.absent"]
FIELDS += ["params.absent", "params.depth", "tags.absent", "tags.t3", "start_time", "end_time", "duration"]
FIELDS += ["status", "run_name", "user_id", "run_id"]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("field", FIELDS)
def test_every_order(field: str, direction: str) -> None:
    orders = check_order([parse_order(f"{field} {direction}")], Catalog(("acc",)))
    mask = np.array([not run.deleted for run in ROWS.runs])
    expected = [run.id for run in sort_runs([run for run in ROWS.runs if not run.deleted], list(orders))]
    for size in (2, 7, 1000):
        assert all_pages(ROWS, mask, orders, size) == expected


CHECKED = [
    "params.lr > 0.5",
    "params.lr = 'adam' or tags.stage like '%a%'",
    "not tags.stage ~ '^a'",
    "ab",
    "run_id in ('x') or run_name != 'ab'",
    "metrics.acc >= 0.1",
    "metrics.acc >= 0.1 and params.lr = 3",
    "(tags.stage != 'ab' or metrics.acc < 1) and not (run_name like 'a%' and params.depth > 3)",
    "params.lr not in (3, 'adam') and start_time is not null",
]


def test_columns_stay_right_while_runs_come_in() -> None:
    made = made_runs(seed=5)
    rows = OracleRows([])
    orders = [
        check_order([parse_order(order)], Catalog()) for order in ("params.lr DESC", "tags.stage ASC", "run_name")
    ]
    for size in (0, 1, 50, 52, 53, RUNS, len(made)):
        rows.runs = made[:size]
        for text in CHECKED:
            expr = check(parse(text), Catalog(), text=text)
            expected = [run for run in rows.runs if matches(run, expr)]
            for order in orders:
                found = all_pages(rows, matching(expr, rows), order, 7)
                assert found == [run.id for run in sort_runs(expected, list(order))], (text, order)


def test_the_least_and_greatest_integers() -> None:
    starts = [-(2**63), -(2**63) + 1, -1, 0, 2**53, 2**53 + 1, 2**63 - 2, 2**63 - 1, None]
    runs = [OracleRun(id=f"{place:032x}", name="a", start=start) for place, start in enumerate(starts)]
    rows = OracleRows(runs)
    values = [*starts[:-1], -(2**63) - 1, 2**63, "9007199254740992.5", "1e30", "-1e30", "inf", "-0.5"]
    for operator in ("=", "!=", "<", "<=", ">", ">="):
        for value in values:
            expr = check(parse(f"start_time {operator} {value}"), Catalog())
            assert matching(expr, rows).tolist() == [matches(run, expr) for run in runs], (operator, value)
    expr = check(parse(f"start_time not in ({', '.join(map(str, values))})"), Catalog())
    assert matching(expr, rows).tolist() == [matches(run, expr) for run in runs]
    for order in ("start_time ASC", "start_time DESC"):
        orders = check_order([parse_order(order)], Catalog())
        for size in (1, 2, 100):
            found = all_pages(rows, np.ones(rows.size, bool), orders, size)
            assert found == [run.id for run in sort_runs(runs, list(orders))]


@pytest.mark.parametrize("kept", ["1", "123", "abcdefgh", "some-imported-id-that-is-long", "0" * 31 + "1" * 9])
def test_ids_of_any_length_are_the_last_order(kept: str) -> None:
    runs = [OracleRun(id=kept + suffix, name="a") for suffix in ("", "b", "a", "é", "😀", "ba", "0")]
    rows = OracleRows(runs)
    for order in ("run_id ASC", "run_id DESC", "run_name ASC"):
        orders = check_order([parse_order(order)], Catalog())
        for size in (1, 2, 5):
            found = all_pages(rows, np.ones(rows.size, bool), orders, size)
            assert found == [run.id for run in sort_runs(runs, list(orders))]


@pytest.mark.parametrize(
    "after", [(0, 1.5, "abc"), (0, None, None), (1, None, ""), (7, 0.0, "x"), (-(2**63), 2.0, None)]
)
def test_a_token_may_say_what_no_run_has(after: tuple[columns.Value, ...]) -> None:
    """Such as `after` of a run that is gone: what follows is what comes behind, key for key."""
    runs = [
        OracleRun(id=str(place), name="a", params={"lr": text}) for place, text in enumerate(["1.5", "2", "b", "abc"])
    ]
    rows = OracleRows([*runs, OracleRun(id="9", name="a")])
    orders = check_order([parse_order("params.lr ASC")], Catalog())
    found = find(rows, np.ones(rows.size, bool), orders, [*after, 0, "5"], 10)
    assert [rows.runs[place].id for place in found.indexes] == [
        run.id for run in sort_runs(rows.runs, list(orders)) if is_behind(run, [*after, 0, "5"])
    ]


def is_behind(run: OracleRun, after: Sequence[columns.Value]) -> bool:
    text = run.params.get("lr")
    as_number = None if text is None else number(text)
    rank = 2 if text is None else 1 if as_number is None else 0
    values = [rank, as_number, None if as_number is not None else text, run.start, run.id]
    for value, edge, descending in zip(values, after, [False, False, False, True, False], strict=True):
        if value == edge:
            continue
        if value is None or edge is None:
            return value is None
        return value < edge if descending else value > edge  # type: ignore[operator]
    return False


def test_what_a_search_reads() -> None:
    expr = check(
        parse("run-77 and max(acc) > 1 and duration > 1s and params.lr = 1 and run_id = 'x'"), Catalog(("acc",))
    )
    orders = check_order([parse_order("metrics.loss ASC")], Catalog())
    names = {(field.kind.value if field.kind else "", field.name, field.aggregate) for field in wanted(expr, orders)}
    assert names == {
        ("attributes", "run_name", None),
        ("attributes", "start_time", None),
        ("attributes", "end_time", None),
        ("metrics", "acc", Aggregate.MAX),
        ("metrics", "loss", Aggregate.LAST),
        ("params", "lr", None),
    }
    assert supports(expr, orders)
    assert not supports(check(parse("not datasets.name = 'x' or run-77"), Catalog()))
