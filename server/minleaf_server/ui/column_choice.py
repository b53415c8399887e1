"""The form that chooses the columns of the runs table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from minleaf_server.entities import Run
from minleaf_server.ui.columns import Layout, names_of, natural
from minleaf_server.ui.links import Links
from minleaf_server.ui.table_state import KINDS, Column, TableState

NAMES_MAX = 150  # boxes to tick for each kind; names beyond are typed

_TITLES = {"params": "Params", "metrics": "Metrics", "tags": "Tags"}


@dataclass(frozen=True, slots=True)
class Box:
    """One box to tick."""

    id: str
    name: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class BoxGroup:
    """The boxes of one kind, and how many names there is no box for."""

    title: str
    boxes: tuple[Box, ...]
    more: int


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """`automatic` is the table with the columns it chooses itself, "" where it does so already.

    `hidden_count` is how many columns it leaves out because there are too many.
    """

    action: str
    hidden: tuple[tuple[str, str], ...]
    groups: tuple[BoxGroup, ...]
    automatic: str
    hidden_count: int


def column_choice(
    experiment_id: int, state: TableState, layout: Layout, runs: Sequence[Run], links: Links
) -> ColumnChoice:
    """The form for a table laid out as `layout` says."""
    automatic = replace(state.first_page(), columns=None)
    return ColumnChoice(
        action=links.experiment(experiment_id),
        hidden=tuple(state.query_without("col")),
        groups=tuple(group for kind in KINDS if (group := _group(kind, layout, runs)) is not None),
        automatic=links.experiment(experiment_id, automatic.query()) if state.columns is not None else "",
        hidden_count=len(layout.hidden),
    )


def _group(kind: str, layout: Layout, runs: Sequence[Run]) -> BoxGroup | None:
    ticked = {column for column in layout.shown if column.kind == kind}
    names = {column.name for column in ticked}
    for run in runs:
        names.update(names_of(run, kind))
    if not names:
        return None
    ordered = sorted(names, key=lambda name: (Column(kind, name) not in ticked, natural(name)))
    boxes = tuple(
        Box(f"{kind}.{name}", name, Column(kind, name) in ticked) for name in ordered[: max(NAMES_MAX, len(ticked))]
    )
    return BoxGroup(_TITLES[kind], boxes, len(ordered) - len(boxes))
