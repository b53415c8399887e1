"""What the template of the runs table gets, built from the runs found. No HTTP and no queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from minleaf_server.entities import Experiment, Lifecycle, Run
from minleaf_server.filters import FilterError
from minleaf_server.ui import format as fmt
from minleaf_server.ui import status
from minleaf_server.ui.cells import Cell, all_numbers, text_cell
from minleaf_server.ui.colors import run_colors
from minleaf_server.ui.column_choice import ColumnChoice, column_choice
from minleaf_server.ui.columns import Layout, column_cells, layout, values
from minleaf_server.ui.filter_box import FilterBox, filter_box
from minleaf_server.ui.format import Moment
from minleaf_server.ui.greeting import Greeting, greeting
from minleaf_server.ui.headers import Header
from minleaf_server.ui.links import Links
from minleaf_server.ui.status import Span, Status
from minleaf_server.ui.table_state import ATTRIBUTES, VIEWS, Column, TableState


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: the runs of this page, how many match, how many there are, and what was wrong, if anything.

    `state` is the state that the rows really show; with a wrong filter it is not the one that was asked for.
    """

    runs: Sequence[Run]
    next_token: str | None
    matching: int
    total: int
    error: FilterError | None
    note: str
    state: TableState
    parents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring columns of one kind under one title."""

    title: str
    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A param or metric that has the same value in all rows."""

    name: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row. `parent` is the name of the run's parent or "", `color` an index of the palette."""

    id: str
    url: str
    name: str
    parent: str
    color: int
    status: Status
    started: Moment | None
    duration: Span
    user: str
    deleted: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A choice between active, deleted and all runs."""

    name: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class RunsPage:
    """The runs table. `shown` says which rows of how many; `address` is the tidy URL of what is shown."""

    experiment: str
    experiment_deleted: bool
    address: str
    box: FilterBox
    choice: ColumnChoice
    views: tuple[View, ...]
    attributes: tuple[Header, ...]
    users: bool
    groups: tuple[Group, ...]
    rows: tuple[RunRow, ...]
    constants: tuple[Constant, ...]
    shown: str
    note: str
    previous: str
    next: str
    compare: str
    greeting: Greeting | None


def build(experiment: Experiment, state: TableState, found: Found, links: Links, now: int, address: str) -> RunsPage:
    """The page for `state` as asked for and `found` as it could be answered. `now` is in ms since 1970."""
    runs = found.runs
    columns = layout(runs, state.columns, found.state.sort)
    shown_state = replace(found.state, filter=state.filter, good=found.state.filter) if found.error else found.state
    previous = shown_state.previous_page()

    def url(to: TableState) -> str:
        return links.experiment(experiment.id, to.query())

    attributes = _attributes(runs, found.state)
    cells = [column_cells(runs, column) for column in columns.shown]
    return RunsPage(
        experiment=experiment.name,
        experiment_deleted=experiment.lifecycle is Lifecycle.DELETED,
        address=url(shown_state),
        box=filter_box(experiment.id, shown_state, found.error, links),
        choice=column_choice(experiment.id, shown_state, columns, runs, links),
        views=tuple(View(n, url(replace(shown_state.first_page(), view=n)), n == state.view) for n in VIEWS),
        attributes=tuple(_header(Column("", name), shown_state, False, links, experiment.id) for name in attributes),
        users="user" in attributes,
        groups=_groups(columns, cells, shown_state, links, experiment.id),
        rows=_rows(found, cells, links, now),
        constants=_constants(runs, columns, "user" in attributes),
        shown=shown_line(found),
        note=found.note,
        previous=url(previous) if previous else "",
        next=url(shown_state.next_page(found.next_token, len(runs))) if _has_next(found) and found.next_token else "",
        compare=links.compare(),
        greeting=greeting(address, experiment.name) if not found.total and state.view == "active" else None,
    )


def _attributes(runs: Sequence[Run], state: TableState) -> tuple[str, ...]:
    """The attributes that are columns: the user only where the rows have several."""
    several = len({run.info.user for run in runs}) > 1 or state.sort == Column("", "user")
    return tuple(name for name in ATTRIBUTES if several or name != "user")


def _has_next(found: Found) -> bool:
    """A full last page comes with a token too, which would lead to an empty page."""
    return bool(found.runs) and found.state.before + len(found.runs) < found.matching


def shown_line(found: Found) -> str:
    """`15 of 1,204 runs`, `101-200 of 1,204 runs`, `15 runs`."""
    total = fmt.plural(found.total, "run")
    part = fmt.count(found.matching)
    if len(found.runs) < found.matching:
        first = found.state.before + 1
        part = f"{fmt.span(first, first + len(found.runs) - 1)} of {part}"
        return f"{part} runs" if found.matching == found.total else f"{part} matching of {total}"
    return total if found.matching == found.total else f"{part} of {total}"


_GROUP_TITLES = {"params": "Params", "metrics": "Metrics", "tags": "Tags"}


def _groups(
    columns: Layout, cells: Sequence[Sequence[Cell]], state: TableState, links: Links, experiment_id: int
) -> tuple[Group, ...]:
    groups = []
    for kind, title in _GROUP_TITLES.items():
        headers = tuple(
            _header(column, state, all_numbers(column_of), links, experiment_id)
            for column, column_of in zip(columns.shown, cells, strict=True)
            if column.kind == kind
        )
        if headers:
            groups.append(Group(title, headers))
    return tuple(groups)


def _header(column: Column, state: TableState, numeric: bool, links: Links, experiment_id: int) -> Header:
    direction = "descending" if state.descending else "ascending"
    label = fmt.shortened(column.name, 40)
    return Header(
        label=label if column.kind else {"name": "Run"}.get(column.name, column.name.capitalize()),
        title=fmt.full_title(column.name, label) if column.kind else "",
        url=links.experiment(experiment_id, state.sorted_by(column).query()),
        sorted=direction if column == state.sort else "",
        numeric=numeric or (column.name == "duration" and not column.kind),
    )


def _rows(found: Found, cells: Sequence[Sequence[Cell]], links: Links, now: int) -> tuple[RunRow, ...]:
    colors = run_colors([run.info.id for run in found.runs])
    return tuple(
        RunRow(
            id=run.info.id,
            url=links.run(run.info.id),
            name=status.display_name(run.info),
            parent=found.parents.get(status.parent_id(run) or "", ""),
            color=colors[run.info.id],
            status=status.status(run.info),
            started=fmt.moment(run.info.start_time, now),
            duration=status.span(run.info, now),
            user=fmt.shortened(run.info.user, 40),
            deleted=run.info.lifecycle is Lifecycle.DELETED,
            cells=tuple(column[i] for column in cells),
        )
        for i, run in enumerate(found.runs)
    )


def _constants(runs: Sequence[Run], columns: Layout, users: bool) -> tuple[Constant, ...]:
    found = tuple(_constant(runs, column) for column in columns.constant)
    if users or len(runs) < 2 or not runs[0].info.user:
        return found
    return (*found, Constant("user", text_cell(runs[0].info.user, 40)))


def _constant(runs: Sequence[Run], column: Column) -> Constant:
    if column.kind == "metrics":
        return Constant(column.name, column_cells(runs[:1], column)[0])
    value = values(runs[:1], column)[0]
    return Constant(column.name, text_cell(str(value), 40))
