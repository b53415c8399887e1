"""Logged models: the same calls to MLflow's own server and to Minleaf's. See `differential` for the way."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.compat.differential import API, Answer, Call, answers, get, post

MODELS = f"{API}/logged-models"


def patch(name: str, path: str, body: Any = None, **more: Any) -> Call:
    return Call(name, "PATCH", path, body, **more)


def delete(name: str, path: str, body: Any = None) -> Call:
    return Call(name, "DELETE", path, body)


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def creating() -> list[Call]:
    of_model = ["model", "info", "model_id"]
    full = {
        "experiment_id": "$exp",
        "name": "first",
        "model_type": "Agent",
        "source_run_id": "$run",
        "params": pairs(depth="3", empty=""),
        "tags": pairs(stage="dev", **{"two words": "v", "odd!@": "1"}),
    }
    run_id = ["run", "info", "run_id"]
    return [
        post("make experiment", "experiments/create", {"name": "models"}, save={"exp": ["experiment_id"]}),
        post(
            "make run",
            "runs/create",
            {"experiment_id": "$exp", "start_time": 1, "user_id": "u", "run_name": "r"},
            save={"run": run_id},
        ),
        post(
            "make run elsewhere",
            "runs/create",
            {"experiment_id": "0", "start_time": 1, "user_id": "u", "run_name": "s"},
            save={"elsewhere": run_id},
        ),
        post("create model", MODELS, full, save={"one": of_model}),
        post("create second model", MODELS, {"experiment_id": "$exp", "name": "second"}, save={"two": of_model}),
        post("create third model", MODELS, {"experiment_id": "$exp", "name": "third"}, save={"three": of_model}),
        post("create lost model", MODELS, {"experiment_id": "0", "name": "lost"}, save={"lost": of_model}),
        post("create model without name", MODELS, {"experiment_id": "0"}),
        post("create model with empty name", MODELS, {"experiment_id": "0", "name": ""}),
        post("create model with number as name", MODELS, {"experiment_id": "0", "name": 5}),
        post("create model with long name", MODELS, {"experiment_id": "0", "name": "x" * 501}),
        *(post(f"create model named {name!r}", MODELS, {"experiment_id": "0", "name": name}) for name in BAD_NAMES),
        post("create model without experiment", MODELS, {"name": "n"}),
        post("create model in unknown experiment", MODELS, {"experiment_id": "99"}),
        post("create model in bad experiment", MODELS, {"experiment_id": "abc"}),
        post("create model of unknown run", MODELS, {"experiment_id": "0", "name": "n", "source_run_id": "nope"}),
        post("create model with text as params", MODELS, {"experiment_id": "0", "params": "x"}),
        post("create model with text as tags", MODELS, {"experiment_id": "0", "tags": "x"}),
        post("create model with param twice", MODELS, {"experiment_id": "0", "params": [*pairs(a="1"), *pairs(a="1")]}),
        post("create model with tag twice", MODELS, {"experiment_id": "0", "tags": [*pairs(a="1"), *pairs(a="2")]}),
        post("create model with param without key", MODELS, {"experiment_id": "0", "params": [{"value": "1"}]}),
        get("get model", f"{MODELS}/$one"),
        get("get second model", f"{MODELS}/$two"),
        get("get unknown model", f"{MODELS}/m-nope"),
        get("get model with quote", f"{MODELS}/m'o"),
    ]


BAD_NAMES = ("a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "\u00e9 b")


def changing() -> list[Call]:
    one, two = f"{MODELS}/$one", f"{MODELS}/$two"
    return [
        patch("finalize by name", one, {"model_id": "$one", "status": "LOGGED_MODEL_READY"}),
        patch("finalize by number", one, {"model_id": "$one", "status": 3}),
        patch("finalize back", one, {"model_id": "$one", "status": "LOGGED_MODEL_READY"}),
        patch("finalize without id in body", f"{MODELS}/$lost", {"status": "LOGGED_MODEL_READY"}),
        patch("finalize without status", one, {"model_id": "$one"}),
        patch("finalize to nothing known", two, {"model_id": "$two", "status": "READY"}),
        patch("finalize to number 7", two, {"model_id": "$two", "status": 7}),
        patch("finalize to unspecified", two, {"model_id": "$two", "status": 0}),
        patch("finalize unknown model", f"{MODELS}/m-no", {"model_id": "m-no", "status": 2}),
        patch("set tags", f"{one}/tags", {"tags": pairs(stage="prod", new="1")}),
        patch("set tags without value", f"{one}/tags", {"tags": [{"key": "bare"}]}),
        patch("set no tags", f"{one}/tags", {"tags": []}),
        patch("set tags without tags", f"{one}/tags", {}),
        patch("set tags as text", f"{one}/tags", {"tags": "x"}),
        patch("set tag without key", f"{MODELS}/$lost/tags", {"tags": [{"value": "1"}]}),
        patch("set tags of unknown model", f"{MODELS}/m-no/tags", {"tags": pairs(a="1")}),
        delete("delete tag", f"{one}/tags/new"),
        delete("delete tag again", f"{one}/tags/new"),
        delete("delete tag with blank", f"{one}/tags/two words"),
        delete("delete tag of unknown model", f"{MODELS}/m-no/tags/a"),
        post("log params", f"{one}/params", {"model_id": "$one", "params": pairs(lr="0.1")}),
        post("log params without id in body", f"{MODELS}/$lost/params", {"params": pairs(wd="0.2")}),
        post("log no params", f"{one}/params", {"model_id": "$one"}),
        post("log param again", f"{one}/params", {"model_id": "$one", "params": pairs(lr="0.1")}),
        post("log param with other value", f"{one}/params", {"model_id": "$one", "params": pairs(lr="0.2")}),
        post("log params of unknown model", f"{MODELS}/m-no/params", {"model_id": "m-no", "params": pairs(a="1")}),
        get("get changed model", one),
    ]


def logging() -> list[Call]:
    point = {"run_id": "$run", "key": "acc", "value": 0.5, "timestamp": 10, "step": 1, "model_id": "$one"}
    data = {"dataset_name": "train", "dataset_digest": "d1"}

    def entry(**more: Any) -> dict[str, Any]:
        return {"key": "acc", "value": 0.1, "timestamp": 20, "step": 2, "model_id": "$one", **more}

    def batch(name: str, *metrics: dict[str, Any], run: str = "$run") -> Call:
        return post(name, "runs/log-batch", {"run_id": run, "metrics": list(metrics)})

    return [
        post("log metric of model", "runs/log-metric", {**point, **data}),
        post("log metric of model again", "runs/log-metric", {**point, **data}),
        post("log metric of model without data", "runs/log-metric", {**point, "key": "loss"}),
        post("log metric with data only", "runs/log-metric", {**point, **data, "model_id": "", "key": "plain"}),
        post("log metric with empty data", "runs/log-metric", {**point, "dataset_name": "", "key": "bare"}),
        post("log metric of unknown model", "runs/log-metric", {**point, "run_id": "$elsewhere", "model_id": "m-no"}),
        post("log metric of model from elsewhere", "runs/log-metric", {**point, "run_id": "$elsewhere", "key": "far"}),
        post("log metric of model to unknown run", "runs/log-metric", {**point, "run_id": "nope"}),
        post("log bad metric of model", "runs/log-metric", {**point, "key": "a//b"}),
        batch("batch of models", entry(**data), entry(model_id="$two", value=0.9, **data), {**entry(), "model_id": ""}),
        batch("batch of models again", entry(**data), entry(model_id="$two", value=0.9, **data)),
        batch("batch with another dataset", entry(value=0.3, timestamp=30, dataset_name="test", dataset_digest="d2")),
        batch("batch of second dataset", entry(value=0.2, timestamp=40, model_id="$two", dataset_name="test")),
        batch("batch with NaN", entry(model_id="$lost", value="NaN", key="nan"), run="$elsewhere"),
        batch("batch of unknown model", entry(key="gone", model_id="m-no"), run="$elsewhere"),
        batch("batch to other run id", {**entry(key="odd"), "run_id": "$elsewhere"}),
        get("model with metrics", f"{MODELS}/$one"),
        get("second model with metrics", f"{MODELS}/$two"),
        get("lost model with NaN", f"{MODELS}/$lost"),
        get("run with metrics of models", "runs/get", run_id="$run"),
        get("history with models", "metrics/get-history", run_id="$run", metric_key="acc", max_results=10),
        post("change value", "runs/log-metric", {**point, "model_id": "$lost", "key": "twice", "run_id": "$elsewhere"}),
        post(
            "change value again",
            "runs/log-metric",
            {**point, "model_id": "$lost", "key": "twice", "run_id": "$elsewhere", "value": 0.75},
        ),
        get("lost model with two values", f"{MODELS}/$lost"),
    ]


FILTERS = (
    "name = 'first'",
    "name != 'first'",
    "attributes.name = 'first'",
    "name LIKE 'f%'",
    "name LIKE 'F%'",
    "name ILIKE 'F%'",
    "name IN ('first')",
    "name IN ('first',)",
    "name IN ('first', 'x')",
    "name NOT IN ('first', 'x')",
    "name = 'first' AND params.lr = '0.1'",
    "model_id = '$one'",
    "model_type = 'Agent'",
    "model_type != 'Agent'",
    "source_run_id = '$run'",
    "experiment_id = '$exp'",
    "creation_timestamp > 0",
    "creation_time > 0",
    "creation_timestamp = 0",
    "creation_timestamp_ms > 0",
    "last_updated_timestamp > 0",
    "params.depth = '3'",
    "params.depth != '4'",
    "params.depth LIKE '_'",
    "params.nope = '1'",
    "params.nope != '1'",
    "tags.stage = 'prod'",
    "tags.stage != 'prod'",
    "tags.`stage` = 'prod'",
    "metrics.acc = 0.5",
    "metrics.acc != 0.5",
    "metrics.acc > 0.4",
    "metrics.acc < 0.2",
    "metrics.acc > 0.4 AND metrics.acc < 0.2",
    "metrics.nope > 0",
    "metrics.nope != 0",
    # What is wrong.
    "Foo",
    "name = 'first' OR name = 'second'",
    "foo.bar = 'a'",
    "metric.acc > 0.4",
    "datasets.name = 'train'",
    "name > 'first'",
    "metrics.acc LIKE 0",
    "metrics.acc LIKE '0'",
    "creation_time LIKE '0'",
    "params.depth > 2",
    "tags.stage IN ('prod')",
    "nothing = 'x'",
    "name =",
    "name = 'open",
    "metrics.acc = 'x'",
    "status = 'READY'",
    "artifact_location = 'x'",
)


def searches() -> list[Call]:
    def find(name: str, **body: Any) -> Call:
        # By name, so that models made in one millisecond stand in one order.
        order = [{"field_name": "name"}]
        return post(
            f"search models: {name}", f"{MODELS}/search", {"experiment_ids": ["$exp"], "order_by": order, **body}
        )

    def ordered(name: str, *order: dict[str, Any], **body: Any) -> Call:
        return find(f"ordered by {name}", order_by=[*order, {"field_name": "name"}], **body)

    acc = {"field_name": "metrics.acc"}
    return [
        find("all"),
        find("two experiments", experiment_ids=["$exp", "99"]),
        find("no experiments", experiment_ids=[]),
        find("experiment as text", experiment_ids="1"),
        find("experiment as number", experiment_ids=[1]),
        find("bad experiment", experiment_ids=["abc"]),
        *(find(f"filter {text}", filter=text) for text in FILTERS),
        find("dataset", datasets=[{"dataset_name": "test", "dataset_digest": "d2"}]),
        find("dataset by name", datasets=[{"dataset_name": "train"}]),
        find("datasets", datasets=[{"dataset_name": n, "dataset_digest": d} for n, d in (("test", "d2"), ("x", "y"))]),
        find("unknown dataset", datasets=[{"dataset_name": "x", "dataset_digest": "d"}]),
        find("dataset without name", datasets=[{"dataset_digest": "d1"}]),
        find("datasets as text", datasets="x"),
        find(
            "metric of dataset",
            filter="metrics.acc > 0.2",
            datasets=[{"dataset_name": "train", "dataset_digest": "d1"}],
        ),
        find("param of dataset", filter="params.depth = '3'", datasets=[{"dataset_name": "x", "dataset_digest": "d1"}]),
        ordered("name descending", {"field_name": "name", "ascending": False}),
        ordered("model type", {"field_name": "model_type"}),
        ordered("status", {"field_name": "status"}),
        ordered("creation time", {"field_name": "creation_time", "ascending": True}),
        ordered("metric", acc),
        ordered("metric descending", {**acc, "ascending": False}),
        ordered("metric of dataset", {**acc, "dataset_name": "train"}),
        ordered("metric of dataset and digest", {**acc, "dataset_name": "test", "dataset_digest": "d2"}),
        ordered("metric by digest alone", {**acc, "dataset_digest": "d1"}),
        ordered("metric nobody has", {"field_name": "metrics.nope", "ascending": False}),
        ordered("param", {"field_name": "params.depth"}),
        ordered("nothing known", {"field_name": "nothing"}),
        ordered("no name", {"ascending": True}),
        find("order as text", order_by=["name"]),
        find("one result", max_results=1),
        find("no results", max_results=0),
        find("minus results", max_results=-1),
        find("word results", max_results="x"),
        find("bad token", page_token="bogus"),
        post("search models: nothing", f"{MODELS}/search", {}),
        post("search models: get", f"{MODELS}/search", None),
    ]


def history_tag() -> list[Call]:
    model = {
        "run_id": "$run",
        "artifact_path": "model",
        "utc_time_created": "2026-01-02 03:04:05",
        "flavors": {"python_function": {"loader_module": "x", "config": {"secret": 1}}, "sklearn": {"v": "1"}},
        "signature": None,
    }

    def log(name: str, **body: Any) -> Call:
        return post(f"log-model {name}", "runs/log-model", {"run_id": "$run", **body})

    text = json.dumps(model)
    return [
        log("once", model_json=text),
        log("twice", model_json=text),
        log("without json"),
        log("broken", model_json="{"),
        log("empty", model_json="{}"),
        log("list", model_json="[]"),
        log("without flavors", model_json=json.dumps({k: v for k, v in model.items() if k != "flavors"})),
        log("object", model_json=model),
        log("unknown run", model_json=text, run_id="nope"),
        get("run with history tag", "runs/get", run_id="$run"),
    ]


def life() -> list[Call]:
    two = f"{MODELS}/$two"
    return [
        post("delete run of model", "runs/delete", {"run_id": "$run"}),
        get("model of deleted run", f"{MODELS}/$one"),
        delete("delete model", two, {"model_id": "$two"}),
        get("get deleted model", two),
        get("get deleted model anyway", two, allow_deleted="true"),
        get("get deleted model anyway, oddly", two, allow_deleted="x"),
        delete("delete model again", two),
        delete("delete unknown model", f"{MODELS}/m-no"),
        patch("finalize deleted model", two, {"model_id": "$two", "status": 2}),
        patch("tag deleted model", f"{two}/tags", {"tags": pairs(a="1")}),
        delete("untag deleted model", f"{two}/tags/a"),
        post("params of deleted model", f"{two}/params", {"model_id": "$two", "params": pairs(a="1")}),
        post(
            "metric of deleted model",
            "runs/log-metric",
            {"run_id": "$elsewhere", "key": "m", "value": 1, "timestamp": 1, "model_id": "$two"},
        ),
        post(
            "search without deleted model",
            f"{MODELS}/search",
            {"experiment_ids": ["$exp"], "filter": "name = 'second'"},
        ),
        post("delete experiment of models", "experiments/delete", {"experiment_id": "$exp"}),
        get("model of deleted experiment", f"{MODELS}/$one"),
        patch("tag model of deleted experiment", f"{MODELS}/$one/tags", {"tags": pairs(late="1")}),
        post("search deleted experiment", f"{MODELS}/search", {"experiment_ids": ["$exp"], "filter": "name = 'first'"}),
        post("create model in deleted experiment", MODELS, {"experiment_id": "$exp"}),
    ]


def story() -> Iterator[Call]:
    for part in (creating, changing, logging, searches, history_tag, life):
        yield from part()


CALLS = list(story())


def answers_in_order(url: str) -> Mapping[str, Answer]:
    """What the server at `url`, which must be empty, answers; the metrics of a model, which have no order, sorted."""
    return {name: Answer(found.status, _sorted(found.body)) for name, found in answers(url, CALLS).items()}


def _sorted(body: Any) -> Any:
    if isinstance(body, list):
        return [_sorted(item) for item in body]
    if not isinstance(body, dict):
        return body
    found = {key: _sorted(value) for key, value in body.items()}
    if isinstance(found.get("metrics"), list):
        found["metrics"].sort(key=lambda metric: json.dumps(metric, sort_keys=True))
    return found
