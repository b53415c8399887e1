"""Searches, histories of several runs, run names and trials of prompts. See `differential` for the way."""

from typing import Any

from tests.compat import differences
from tests.compat.differential import AJAX, Call, get, post

IDS = ("$one", "$two", "$three")


def making() -> list[Call]:
    def run(number: int, **more: Any) -> Call:
        fields = {"experiment_id": "$exp", "user_id": "u", "start_time": number, "run_name": f"Run {number}", **more}
        return post(f"make run {number}", "runs/create", fields, save={IDS[number - 1][1:]: ["run", "info", "run_id"]})

    def batch(name: str, run_id: str, count: int, params: dict[str, str], **metrics: Any) -> Call:
        points = [{"key": "h", "value": step / 2, "timestamp": 9 - step % 3, "step": step} for step in range(count)]
        points += [{"key": key, "value": value, "timestamp": 1, "step": 0} for key, value in metrics.items()]
        entries = [{"key": key, "value": value} for key, value in params.items()]
        body = {"run_id": run_id, "metrics": points, "params": entries, "tags": entries}
        return post(f"log to run {name}", "runs/log-batch", body)

    return [
        post("make experiment", "experiments/create", {"name": "Été 50%"}, save={"exp": ["experiment_id"]}),
        run(1, tags=[{"key": "mlflow.note.content", "value": "a\nb"}]),
        run(2, tags=[{"key": "mlflow.parentRunId", "value": "x"}]),
        run(3, run_name="", tags=[{"key": "mlflow.runName", "value": "by tag"}]),
        batch("one", "$one", 20, {"p": "abc", "long name/x": "it's", "n": "10"}, acc=0.5, nan="NaN"),
        batch("two", "$two", 10, {"p": "ABC", "n": "9"}, acc=-1.5, nan=1),
        batch("three", "$three", 3, {"p": "a_c%"}),
        post("finish run two", "runs/update", {"run_id": "$two", "status": "FAILED", "end_time": 300}),
    ]


FILTERS = (
    *("params.p = 'abc'", "param.p != 'abc'", "parameters.p LIKE 'a%'", "parameter.p ILIKE 'A%'", "tags.p LIKE 'a_c%'"),
    *("params.p ILIKE '%B%'", "params.p LIKE '%\\%'", "params.p LIKE 'abc'", 'tags.`long name/x` = "it\'s"'),
    *("params.\"long name/x\" LIKE '%s'", "tag.p IN ('abc')", "params.n > '1'", "params.n = '10' AND tags.n = '10'"),
    *("metrics.acc > -2", "metric.acc != 0.5", "metrics.acc <= -1.5", "metrics.acc = .5", "metrics.nan > 0"),
    *("metrics.nan != 1", "metrics.nan = 0", "metrics.h = 9.5", "metrics.acc > 1e-1 and metrics.acc < 1E1"),
    *("attributes.status = 'FAILED'", "status != 'FAILED'", "status LIKE 'F%'", "status = 'failed'", "status > 'A'"),
    *("attr.end_time = 300", "end_time >= 0", "start_time != 1", "created < 3", "attributes.Created > 2"),
    *(
        "run_name = 'by tag'",
        "attributes.`Run name` = 'Run 1'",
        "attributes.\"run name\" ILIKE 'RUN%'",
        "name = 'Run 1'",
    ),
    *(
        "run_id IN ('$one', '$two')",
        "run_id NOT IN ('$one')",
        "run_id = '$three'",
        "run_id LIKE '$one'",
        "run_id IN ()",
    ),
    *("artifact_uri LIKE '%artifacts'", "user_id = 'u'", "user_id ILIKE 'U'", "attribute.experiment_id = '1'"),
    *(
        "attribute.lifecycle_stage = 'active'",
        "attributes.nope = 'x'",
        "run_id = 5",
        "start_time = '5'",
        "end_time = 'x'",
    ),
    *(
        "params.p = 'abc' OR params.p = 'ABC'",
        "params.p",
        "params.p =",
        "= 'x'",
        "params.p = 'abc' AND",
        "params..p = 'x'",
    ),
    *(
        "params.p == 'abc'",
        "params.p = abc",
        "metrics.acc = '0.5'",
        "metrics.acc LIKE '1'",
        "tags.p > 'a'",
        "foo.p = 'x'",
    ),
    *(
        "tags.p IS NULL",
        "params.`long name/x` IS NOT NULL",
        "metrics.acc IS NULL",
        "status IS NULL",
        "params.p = 'a''c'",
    ),
    *(
        "datasets.name = 'x'",
        "dataset.context LIKE '%'",
        "datasets.foo = 'x'",
        "\n params.p\t=\n'abc' ",
        "(params.p = 'abc')",
    ),
)
ORDERS = (
    *(
        "metrics.acc",
        "metrics.acc DESC",
        "metric.nan ASC",
        "metrics.nan desc",
        "params.p",
        "param.p DESC",
        "tags.p DESC",
    ),
    *("params.none", "attributes.start_time ASC", "start_time", "attr.end_time desc", "end_time ASC", "status DESC"),
    *("run_name", "attributes.`Run name` DESC", "created", "user_id", "metrics.`acc` ASC"),
    *(
        "experiment_id",
        "lifecycle_stage",
        "foo",
        "foo.bar",
        "metrics.acc UP",
        "metrics.acc ASC DESC",
        "",
        "dataset.name",
    ),
    *("tag.`long name/x`", "attribute.name", "params.n DESC", "metrics.h"),
)
EXPERIMENT_FILTERS = (
    *(
        "name = 'Default'",
        "name != 'Default'",
        "attribute.name LIKE '%50\\%'",
        "attributes.name ILIKE 'été%'",
        "name ILIKE '%T%'",
    ),
    *(
        "creation_time > 0",
        "last_update_time >= 0 AND name = 'Default'",
        "creation_time = 'x'",
        "tags.x = 'y'",
        "tag.x != 'y'",
    ),
    *(
        "tags.x LIKE 'y'",
        "tags.`x y` ILIKE '%'",
        "experiment_id = '0'",
        "lifecycle_stage = 'active'",
        "name > 'a'",
        "name IN ('a')",
    ),
    *(
        "name = 5",
        "params.x = 'y'",
        "metrics.x = 1",
        "name = 'a' OR name = 'b'",
        "tags.x IS NULL",
        "name IS NULL",
        "name",
    ),
)
EXPERIMENT_ORDERS = (
    *(
        "name",
        "name DESC",
        "attribute.name ASC",
        "experiment_id",
        "experiment_id DESC",
        "creation_time",
        "last_update_time DESC",
    ),
    *("tags.x", "lifecycle_stage", "artifact_location", "name UP", "foo", ""),
)


