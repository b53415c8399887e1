"""The column in which a field stands."""

from typing import TypeAlias

import numpy as np

from minleaf_server.columns.table import Integers, Numbers, Rows, Texts
from minleaf_server.filters.schema import RUNS, AttributeType
from minleaf_server.filters.tree import Aggregate, Field, Kind

Column: TypeAlias = Numbers | Integers | Texts
RUN_ID = Field(Kind.ATTRIBUTE, "run_id")
START_TIME = Field(Kind.ATTRIBUTE, "start_time")
_END_TIME = Field(Kind.ATTRIBUTE, "end_time")
_DURATION = Field(Kind.ATTRIBUTE, "duration")
_TEXTS = (AttributeType.TEXT, AttributeType.STATUS)


def column_of(field: Field, rows: Rows) -> Column:
    """The column of a checked field that is not the run's id."""
    if field.kind is Kind.METRIC:
        return rows.metric(field.name, field.aggregate or Aggregate.LAST)
    if field.kind is Kind.PARAM:
        return rows.param(field.name)
    if field.kind is Kind.TAG:
        return rows.tag(field.name)
    if field == _DURATION:
        return _duration(rows.time("start_time"), rows.time("end_time"))
    return rows.text(field.name) if RUNS.types[field.name] in _TEXTS else rows.time(field.name)


def sources(field: Field) -> frozenset[Field]:
    """The columns that `column_of` asks for, each without its place in the text of the filter."""
    if field == RUN_ID:
        return frozenset()
    if field == _DURATION:
        return frozenset({START_TIME, _END_TIME})
    aggregate = (field.aggregate or Aggregate.LAST) if field.kind is Kind.METRIC else None
    return frozenset({Field(field.kind, field.name, aggregate)})


def _duration(start: Integers, end: Integers) -> Numbers:
    present = start.present & end.present
    # As doubles, because the difference of two 64-bit integers may be none.
    values = end.values.astype(np.float64)
    values -= start.values
    values[~present] = np.nan
    return Numbers(values, present)
