"""What the template of a run gets, built from the run. No HTTP and no queries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minleaf_server.entities import Experiment, Lifecycle, MetricSummary, Run, RunInfo, SummarizedRun
from minleaf_server.ui import format as fmt
from minleaf_server.ui import status
from minleaf_server.ui.cells import Cell, number_cell, text_cell
from minleaf_server.ui.colors import preferred_color
from minleaf_server.ui.columns import natural
from minleaf_server.ui.format import Moment
from minleaf_server.ui.links import Links, outside_url
from minleaf_server.ui.status import Span, Status

CHILDREN_MAX = 100
ROWS_MAX = 200  # params, metrics, datasets, models and tags shown unasked, each
CHARTS_MAX = 48
VALUE_CHARS_FOLDED = 300  # longer values are folded
VALUE_CHARS_MAX = 20_000  # and of still longer ones the start is shown, with a word of it
NOTE_TAG = "mlflow.note.content"
_SYSTEM_PREFIX = "mlflow."
_HEADER_TAGS = {"mlflow.runName", "mlflow.user", status.PARENT_TAG, NOTE_TAG}


@dataclass(frozen=True, slots=True)
class RunArguments:
    """`find` keeps the names that contain it; `all` lifts the caps on rows and charts."""

    find: str = ""
    all: bool = False

    @staticmethod
    def read(arguments: Mapping[str, str]) -> "RunArguments":
        return RunArguments(arguments.get("find", "").strip(), arguments.get("all") == "1")

    def matches(self, name: str) -> bool:
        return self.find.casefold() in name.casefold()


@dataclass(frozen=True, slots=True)
class Family:
    """The run's parent, if it has one that exists, and its first children of `child_count`."""

    parent: RunInfo | None
    children: tuple[RunInfo, ...]
    child_count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A param or tag. `url` is "" unless the value is an address that may be linked.

    A long value is folded under `summary`, which is "" otherwise; `cut` says so where `value` is only its start.
    """

    name: str
    value: str
    number: bool
    url: str
    summary: str
    cut: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric's summary. `chart` is the id of its chart on the page, or ""."""

    name: str
    chart: str
    last: Cell
    min: Cell
    max: Cell
    min_step: str
    max_step: str
    last_step: str
    count: str
    nan_count: str


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset that the run read. Its source is text: nothing here follows it, and no link is made of it."""

    name: str
    digest: str
    context: str
    source: Entry


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A logged model that the run read or made; `step` is "" for one that it read."""

    id: str
    role: str
    step: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure that charts.js fills. `caption` is what stands there without it; `runs`, `colors` and `names` agree."""

    id: str
    metric: str
    runs: str
    colors: str
    names: tuple[str, ...]
    caption: str


@dataclass(frozen=True, slots=True)
class Relative:
    """A parent or child."""

    url: str
    name: str
    status: Status


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the header's list."""

    name: str
    value: str
    url: str = ""
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """How many names there are, and how many of them the page leaves out."""

    total: str
    hidden: str


@dataclass(frozen=True, slots=True)
class RunPage:
    """The page of a run. `everything` is the page without caps, "" where nothing is left out."""

    id: str
    name: str
    color: int
    status: Status
    deleted: bool
    started: Moment | None
    ended: Moment | None
    duration: Span
    facts: tuple[Fact, ...]
    note: str
    note_cut: str
    parent: Relative | None
    children: tuple[Relative, ...]
    children_hidden: str
    params: tuple[Entry, ...]
    param_cut: Cut
    metrics: tuple[MetricRow, ...]
    metric_cut: Cut
    datasets: tuple[DatasetRow, ...]
    dataset_cut: Cut
    models: tuple[ModelRow, ...]
    model_cut: Cut
    tags: tuple[Entry, ...]
    tag_cut: Cut
    charts: tuple[Chart, ...]
    charts_hidden: str
    find: str
    action: str
    findable: bool
    everything: str


def build(
    run: SummarizedRun, experiment: Experiment, family: Family, asked: RunArguments, links: Links, now: int
) -> RunPage:
    """The page for `run`. `now` is in ms since 1970."""
    info = run.info
    params = [name for name in sorted(run.params, key=natural) if asked.matches(name)]
    metrics = [name for name in sorted(run.metrics, key=natural) if asked.matches(name)]
    tags = [name for name in sorted(run.tags, key=natural) if name not in _HEADER_TAGS and asked.matches(name)]
    rows = None if asked.all else ROWS_MAX
    drawn = [name for name in metrics if run.metrics[name].count > 1]
    charted = drawn[: None if asked.all else CHARTS_MAX]
    datasets, models = _dataset_rows(run, rows), tuple(_model_rows(run))
    counts = (len(params), len(metrics), len(run.inputs.datasets), len(models), len(tags))
    cut = max(counts) > ROWS_MAX or len(drawn) > CHARTS_MAX
    every = [("find", asked.find)] if asked.find else []
    return RunPage(
        id=info.id,
        name=status.display_name(info),
        color=preferred_color(info.id),
        status=status.status(info),
        deleted=info.lifecycle is Lifecycle.DELETED,
        started=fmt.moment(info.start_time, now),
        ended=fmt.moment(info.end_time, now),
        duration=status.span(info, now),
        facts=tuple(_facts(run)),
        note=run.tags.get(NOTE_TAG, "")[:VALUE_CHARS_MAX],
        note_cut=cut_line(run.tags.get(NOTE_TAG, "")),
        parent=_relative(family.parent, links) if family.parent else None,
        children=tuple(_relative(child, links) for child in family.children),
        children_hidden=fmt.count(family.child_count - len(family.children))
        if family.child_count > len(family.children)
        else "",
        params=tuple(_entry(name, run.params[name]) for name in params[:rows]),
        param_cut=_cut(len(params), rows),
        metrics=_metric_rows({name: run.metrics[name] for name in metrics[:rows]}, charted),
        metric_cut=_cut(len(metrics), rows),
        datasets=datasets,
        dataset_cut=_cut(len(run.inputs.datasets), rows),
        models=models[:rows],
        model_cut=_cut(len(models), rows),
        tags=tuple(_entry(name, run.tags[name]) for name in tags[:rows]),
        tag_cut=_cut(len(tags), rows),
        charts=tuple(_chart(run, name, i) for i, name in enumerate(charted)),
        charts_hidden=fmt.count(len(drawn) - len(charted)) if len(drawn) > len(charted) else "",
        find=asked.find,
        action=links.run(info.id),
        findable=len(run.params) + len(run.metrics) + len(run.tags) > 20 or bool(asked.find),
        everything=links.run(info.id, [*every, ("all", "1")]) if cut and not asked.all else "",
    )


