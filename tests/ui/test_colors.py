"""Run colours: stable, and no repeats among twenty neighbours."""

import random

from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.ui.colors import PALETTE_SIZE, preferred_color, run_colors

RUN_IDS = st.text("0123456789abcdef", min_size=8, max_size=8)


@given(st.lists(RUN_IDS, unique=True, max_size=70))
def test_each_twenty_rows_have_twenty_colours(run_ids: list[str]) -> None:
    colors = run_colors(run_ids)
    for start in range(0, len(run_ids), PALETTE_SIZE):
        shown = [colors[run_id] for run_id in run_ids[start : start + PALETTE_SIZE]]
        assert len(set(shown)) == len(shown)
        assert all(0 <= color < PALETTE_SIZE for color in shown)


@given(st.lists(RUN_IDS, unique=True, max_size=PALETTE_SIZE), st.randoms())
def test_sorting_the_rows_does_not_change_their_colours(run_ids: list[str], shuffle: random.Random) -> None:
    shuffled = list(run_ids)
    shuffle.shuffle(shuffled)
    assert run_colors(run_ids) == run_colors(shuffled)


@given(RUN_IDS)
def test_a_run_alone_has_the_colour_of_its_id(run_id: str) -> None:
    assert run_colors([run_id]) == {run_id: preferred_color(run_id)}


def test_the_colours_of_ids_use_the_whole_palette() -> None:
    assert {preferred_color(f"{i:032x}") for i in range(1000)} == set(range(PALETTE_SIZE))
