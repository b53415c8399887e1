"""Where the fields of runs and of experiments stand in the tables."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Double, Table, and_, bindparam, case, cast, exists, select

from minleaf_server.db.filter_sql import Cell, Condition
from minleaf_server.db.integers import one_of
from minleaf_server.db.tables import KeyKind, experiment, experiment_tag, key, metric_summary, param, run, tag
from minleaf_server.db.tables.inputs import dataset, dataset_input
from minleaf_server.entities import RunStatus
from minleaf_server.filters.tree import Aggregate, Field, Kind

METRIC_COLUMNS = {
    Aggregate.LAST: metric_summary.c.last_value,
    Aggregate.MIN: metric_summary.c.min_value,
    Aggregate.MAX: metric_summary.c.max_value,
    Aggregate.COUNT: metric_summary.c.count,
    Aggregate.ARGMIN: metric_summary.c.min_step,
    Aggregate.ARGMAX: metric_summary.c.max_step,
}
_TABLES: dict[Kind, tuple[Table, KeyKind]] = {
    Kind.METRIC: (metric_summary, KeyKind.METRIC),
    Kind.PARAM: (param, KeyKind.PARAM),
    Kind.TAG: (tag, KeyKind.TAG),
}
STATUS_NAME = case({status.value: status.name for status in RunStatus}, value=run.c.status)
# As doubles, because the difference of two 64-bit integers may be none.
DURATION = cast(run.c.end_time, Double) - cast(run.c.start_time, Double)
_RUN_ATTRIBUTES: dict[str, Cell] = {
    "run_id": {"value": run.c.uuid},
    "run_name": {"value": run.c.name},
    "user_id": {"value": run.c.user_id},
    "status": {"value": STATUS_NAME},
    "start_time": {"integer": run.c.start_time},
    "end_time": {"integer": run.c.end_time},
    "duration": {"value": DURATION},
    "artifact_uri": {"value": run.c.artifact_uri},
}
_EXPERIMENT_ATTRIBUTES: dict[str, Cell] = {
    "experiment_id": {"integer": experiment.c.id},
    "name": {"value": experiment.c.name},
    "creation_time": {"integer": experiment.c.creation_time},
    "last_update_time": {"integer": experiment.c.last_update_time},
}


class RunRows:
    """Runs of some experiments."""

    name: ColumnElement[str] = run.c.name

    def __init__(self, experiment_ids: Sequence[int]) -> None:
        self._ids = experiment_ids

    def scope(self) -> Condition:
        """That a run belongs to the experiments."""
        return one_of(run.c.experiment_id, self._ids)

    def key_id(self, kind: Kind, name: str) -> ColumnElement[int]:
        """The id of a name; a constant of the query where there is one experiment, else looked up for each run."""
        of_run: ColumnElement[int] = run.c.experiment_id
        if len(self._ids) == 1:
            of_run = bindparam(None, self._ids[0], BigInteger())
        found = select(key.c.id).where(
            key.c.experiment_id == of_run, key.c.kind == int(_TABLES[kind][1]), key.c.name == name
        )
        # SQLAlchemy finds an enclosing table by itself only one level up.
        return found.correlate(run).scalar_subquery()

    def attribute(self, name: str) -> ColumnElement[Any]:
        return next(iter(_RUN_ATTRIBUTES[name].values()))

    def holds(self, field: Field, test: Callable[[Cell], Condition]) -> Condition:
        """That a run has the field and its cell passes the test."""
        assert field.kind is not None, "the checker qualifies fields first"
        if field.kind is Kind.ATTRIBUTE:
            return test(_RUN_ATTRIBUTES[field.name])
        if field.kind is Kind.DATASET:
            return self._holds_dataset(field.name, test)
        table, _ = _TABLES[field.kind]
        here = and_(table.c.run_id == run.c.id, table.c.key_id == self.key_id(field.kind, field.name))
        return exists().where(here, test(_cell(field))).correlate(run)

    def _holds_dataset(self, name: str, test: Callable[[Cell], Condition]) -> Condition:
        """That one of the run's datasets passes the test. As in MLflow another clause may mean another dataset."""
        here = dataset_input.c.run_id == run.c.id
        if name == "context":
            return exists().where(here, test({"value": dataset_input.c.context})).correlate(run)
        # Independent of the run, so that it is answered once: an experiment has few datasets and many runs.
        passing = select(dataset.c.id).where(
            one_of(dataset.c.experiment_id, self._ids), test({"value": dataset.c[name]})
        )
        return exists().where(here, dataset_input.c.dataset_id.in_(passing)).correlate(run)


class ExperimentRows:
    """All experiments."""

    name: ColumnElement[str] = experiment.c.name

    def attribute(self, name: str) -> ColumnElement[Any]:
        return next(iter(_EXPERIMENT_ATTRIBUTES[name].values()))

    def holds(self, field: Field, test: Callable[[Cell], Condition]) -> Condition:
        """That an experiment has the field and its cell passes the test."""
        if field.kind is Kind.ATTRIBUTE:
            return test(_EXPERIMENT_ATTRIBUTES[field.name])
        here = and_(experiment_tag.c.experiment_id == experiment.c.id, experiment_tag.c.key == field.name)
        return exists().where(here, test({"value": experiment_tag.c.value})).correlate(experiment)


def _cell(field: Field) -> Cell:
    if field.kind is Kind.METRIC:
        column = METRIC_COLUMNS[field.aggregate or Aggregate.LAST]
        return {"integer" if isinstance(column.type, BigInteger) else "value": column}
    if field.kind is Kind.PARAM:
        return {"value": param.c.value, "number": param.c.number}
    return {"value": tag.c.value}
