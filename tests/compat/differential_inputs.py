"""Datasets, inputs and outputs: the same calls to MLflow's own server and to Minleaf's. See `differential`."""

from collections.abc import Iterator
from typing import Any

from tests.compat.differential import API, Call, get, post

SEARCH = "/ajax-api/2.0/mlflow/experiments/search-datasets"
CONTEXT = "mlflow.data.context"

REASONS = {
    "wording": "Some error texts are worded otherwise, with the same status and error code",
    "half datasets": (
        "A dataset needs a name, a digest, a source type and a source, a tag of an input its key, and a model its id. "
        "What is missing, or is no object at all, is refused. MLflow keeps empty texts in its place, or passes over "
        "the whole list and answers 200."
    ),
    "repeated tags of an input": (
        "A tag that is given twice for one input is INVALID_PARAMETER_VALUE with the key in its text, not BAD_REQUEST "
        "with SQL."
    ),
    "repeated outputs": (
        "Logging a model as an output of a run again changes nothing, so that a client may repeat a request whose "
        "answer was lost. At another step it is INVALID_PARAMETER_VALUE. MLflow answers both with BAD_REQUEST and SQL."
    ),
    "steps of outputs": (
        "A step of an output that is no 64-bit integer is refused. MLflow answers 200 and stores step 0, as where the "
        "step of a metric is too large."
    ),
    "model inputs in a search": (
        "`runs/search` shows the model inputs of a run as `runs/get` does. MLflow's leaves them out."
    ),
    "ids of searched experiments": (
        "`search-datasets` passes over an experiment id that is too large for a database, as over any unknown one; "
        "MLflow answers 500."
    ),
    "addresses of search-datasets": (
        "`search-datasets` is there under `/api` as under `/ajax-api`, with and without the slash that MLflow's server "
        "leaves out up to version 3.6."
    ),
    "dataset filters": (
        "Filters by dataset take every operator for text: `not like`, `not ilike`, `is null` and unquoted words too."
    ),
}


def dataset(name: str, digest: str = "1", **more: Any) -> dict[str, Any]:
    return {"name": name, "digest": digest, "source_type": "local", "source": "s", **more}


