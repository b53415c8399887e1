"""The filter box: what was typed, and where it is wrong, the wrong place, the reason and a way to put it right."""

from dataclasses import dataclass, replace

from minleaf_server.filters import FilterError
from minleaf_server.ui.links import Links
from minleaf_server.ui.table_state import TableState


@dataclass(frozen=True, slots=True)
class Fix:
    """`text` in place of what is wrong, and the table with the filter put right so."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A filter that is wrong at `wrong`, which stands between `before` and `after`.

    `kept` is the filter whose rows still stand; "" where all rows do.
    """

    before: str
    wrong: str
    after: str
    message: str
    hint: str
    fixes: tuple[Fix, ...]
    kept: str


@dataclass(frozen=True, slots=True)
class FilterBox:
    """`action` is where the form goes, `hidden` what else it carries, `clear` the table without a filter or ""."""

    text: str
    action: str
    hidden: tuple[tuple[str, str], ...]
    clear: str
    names: str
    problem: Problem | None


def filter_box(experiment_id: int, state: TableState, error: FilterError | None, links: Links) -> FilterBox:
    """The box for a table in `state`, whose filter was refused with `error`, if it was."""
    # The next filter may be wrong: then the rows of this one stay, or of the last one that was right.
    good = state.good if error else state.filter
    hidden = replace(state, good=good).first_page().query_without("filter", "good")
    unfiltered = replace(state, filter="", good="").first_page()
    return FilterBox(
        text=state.filter,
        action=links.experiment(experiment_id),
        hidden=tuple([*hidden, ("good", good)] if good else hidden),
        clear=links.experiment(experiment_id, unfiltered.query()) if state.filter else "",
        names=links.names(experiment_id),
        problem=_problem(experiment_id, state, error, links) if error else None,
    )


def _problem(experiment_id: int, state: TableState, error: FilterError, links: Links) -> Problem:
    start, end = _place(error)

    def fix(text: str) -> Fix:
        whole = f"{error.text[:start]}{text}{error.text[end:]}"
        fixed = replace(state, filter=whole, good=state.good).first_page()
        return Fix(text, links.experiment(experiment_id, fixed.query()))

    return Problem(
        before=error.text[:start],
        # At the very end there is no token to underline: a blank stands for the one that is missing.
        wrong=error.text[start:end] or " ",
        after=error.text[end:],
        message=error.message,
        hint=error.hint or "",
        fixes=tuple(fix(text) for text in error.fixes),
        kept=state.good,
    )


def _place(error: FilterError) -> tuple[int, int]:
    start = min(max(error.start, 0), len(error.text))
    return start, min(max(error.end, start), len(error.text))
