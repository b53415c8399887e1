"""The runs table's state and its URL."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.ui.table_state import BACK_TOKENS_MAX, Column, TableState, column_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).map(str.strip).filter(bool)
DATA_COLUMNS = st.builds(Column, st.sampled_from(["params", "metrics", "tags"]), TEXTS)
SORTS = DATA_COLUMNS | st.sampled_from([Column("", name) for name in ("name", "status", "started", "duration", "user")])
STATES = st.builds(
    TableState,
    filter=TEXTS | st.just(""),
    good=st.just(""),
    sort=SORTS,
    descending=st.booleans(),
    columns=st.none() | st.lists(DATA_COLUMNS, unique=True, max_size=4).map(tuple),
    view=st.sampled_from(["active", "deleted", "all"]),
    size=st.sampled_from([25, 50, 100, 200]),
)


@given(STATES)
def test_a_url_says_the_whole_state(state: TableState) -> None:
    assert TableState.read(state.query()) == state
    later = replace(state, page="token", before=100, back=("", "other"))
    assert TableState.read(later.query()) == later


def test_the_plain_table_needs_no_arguments() -> None:
    assert TableState().query() == []
    assert TableState.read([]) == TableState()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["filter", "sort", "desc", "col", "view", "size", "page", "before", "back"]), st.text()
        )
    )
)
def test_any_arguments_are_read(pairs: list[tuple[str, str]]) -> None:
    state = TableState.read(pairs)
    assert state.size in (25, 50, 100, 200)
    assert len(state.back) <= BACK_TOKENS_MAX
    assert TableState.read(state.query()) == replace(state, good=state.good if state.good != state.filter else "")


@pytest.mark.parametrize("text", ["", "x", "params.", ".x", "metric.x", "attributes.name", "Params.x"])
def test_what_is_no_column(text: str) -> None:
    assert column_of(text) is None


def test_a_name_may_hold_dots_and_blanks() -> None:
    assert column_of("metrics.val.acc @ 5") == Column("metrics", "val.acc @ 5")


def test_sorting_starts_with_the_useful_end_and_turns_round() -> None:
    by_acc = TableState(page="t", before=100, back=("",)).sorted_by(Column("metrics", "acc"))
    assert (by_acc.sort, by_acc.descending, by_acc.page, by_acc.before) == (Column("metrics", "acc"), True, "", 0)
    assert by_acc.sorted_by(Column("metrics", "acc")).descending is False
    assert by_acc.sorted_by(Column("params", "lr")).descending is False


def test_pages_lead_on_and_back() -> None:
    first = TableState(size=25)
    third = first.next_page("b", 25).next_page("c", 25)
    assert (third.page, third.before, third.back) == ("c", 50, ("", "b"))
    second = third.previous_page()
    assert second is not None
    assert (second.page, second.before, second.back) == ("b", 25, ("",))
    assert second.previous_page() == first
    assert first.previous_page() is None


def test_the_trail_back_is_bounded_and_ends_at_the_first_page() -> None:
    state = TableState(size=25)
    for number in range(1, 60):
        state = state.next_page(f"t{number}", 25)
    steps = 0
    while (previous := state.previous_page()) is not None:
        state, steps = previous, steps + 1
    assert state == TableState(size=25)
    assert steps <= BACK_TOKENS_MAX + 1