def tags(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def given(name: str, *tagged: dict[str, str], digest: str = "1", **more: Any) -> dict[str, Any]:
    return {"dataset": dataset(name, digest, **more), "tags": list(tagged)}


def context(value: str) -> dict[str, str]:
    return {"key": CONTEXT, "value": value}


def log(name: str, *datasets: Any, run: str = "$one", **more: Any) -> Call:
    return post(f"log inputs: {name}", "runs/log-inputs", {"run_id": run, "datasets": list(datasets), **more})


def out(name: str, *models: Any, run: str = "$one") -> Call:
    return post(f"log outputs: {name}", "runs/outputs", {"run_id": run, "models": list(models)})


def making() -> Iterator[Call]:
    yield post("make experiment", "experiments/create", {"name": "data"}, save={"exp": ["experiment_id"]})
    for name, start in (("one", 1), ("two", 2), ("three", 3), ("lost", 4), ("used", 5)):
        body = {"experiment_id": "0" if name in ("lost", "used") else "$exp", "start_time": start, "user_id": "u"}
        yield post(
            f"make run {name}", "runs/create", {**body, "run_name": name}, save={name: ["run", "info", "run_id"]}
        )


def logging_inputs() -> list[Call]:
    whole = {"schema": '{"a": 1}', "profile": "{}", "source": '{"uri": "s3://é"}'}
    return [
        log("one", given("a", context("train"), *tags(z="1", b=""), **whole)),
        log("one again", given("a", context("train"), *tags(z="1", b=""), **whole)),
        log("one with other tags", given("a", context("test"), **{**whole, "schema": "other"})),
        log("twice in one", given("b", context("test")), given("b", context("eval"), source="t")),
        log("empty texts", given("c", *tags(empty=""), schema="", profile="")),
        log("same name, other digest", given("a", digest="2")),
        log("of two runs", given("a", context("validate")), given("d"), run="$two"),
        log("without tags", {"dataset": dataset("e")}, run="$three"),
        log("none"),
        post("log inputs: nothing at all", "runs/log-inputs", {"run_id": "$one"}),
        post("log inputs: null", "runs/log-inputs", {"run_id": "$one", "datasets": None}),
        log("model", run="$used", models=[{"model_id": "m-1"}]),
        log("model again", run="$used", models=[{"model_id": "m-1"}, {"model_id": "m-2"}, {"model_id": "m-2"}]),
        out("one", {"model_id": "m-1", "step": 1}, {"model_id": "m-4"}),
        out("negative step", {"model_id": "m-5", "step": -7}),
        out("none"),
        get("get run with inputs", "runs/get", run_id="$one"),
        get("get run with one input", "runs/get", run_id="$two"),
        get("get run with models", "runs/get", run_id="$used"),
        post("search shows models", "runs/search", {"experiment_ids": ["0"], "filter": "start_time = 5"}),
        post("search shows inputs", "runs/search", {"experiment_ids": ["$exp"], "order_by": ["start_time"]}),
    ]


def mistakes() -> list[Call]:
    long = {"name": 501, "digest": 37, "source": 65_536, "schema": 1_048_576}
    return [
        log("unknown run", run="nope"),
        log("bad run id", run="../x"),
        post("log inputs: no run", "runs/log-inputs", {"datasets": [given("x")]}),
        *(log(f"long {field}", {"dataset": {**dataset("x"), field: "x" * size}}) for field, size in long.items()),
        log("longest name", given("x" * 500, digest="d" * 36), run="$lost"),
        log("long key", given("x", *tags(**{"k" * 256: "v"}))),
        log("long value", given("x", *tags(k="v" * 501))),
        log("tag twice", given("x", *tags(k="1"), *tags(k="2"))),
        log("bad one last", given("y"), given("x" * 501)),
        log("empty dataset", {"dataset": {}}, run="$lost"),
        log("no dataset", {}, run="$lost"),
        log("no digest", {"dataset": {"name": "x"}}, run="$lost"),
        log("no key", given("k", {"value": "1"}), run="$lost"),
        log("number as dataset", 5, run="$lost"),
        log("text as dataset", "x", run="$lost"),
        log("number as name", {"dataset": {**dataset("x"), "name": 5}}, run="$lost"),
        post("log inputs: text as list", "runs/log-inputs", {"run_id": "$one", "datasets": "x"}),
        post("log inputs: object as list", "runs/log-inputs", {"run_id": "$one", "datasets": {}}),
        post("log inputs: text as models", "runs/log-inputs", {"run_id": "$one", "models": "x"}),
        log("model without id", models=[{}], run="$lost"),
        out("the same again", {"model_id": "m-1", "step": 1}),
        out("another step", {"model_id": "m-1", "step": 2}),
        out("two steps", {"model_id": "m-6", "step": 1}, {"model_id": "m-6", "step": 2}),
        out("step too large", {"model_id": "m-7", "step": 2**63}, run="$lost"),
        out("step with fraction", {"model_id": "m-8", "step": 1.5}, run="$lost"),
        out("without id", {}, run="$lost"),
        out("unknown run", {"model_id": "m-1"}, run="nope"),
        post("log outputs: no models", "runs/outputs", {"run_id": "$one"}),
        post("log outputs: no run", "runs/outputs", {"models": [{"model_id": "m"}]}),
        get("get run after mistakes", "runs/get", run_id="$one"),
    ]


FILTERS = {
    "name": "datasets.name = 'a'",
    "alias": "dataset.name = 'd'",
    "digest": "datasets.digest = '2'",
    "context": "datasets.context = 'train'",
    "two clauses of one": "dataset.name = 'a' and dataset.context = 'validate'",
    "two clauses of two": "dataset.name = 'a' and dataset.context = 'test'",
    "two names": "dataset.name = 'a' and dataset.name = 'b'",
    "not equal": "dataset.name != 'a'",
    "not equal twice": "dataset.name != 'a' and dataset.name != 'd'",
    "context not equal": "dataset.context != 'train'",
    "in": "dataset.name IN ('d', 'e')",
    "not in": "dataset.digest NOT IN ('1')",
    "context in": "dataset.context IN ('validate', 'nothing')",
    "context not in": "dataset.context NOT IN ('validate')",
    "like": "dataset.name LIKE 'A'",
    "ilike": "dataset.name ILIKE 'A'",
    "context like": "dataset.context LIKE 't%'",
    "with attribute": "dataset.name = 'a' and attributes.run_name = 'two'",
    "backticks": "datasets.`name` = 'a'",
    "order": "dataset.name > 'a'",
    "unknown key": "dataset.source = 's'",
    "not like": "dataset.name NOT LIKE 'a'",
    "is null": "dataset.name IS NULL",
    "unquoted": "dataset.name = a",
    "number": "dataset.name = 1",
}


def searches() -> list[Call]:
    def datasets(name: str, *ids: Any, path: str = SEARCH) -> Call:
        return post(f"search datasets: {name}", path, {"experiment_ids": list(ids)})

    def runs(name: str, text: str) -> Call:
        body = {"experiment_ids": ["$exp"], "filter": text, "order_by": ["start_time"]}
        return post(f"search runs by dataset: {name}", "runs/search", body)

    return [
        datasets("all", "$exp"),
        datasets("none"),
        datasets("unknown", "99"),
        datasets("bad id", "abc"),
        datasets("huge id", "1" + "0" * 30),
        datasets("21", *map(str, range(21))),
        datasets("number", 0),
        post("search datasets: text", SEARCH, {"experiment_ids": "0"}),
        post("search datasets: no list", SEARCH, {}),
        post("search datasets: no type", SEARCH, {"experiment_ids": ["$exp"]}, content_type=None),
        datasets("under api", "$exp", path=f"{API}/experiments/search-datasets"),
        datasets("without slash", "$exp", path="/ajax-api/2.0mlflow/experiments/search-datasets"),
        *(runs(name, text) for name, text in FILTERS.items()),
    ]


def life() -> list[Call]:
    return [
        post("delete run", "runs/delete", {"run_id": "$two"}),
        log("to deleted run", run="$two"),
        out("to deleted run", run="$two"),
        get("get deleted run", "runs/get", run_id="$two"),
        post("search datasets of deleted run", SEARCH, {"experiment_ids": ["$exp"]}),
        post("delete experiment", "experiments/delete", {"experiment_id": "$exp"}),
        post("search datasets of deleted experiment", SEARCH, {"experiment_ids": ["$exp"]}),
        post("restore experiment", "experiments/restore", {"experiment_id": "$exp"}),
        log("to restored run", given("f"), run="$two"),
        get("get restored run", "runs/get", run_id="$two"),
    ]


CALLS = [*making(), *logging_inputs(), *mistakes(), *searches(), *life()]

DIFFERENT = {
    **{f"log inputs: long {field}": "wording" for field in ("name", "digest", "source", "schema", "key", "value")},
    "log inputs: bad one last": "wording",
    "search datasets: number": "wording",
    "search datasets: text": "wording",
    "search runs by dataset: order": "wording",
    "search runs by dataset: unknown key": "wording",
    "log inputs: tag twice": "repeated tags of an input",
    **{
        f"log inputs: {name}": "half datasets"
        for name in (
            "empty dataset",
            "no dataset",
            "no digest",
            "no key",
            "number as dataset",
            "text as dataset",
            "number as name",
            "model without id",
        )
    },
    "log outputs: without id": "half datasets",
    "log outputs: the same again": "repeated outputs",
    "log outputs: another step": "repeated outputs",
    "log outputs: two steps": "repeated outputs",
    "log outputs: step too large": "steps of outputs",
    "log outputs: step with fraction": "steps of outputs",
    "search shows models": "model inputs in a search",
    "search datasets: huge id": "ids of searched experiments",
    "search datasets: under api": "addresses of search-datasets",
    "search datasets: without slash": "addresses of search-datasets",
    **{f"search runs by dataset: {name}": "dataset filters" for name in ("not like", "is null", "unquoted", "number")},
}