def searching() -> list[Call]:
    oldest = {"experiment_ids": ["$exp"], "order_by": ["attributes.start_time ASC"]}
    first_id = {"max_results": 10, "order_by": ["experiment_id ASC"]}
    return [
        *(post(f"filter: {text}", "runs/search", {**oldest, "filter": text}) for text in FILTERS),
        *(post(f"order: {text}", "runs/search", {"experiment_ids": ["$exp"], "order_by": [text]}) for text in ORDERS),
        post(
            "order by two", "runs/search", {"experiment_ids": ["$exp"], "order_by": ["params.none", "metrics.acc DESC"]}
        ),
        post("order twice", "runs/search", {"experiment_ids": ["$exp"], "order_by": ["tags.a", "tag.a DESC"]}),
        post("page of all", "runs/search", {**oldest, "max_results": 3}),
        post("page of two", "runs/search", {**oldest, "max_results": 2}),
        post("of two experiments", "runs/search", {**oldest, "experiment_ids": ["0", "$exp", "77"]}),
        *(
            post(f"experiments: {text}", "experiments/search", {**first_id, "filter": text})
            for text in EXPERIMENT_FILTERS
        ),
        *(
            post(f"experiments by: {text}", "experiments/search", {"max_results": 10, "order_by": [text]})
            for text in EXPERIMENT_ORDERS
        ),
        post("experiments by name twice", "experiments/search", {"max_results": 10, "order_by": ["name", "name DESC"]}),
        get(
            "experiments by GET",
            "experiments/search",
            ("order_by", "name"),
            ("order_by", "experiment_id"),
            max_results=9,
        ),
    ]


def reading() -> list[Call]:
    bulk, interval = f"{AJAX}/metrics/get-history-bulk", f"{AJAX}/metrics/get-history-bulk-interval"
    both = [("run_ids", "$one"), ("run_ids", "$two")]
    return [
        get("bulk of two", bulk, ("run_id", "$one"), ("run_id", "$one"), metric_key="h"),
        get("interval of one run", interval, run_ids="$one", metric_key="h"),
        get("interval of one run in five", interval, run_ids="$one", metric_key="h", max_results=5),
        get("interval of runs in five", interval, *both, metric_key="h", max_results=5),
        get("interval of runs the other way", interval, *both[::-1], metric_key="h", start_step=2, end_step=4),
        get("interval with negative range", interval, *both, metric_key="h", start_step=-5, end_step=1),
        get("interval of no metric", interval, *both, metric_key="none"),
        *(
            get(f"bad page: {token}", "metrics/get-history", run_id="$one", metric_key="h", page_token=token)
            for token in ("invalid_token", "eyJvZmZzZXQiOiAieCJ9")
        ),
    ]