def _cut(total: int, rows: int | None) -> Cut:
    hidden = total - rows if rows is not None and total > rows else 0
    return Cut(fmt.count(total), fmt.count(hidden) if hidden else "")


def _relative(info: RunInfo, links: Links) -> Relative:
    return Relative(links.run(info.id), status.display_name(info), status.status(info))


def _entry(name: str, value: str, linked: bool = True) -> Entry:
    number = text_cell(value).kind == "num"
    if len(value) <= VALUE_CHARS_FOLDED:
        return Entry(name, value, number, (linked and outside_url(value)) or "", "", "")
    summary = f"{fmt.shortened(value)} ({fmt.count(len(value))} characters)"
    return Entry(name, value[:VALUE_CHARS_MAX], False, "", summary, cut_line(value))


def cut_line(text: str) -> str:
    """What stands behind a text of which only the start is shown; "" behind a whole one."""
    if len(text) <= VALUE_CHARS_MAX:
        return ""
    return f"These are the first {fmt.count(VALUE_CHARS_MAX)} characters. The API gives all {fmt.count(len(text))}."


def _dataset_rows(run: Run, rows: int | None) -> tuple[DatasetRow, ...]:
    return tuple(
        DatasetRow(
            each.dataset.name,
            each.dataset.digest,
            each.context or "",
            _entry(each.dataset.source_type, each.dataset.source, linked=False),
        )
        for each in run.inputs.datasets[:rows]
    )


def _model_rows(run: Run) -> Iterable[ModelRow]:
    for model_id in run.inputs.models:
        yield ModelRow(model_id, "input", "")
    for model in run.outputs.models:
        yield ModelRow(model.model_id, "output", fmt.count(model.step))


def _facts(run: Run) -> Iterable[Fact]:
    """User, source and git, as the clients tag them."""
    tags = run.tags
    if run.info.user:
        yield Fact("User", run.info.user)
    source = tags.get("mlflow.source.name", "")
    if source:
        yield Fact("Source", source, outside_url(source) or "", mono=True)
    commit = tags.get("mlflow.source.git.commit", "")
    if commit:
        branch = tags.get("mlflow.source.git.branch", "")
        yield Fact("Git", f"{commit[:12]} on {branch}" if branch else commit[:12], mono=True)
    yield Fact("Artifacts", run.info.artifact_uri, mono=True)


def _metric_rows(metrics: Mapping[str, MetricSummary], charted: list[str]) -> tuple[MetricRow, ...]:
    return tuple(
        MetricRow(
            name=name,
            chart=chart_id(charted.index(name)) if name in charted else "",
            last=number_cell(each.last),
            min=number_cell(each.min),
            max=number_cell(each.max),
            min_step=_step(each.min_step, each),
            max_step=_step(each.max_step, each),
            last_step=_step(each.last_step, each),
            count=fmt.count(each.count),
            nan_count=fmt.count(each.nan_count) if each.nan_count else "",
        )
        for name, each in metrics.items()
    )


def _step(step: int | None, summary: MetricSummary) -> str:
    """The step of an extreme; "" for a metric whose only point is at step 0, as of one that has no steps."""
    return "" if step is None or (summary.count == 1 and step == 0) else fmt.count(step)


def chart_id(index: int) -> str:
    """The id of a chart's element. Names of metrics are no ids: they may hold blanks."""
    return f"chart-{index + 1}"


def _chart(run: SummarizedRun, name: str, index: int) -> Chart:
    return Chart(
        id=chart_id(index),
        metric=name,
        runs=run.info.id,
        colors=str(preferred_color(run.info.id)),
        names=(status.display_name(run.info),),
        caption=describe(run.metrics[name]),
    )


def describe(summary: MetricSummary) -> str:
    """A metric's course in a line of text, for a page without its charts."""
    text = (
        f"{fmt.plural(summary.count, 'point')}, last {fmt.number(summary.last)} at step {fmt.count(summary.last_step)}"
    )
    if summary.min is not None and summary.max is not None:
        text += f", min {fmt.number(summary.min)} at step {_step(summary.min_step, summary)}"
        text += f", max {fmt.number(summary.max)} at step {_step(summary.max_step, summary)}"
    return f"{text}, {fmt.count(summary.nan_count)} NaN" if summary.nan_count else text
