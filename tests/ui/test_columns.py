"""Which columns stand in the table, and how their cells are written."""

import math

import pytest

from minleaf_server.ui.cells import ABSENT, Cell, all_numbers, direction, number_cell, text_cell
from minleaf_server.ui.columns import COLUMNS_PER_KIND_MAX, column_cells, is_constant, layout, natural
from minleaf_server.ui.table_state import Column
from tests.ui.made import run

STARTED = Column("", "started")
LR, OPTIMIZER, SEED = Column("params", "lr"), Column("params", "optimizer"), Column("params", "seed")
ACC = Column("metrics", "acc")
SWEEP = [
    run(1, {"optimizer": "adam", "lr": "0.1", "seed": "0"}, {"acc": [0.5]}),
    run(2, {"optimizer": "adam", "lr": "0.01"}, {"acc": [0.75]}),
]


def test_what_differs_is_shown_and_what_does_not_is_folded() -> None:
    found = layout(SWEEP, None, STARTED)
    assert found.shown == (LR, SEED, ACC)
    assert found.constant == (OPTIMIZER,)
    assert found.hidden == ()


def test_the_sorted_column_is_never_folded() -> None:
    assert OPTIMIZER in layout(SWEEP, None, OPTIMIZER).shown
    assert layout(SWEEP, None, Column("tags", "team")).shown[-1] == Column("tags", "team")


def test_a_choice_is_obeyed() -> None:
    found = layout(SWEEP, (ACC, OPTIMIZER), STARTED)
    assert found.shown == (OPTIMIZER, ACC)
    assert found.constant == ()
    assert layout(SWEEP, (), STARTED).shown == ()


def test_a_lone_run_has_no_constants() -> None:
    assert layout(SWEEP[:1], None, STARTED).constant == ()


def test_too_many_columns_are_counted_not_dropped() -> None:
    runs = [run(i, metrics={f"m{j}": [i * j + 0.5] for j in range(1, 101)}) for i in range(2)]
    last = Column("metrics", "m99")
    found = layout(runs, None, last)
    assert len(found.shown) + len(found.hidden) == 100
    assert len(found.shown) == COLUMNS_PER_KIND_MAX + 1
    assert last in found.shown


@pytest.mark.parametrize(
    ("values", "constant"),
    [
        (["a", "a"], True),
        (["a", "b"], False),
        (["a", None], False),
        ([None, None], False),
        ([math.nan, math.nan], True),
        ([1.0, math.nan], False),
        (["a"], False),
        ([], False),
    ],
)
def test_constant(values: list[str | float | None], constant: bool) -> None:
    assert is_constant(values) is constant


def test_names_are_in_the_order_people_count() -> None:

    assert sorted(["l10", "l2", "L1"], key=natural) == ["L1", "l2", "l10"]
    assert len(sorted(["9" * 5000, "a"], key=natural)) == 2


def test_nan_infinity_absent_and_empty_are_told_apart() -> None:
    kinds = [number_cell(value).kind for value in (1.0, math.nan, math.inf, None)]
    assert kinds == ["num", "nan", "inf", "absent"]
    assert text_cell(None) == ABSENT
    assert text_cell("").kind == "empty"
    assert text_cell("nan").kind == ""


def test_the_whole_value_is_on_the_hover() -> None:
    assert number_cell(1 / 3) == Cell("0.33333", "num", "0.3333333333333333")
    assert number_cell(0.5).title == ""
    assert text_cell("0.30000000000000004") == Cell("0.3", "num", "0.30000000000000004")
    assert text_cell("1e-3") == Cell("1e-3", "num")


@pytest.mark.parametrize(
    ("name", "best"),
    [
        ("val/loss", "lowest"),
        ("valLoss", "lowest"),
        ("test_rmse", "lowest"),
        ("epoch_time_s", "lowest"),
        ("test_acc", "highest"),
        ("f1_macro", "highest"),
        ("roc_auc", "highest"),
        ("top1", "highest"),
        ("lossless_thing", ""),
        ("lr", ""),
        ("åß", ""),
    ],
)
def test_the_name_of_a_metric_says_which_end_is_good(name: str, best: str) -> None:
    assert direction(name) == best


def test_every_best_value_is_marked_and_nothing_where_all_are_equal() -> None:
    runs = [run(i, metrics={"acc": [value]}) for i, value in enumerate([0.5, 0.75, 0.75, math.nan])]
    assert [cell.best for cell in column_cells(runs, ACC)] == ["", "highest", "highest", ""]
    equal = [run(i, metrics={"acc": [0.5]}) for i in range(3)]
    assert [cell.best for cell in column_cells(equal, ACC)] == ["", "", ""]


def test_a_column_of_numbers_with_holes_still_is_one_of_numbers() -> None:
    cells = column_cells([run(0, {"lr": "0.1"}), run(1, {"lr": "1e-5"}), run(2)], LR)
    assert all_numbers(cells)
    assert not all_numbers(column_cells(SWEEP, OPTIMIZER))
    assert not all_numbers(column_cells([run(0)], LR))