def naming() -> list[Call]:
    update, tag = "runs/update", "runs/set-tag"
    run = {"run_id": "$one"}
    return [
        post("rename by tag", tag, {**run, "key": "mlflow.runName", "value": "t"}),
        get("run renamed by tag", "runs/get", **run),
        post("remove name", "runs/delete-tag", {**run, "key": "mlflow.runName"}),
        get("run without name tag", "runs/get", **run),
        post("empty name by tag", tag, {**run, "key": "mlflow.runName", "value": ""}),
        get("run with empty name tag", "runs/get", **run),
        post("rename", update, {**run, "run_name": "n", "status": "SCHEDULED", "end_time": "12"}),
        post("name in batch", "runs/log-batch", {**run, "tags": [{"key": "mlflow.runName", "value": "b"}]}),
        get("run at last", "runs/get", **run),
        post("end before start", update, {**run, "end_time": -1}),
        post(
            "create run with same name twice",
            "runs/create",
            {
                "experiment_id": "$exp",
                "start_time": 1,
                "user_id": "u",
                "run_name": "x",
                "tags": [{"key": "mlflow.runName", "value": "x"}],
            },
        ),
    ]


def trying() -> list[Call]:
    path = f"{AJAX}/runs/create-promptlab-run"
    whole = {
        "experiment_id": "$exp",
        "prompt_template": "t",
        "prompt_parameters": [{"key": "k", "value": "v"}],
        "model_route": "r",
        "model_input": "i",
        "mlflow_version": "1.0.0",
    }
    parts = [dict(list(whole.items())[:length]) for length in range(len(whole))]
    return [*(post(f"trial with {len(part)} fields", path, part) for part in parts)]


CALLS = [*making(), *searching(), *reading(), *naming(), *trying()]

REASONS = {name: differences.REASONS[name] for name in ("wording", "filters", "interval", "no 500")} | {
    "numbers in params": (
        "Runs are sorted by a param as by a number where its values are numbers. MLflow sorts their text, so that 10 "
        "comes before 9."
    ),
}

LARGER = (
    *("filter: tag.p IN ('abc')", "filter: params.n > '1'", "filter: name = 'Run 1'", "filter: run_id = 5"),
    *("filter: start_time = '5'", "filter: params.p = 'abc' OR params.p = 'ABC'", "filter: params.p == 'abc'"),
    *("filter: params.p = abc", "filter: metrics.acc = '0.5'", "filter: tags.p > 'a'", "filter: metrics.acc IS NULL"),
    *("filter: status IS NULL", "filter: (params.p = 'abc')", "order: attributes.`Run name` DESC"),
    *("order: attribute.name", "experiments: attributes.name ILIKE 'été%'", "experiments: name > 'a'"),
    *("experiments: name IN ('a')", "experiments: name = 5", "experiments: name = 'a' OR name = 'b'"),
    *("experiments: name IS NULL", "experiments: name"),
)
WORDED = (
    *("filter: status > 'A'", "filter: run_id IN ()", "filter: attribute.experiment_id = '1'"),
    *("filter: attribute.lifecycle_stage = 'active'", "filter: attributes.nope = 'x'", "filter: end_time = 'x'"),
    *("filter: params.p", "filter: params.p =", "filter: = 'x'", "filter: metrics.acc LIKE '1'", "filter: foo.p = 'x'"),
    *("filter: datasets.foo = 'x'", "order: experiment_id", "order: lifecycle_stage", "order: foo", "order: foo.bar"),
    *("order: metrics.acc UP", "order: metrics.acc ASC DESC", "order: ", "order: dataset.name"),
    *("experiments: creation_time = 'x'", "experiments: lifecycle_stage = 'active'", "experiments: params.x = 'y'"),
    *("experiments: metrics.x = 1", "experiments by: tags.x", "experiments by: lifecycle_stage"),
    *("experiments by: artifact_location", "experiments by: name UP", "experiments by: foo", "experiments by: "),
    *("bad page: invalid_token", "bad page: eyJvZmZzZXQiOiAieCJ9"),
)
DIFFERENT = {
    **dict.fromkeys(LARGER, "filters"),
    **dict.fromkeys(WORDED, "wording"),
    "order: params.n DESC": "numbers in params",
    "order twice": "no 500",
    "interval of one run in five": "interval",
    "interval of runs in five": "interval",
}
