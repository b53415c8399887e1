"""The filter language once more, as plainly as Python says it, for runs that are plain data."""

import math
import re
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from minleaf_server.filters.order import OrderBy
from minleaf_server.filters.tree import (
    Aggregate,
    And,
    Between,
    Compare,
    Expr,
    Field,
    In,
    IsNull,
    Kind,
    Not,
    Operator,
    Or,
    Words,
)

MISSING = object()


@dataclass(repr=False)
class OracleRun:
    """`metrics` has the points of each metric as (step, value), in step order; steps are distinct.

    `datasets` has (name, digest, context) of each.
    """

    id: str
    name: str
    user: str = "ana"
    status: str = "FINISHED"
    start: int | None = 0
    end: int | None = None
    artifact_uri: str = "mlflow-artifacts:/0"
    experiment_id: int = 0
    deleted: bool = False
    metrics: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[tuple[str, str, str | None]] = field(default_factory=list)


def matches(run: OracleRun, expr: Expr) -> bool:
    if isinstance(expr, And):
        return all(matches(run, item) for item in expr.items)
    if isinstance(expr, Or):
        return any(matches(run, item) for item in expr.items)
    if isinstance(expr, Not):
        return not matches(run, expr.item)
    if isinstance(expr, Words):
        return all(fold(word) in fold(run.name) for word in expr.words)
    present = [value for value in values_of(run, expr.field) if value is not MISSING]
    if isinstance(expr, IsNull):
        return bool(present) == expr.negated
    negated = expr.operator.negated if isinstance(expr, Compare) else expr.negated
    return any(positive(value, expr) != negated for value in present)


def positive(left: Any, clause: Compare | In | Between) -> bool:
    if isinstance(clause, In):
        return any(compare(clause.field, left, Operator.EQ, literal.value) for literal in clause.values)
    if isinstance(clause, Between):
        low = compare(clause.field, left, Operator.GE, clause.low.value)
        return low and compare(clause.field, left, Operator.LE, clause.high.value)
    return compare(clause.field, left, clause.operator.positive, clause.value.value)


def compare(where: Field, left: Any, operator: Operator, right: Any) -> bool:
    if where.kind is Kind.PARAM and isinstance(right, float):
        left = number(left)
        if left is None:
            return False
    if operator is Operator.LIKE:
        return like(left, right)
    if operator is Operator.ILIKE:
        return like(fold(left), fold(right))
    if operator is Operator.MATCH:
        return regex(left, right)
    if operator is Operator.EQ:
        return left == right or (left != left and right != right)
    return bool(
        {Operator.LT: left < right, Operator.LE: left <= right, Operator.GT: left > right, Operator.GE: left >= right}[
            operator
        ]
    )


def values_of(run: OracleRun, where: Field) -> list[Any]:
    """A run has one value of anything but a dataset's: of those it has as many as it has datasets."""
    if where.kind is not Kind.DATASET:
        return [value_of(run, where)]
    values = [dataset[("name", "digest", "context").index(where.name)] for dataset in run.datasets]
    return [MISSING if value is None else value for value in values]


def value_of(run: OracleRun, where: Field) -> Any:
    if where.kind is Kind.METRIC:
        points = run.metrics.get(where.name)
        return MISSING if points is None else aggregate(points, where.aggregate or Aggregate.LAST)
    if where.kind is Kind.PARAM:
        return run.params.get(where.name, MISSING)
    if where.kind is Kind.TAG:
        return run.tags.get(where.name, MISSING)
    ended = run.start is not None and run.end is not None
    value = {
        "run_id": run.id,
        "run_name": run.name,
        "user_id": run.user,
        "status": run.status,
        "start_time": run.start,
        "end_time": run.end,
        "duration": float(run.end) - float(run.start) if ended else None,
        "artifact_uri": run.artifact_uri,
    }[where.name]
    return MISSING if value is None else value


def aggregate(points: list[tuple[int, float]], what: Aggregate) -> Any:
    if what is Aggregate.LAST:
        return points[-1][1]
    if what is Aggregate.COUNT:
        return len(points)
    values = [value for _, value in points if not math.isnan(value)]
    if not values:
        return MISSING
    extreme = min(values) if what in (Aggregate.MIN, Aggregate.ARGMIN) else max(values)
    if what in (Aggregate.MIN, Aggregate.MAX):
        return extreme
    return next(step for step, value in points if value == extreme)


def number(text: str) -> float | None:
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", text, re.IGNORECASE | re.ASCII) is None:
        return None
    # Digits that are too many for a double do not say infinity.
    return None if math.isinf(float(text)) and text[-1].isdigit() else float(text)


def fold(text: str) -> str:
    def lower(character: str) -> str:
        lowered = character.lower()
        return lowered if len(lowered) == 1 and lowered.isascii() == character.isascii() else character

    return "".join(map(lower, text))


def like(text: str, pattern: str) -> bool:
    """Whether the whole text matches: `reached` holds the lengths of the text that the pattern so far may take."""
    reached = {0}
    for wanted in pattern:
        if wanted == "%":
            reached = set(range(min(reached, default=len(text) + 1), len(text) + 1))
        else:
            reached = {i + 1 for i in reached if i < len(text) and wanted in ("_", text[i])}
    return len(text) in reached


def regex(text: str, pattern: str) -> bool:
    # Python's $ also matches before a final newline.
    return re.search(re.sub(r"(?<!\\)\$", r"\\Z", pattern), text, re.DOTALL | re.ASCII) is not None


def sort_runs(runs: list[OracleRun], orders: list[OrderBy]) -> list[OracleRun]:
    """Sorted as asked, then by the latest start, then by id. Missing values last, NaN before them."""

    def before(a: OracleRun, b: OracleRun) -> int:
        for order in orders:
            if found := compare_ranked(ranked(a, order.field), ranked(b, order.field), order.descending):
                return found
        start = Field(Kind.ATTRIBUTE, "start_time")
        return compare_ranked(ranked(a, start), ranked(b, start), True) or (a.id > b.id) - (a.id < b.id)

    return sorted(runs, key=cmp_to_key(before))


def ranked(run: OracleRun, where: Field) -> tuple[int, Any]:
    value = value_of(run, where)
    if value is MISSING:
        return 9, 0
    if where.kind is Kind.PARAM:
        as_number = number(value)
        return (0, as_number) if as_number is not None else (1, value[:1024])
    if where.kind is Kind.TAG:
        return 0, value[:1024]
    return (1, 0) if value != value else (0, value)


def compare_ranked(a: tuple[int, Any], b: tuple[int, Any], descending: bool) -> int:
    if a[0] != b[0]:
        return -1 if a[0] < b[0] else 1
    found = (a[1] > b[1]) - (a[1] < b[1])
    return -found if descending else found
