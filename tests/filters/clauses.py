"""Every operator with every value, as texts of filters."""

from tests.filters import strategies

_DATASETS = [f"'{text}'" for text in strategies.DATASETS]
CLAUSES = [
    f"{field} {operator} {value}"
    for fields, operators, values in [
        (["metrics.acc", "min(metrics.acc)", "max(metrics.acc)"], "= != < <= > >=", strategies.NUMBERS),
        (["count(metrics.acc)", "argmin(metrics.acc)", "argmax(metrics.acc)"], "= != < <= > >=", strategies.STEPS),
        (["params.lr"], "= != < <= > >=", ["3", "'3'", "10", "inf", "nan", "adam", "'adam'", "true", "'true'"]),
        (["datasets.name", "datasets.digest", "datasets.context"], "= != like ilike", _DATASETS),
        (["start_time", "end_time"], "= != < <= > >=", strategies.TIMES),
    ]
    for field in fields
    for operator in operators.split()
    for value in values
]
CLAUSES += [
    f"{field} {form}"
    for field in ("metrics.acc", "max(metrics.acc)", "count(metrics.acc)", "params.lr", "end_time", "duration")
    for form in ("is null", "is not null")
]
CLAUSES += [
    f"{field} {form}"
    for field in ("metrics.acc", "min(metrics.acc)", "argmax(metrics.acc)", "params.lr")
    for form in ("in (3, inf)", "not in (3, 0, 1, 10, 0.1, -1, nan)", "between 0 and 3", "not between nan and 3")
    if "nan and" not in form or field != "params.lr"
]
CLAUSES += ["params.lr in (3, adam, '10')", "params.lr not in (3, 'x', true, nan)", "duration > 999999999999w"]
