"""Which params, metrics and tags are columns of the runs table, and which are folded into the line of constants."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from minleaf_server.entities import Run
from minleaf_server.ui import cells
from minleaf_server.ui.cells import Cell
from minleaf_server.ui.table_state import Column

COLUMNS_PER_KIND_MAX = 30  # how many params and how many metrics are shown unasked


@dataclass(frozen=True, slots=True)
class Layout:
    """`shown` in table order, `constant` those with one value in all rows, `hidden` those too many to show unasked."""

    shown: tuple[Column, ...]
    constant: tuple[Column, ...]
    hidden: tuple[Column, ...]


def layout(runs: Sequence[Run], chosen: Sequence[Column] | None, sort: Column) -> Layout:
    """The columns for these rows. A choice is obeyed; without one, what differs is shown, the sorted column always."""
    if chosen is not None:
        return Layout(tuple(sorted(chosen, key=_order)), (), ())
    present = [column for kind in ("params", "metrics") for column in _present(runs, kind)]
    constant = tuple(column for column in present if column != sort and is_constant(values(runs, column)))
    differing = [column for column in present if column not in set(constant)]
    shown = [column for kind in ("params", "metrics") for column in _first(differing, kind, sort)]
    if sort.kind and sort not in shown:
        shown.append(sort)
    hidden = tuple(column for column in differing if column not in set(shown))
    return Layout(tuple(sorted(shown, key=_order)), constant, hidden)


def _present(runs: Sequence[Run], kind: str) -> list[Column]:
    names = {name for run in runs for name in names_of(run, kind)}
    return [Column(kind, name) for name in sorted(names, key=natural)]


def _first(columns: Sequence[Column], kind: str, sort: Column) -> list[Column]:
    of_kind = [column for column in columns if column.kind == kind]
    return [column for i, column in enumerate(of_kind) if i < COLUMNS_PER_KIND_MAX or column == sort]


def names_of(run: Run, kind: str) -> Iterable[str]:
    """The names of the run's params, metrics or tags."""
    by_kind: dict[str, Mapping[str, object]] = {"params": run.params, "metrics": run.metrics, "tags": run.tags}
    return by_kind[kind]


_KIND_ORDER = {"": 0, "params": 1, "metrics": 2, "tags": 3}


def _order(column: Column) -> tuple[int, list[tuple[int, int, str]]]:
    return _KIND_ORDER[column.kind], natural(column.name)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key that puts `layer2` before `layer10`."""
    # Twelve digits at most: longer runs of digits are ids, and int() refuses endless ones.
    parts = re.findall(r"[0-9]{1,12}|[^0-9]+", name.lower())
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts]


def values(runs: Sequence[Run], column: Column) -> list[str | float | None]:
    """The column's value in each run: the text of a param or tag, the last value of a metric, None where absent."""
    if column.kind == "metrics":
        return [run.metrics[column.name].last if column.name in run.metrics else None for run in runs]
    if column.kind == "params":
        return [run.params.get(column.name) for run in runs]
    return [run.tags.get(column.name) for run in runs]


def is_constant(column_values: Sequence[str | float | None]) -> bool:
    """Whether two or more runs all have one and the same value; NaN is the same as NaN."""
    first = column_values[0] if len(column_values) > 1 else None
    if first is None:
        return False
    return all(_same(first, value) for value in column_values)


def _same(a: str | float, b: str | float | None) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return a == b


def column_cells(runs: Sequence[Run], column: Column) -> list[Cell]:
    """The cells of a column, aligned, the best of a metric marked."""
    column_values = values(runs, column)
    if column.kind != "metrics":
        return cells.aligned([cells.text_cell(v if isinstance(v, str) else None) for v in column_values])
    numbers = [v if isinstance(v, float) else None for v in column_values]
    marked = cells.mark_best([cells.number_cell(v) for v in numbers], numbers, cells.direction(column.name))
    return cells.aligned(marked)
