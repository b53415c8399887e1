"""What the template of a comparison gets, built from the runs. No HTTP and no queries."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from minleaf_server.entities import SummarizedRun
from minleaf_server.ui import format as fmt
from minleaf_server.ui import status
from minleaf_server.ui.cells import Cell, direction, mark_best, number_cell, text_cell
from minleaf_server.ui.colors import run_colors
from minleaf_server.ui.columns import is_constant, natural
from minleaf_server.ui.links import Links
from minleaf_server.ui.run_view import Chart, chart_id
from minleaf_server.ui.status import Status

CHARTS_MAX = 48
CHART_NAMES_MAX = 60  # params, and metrics, handed to the parallel coordinates and the scatter plot

Json = str | int | float | None


@dataclass(frozen=True, slots=True)
class RunColumn:
    """A run, at the head of its column."""

    id: str
    url: str
    name: str
    color: int
    status: Status
    without: str


@dataclass(frozen=True, slots=True)
class Row:
    """A key and its cell in every run. `part` is "last", "min" or "max" for a metric of many points, else ""."""

    name: str
    part: str
    cells: tuple[Cell, ...]
    differs: bool

    @property
    def style(self) -> str:
        """The classes of the row: equal rows are quieter, min and max belong to the row above."""
        words = ("" if self.differs else "same", "more" if self.part in ("min", "max") else "")
        return " ".join(filter(None, words))


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The comparison. `data` is the block that charts.js reads, `toggle` turns `differences` round."""

    title: str
    runs: tuple[RunColumn, ...]
    differences: bool
    toggle: str
    params: tuple[Row, ...]
    metrics: tuple[Row, ...]
    params_equal: str
    metrics_equal: str
    charts: tuple[Chart, ...]
    charts_hidden: str
    data: dict[str, object]
    plots: bool


def build(runs: Sequence[SummarizedRun], differences: bool, links: Links) -> ComparePage:
    """The page for `runs` in this order. `differences` leaves out the rows that are the same in all."""
    ids = [run.info.id for run in runs]
    colors = run_colors(ids)
    params = [_param_row(name, runs) for name in _names(run.params for run in runs)]
    metrics = [row for name in _names(run.metrics for run in runs) for row in _metric_rows(name, runs)]
    charted = [
        n for n in _names(run.metrics for run in runs) if any(n in r.metrics and r.metrics[n].count > 1 for r in runs)
    ]
    other = [] if differences else [("differences", "1")]
    return ComparePage(
        title=fmt.plural(len(runs), "run"),
        runs=tuple(_column(run, ids, colors, differences, links) for run in runs),
        differences=differences,
        toggle=links.compare(ids, other),
        params=tuple(row for row in params if row.differs or not differences),
        metrics=tuple(row for row in metrics if row.differs or not differences),
        params_equal=_equal(params, differences, "param"),
        metrics_equal=_equal(metrics, differences, "row"),
        charts=tuple(_chart(name, i, runs, colors) for i, name in enumerate(charted[:CHARTS_MAX])),
        charts_hidden=fmt.count(len(charted) - CHARTS_MAX) if len(charted) > CHARTS_MAX else "",
        data=chart_data(runs, colors),
        plots=len(runs) > 1,
    )


def _names(mappings: Iterable[Iterable[str]]) -> list[str]:
    return sorted({name for mapping in mappings for name in mapping}, key=natural)


def _equal(rows: Sequence[Row], differences: bool, noun: str) -> str:
    """How many rows the switch leaves out, in words; "" where none."""
    equal = sum(not row.differs for row in rows)
    return fmt.plural(equal, f"equal {noun}") if differences and equal else ""


def _column(
    run: SummarizedRun, ids: Sequence[str], colors: dict[str, int], differences: bool, links: Links
) -> RunColumn:
    rest = [run_id for run_id in ids if run_id != run.info.id]
    query = [("differences", "1")] if differences else []
    return RunColumn(
        id=run.info.id,
        url=links.run(run.info.id),
        name=status.display_name(run.info),
        color=colors[run.info.id],
        status=status.status(run.info),
        without=links.compare(rest, query) if rest else "",
    )


def _param_row(name: str, runs: Sequence[SummarizedRun]) -> Row:
    values = [run.params.get(name) for run in runs]
    return Row(name, "", tuple(text_cell(value) for value in values), _differs(values))


def _metric_rows(name: str, runs: Sequence[SummarizedRun]) -> list[Row]:
    summaries = [run.metrics.get(name) for run in runs]
    single = all(each is None or each.count == 1 for each in summaries)
    parts = {
        "" if single else "last": [each.last if each else None for each in summaries],
        "min": [each.min if each else None for each in summaries],
        "max": [each.max if each else None for each in summaries],
    }
    wanted = direction(name)
    telling = ("", "last", "min" if wanted == "lowest" else "max")
    kept = {part: values for part, values in parts.items() if not single or not part}
    return [_metric_row(name, part, values, wanted if part in telling else "") for part, values in kept.items()]


def _metric_row(name: str, part: str, values: Sequence[float | None], wanted: str) -> Row:
    cells = mark_best([number_cell(value) for value in values], values, wanted)
    return Row(name, part, tuple(cells), _differs(values))


def _differs(values: Sequence[str | float | None]) -> bool:
    """Whether the runs have different values, or only some have one. A lone run has nothing to differ from."""
    return len(values) > 1 and not is_constant(values) and any(value is not None for value in values)


def _chart(name: str, index: int, runs: Sequence[SummarizedRun], colors: dict[str, int]) -> Chart:
    drawn = [run for run in runs if name in run.metrics]
    points = sum(run.metrics[name].count for run in drawn)
    return Chart(
        id=chart_id(index),
        metric=name,
        runs=",".join(run.info.id for run in drawn),
        colors=",".join(str(colors[run.info.id]) for run in drawn),
        names=tuple(status.display_name(run.info) for run in drawn),
        caption=f"{fmt.plural(points, 'point')} of {fmt.plural(len(drawn), 'run')}",
    )


def chart_data(runs: Sequence[SummarizedRun], colors: dict[str, int]) -> dict[str, object]:
    """What the parallel coordinates and the scatter plot draw: columns aligned with `runs`, differing ones first."""
    params = {name: [run.params.get(name) for run in runs] for name in _names(run.params for run in runs)}
    metrics = {
        name: [run.metrics[name].last if name in run.metrics else None for run in runs]
        for name in _names(run.metrics for run in runs)
    }
    return {
        "runs": [{"id": r.info.id, "name": status.display_name(r.info), "color": colors[r.info.id]} for r in runs],
        "params": {name: params[name] for name in _differing_first(params)},
        "metrics": {name: [_json(v) for v in metrics[name]] for name in _differing_first(metrics)},
    }


def _differing_first(columns: dict[str, list[str | None]] | dict[str, list[float | None]]) -> list[str]:
    return sorted(columns, key=lambda name: not _differs(columns[name]))[:CHART_NAMES_MAX]


def _json(value: float | None) -> Json:
    """JSON has no NaN and no infinities: they are texts."""
    return value if value is None or math.isfinite(value) else fmt.whole_number(value)
