"""The same calls to MLflow's own server and to Minleaf's, and what their answers differ in.

`CALLS` is a story: it makes experiments and runs, then reads, changes and mistreats them. `$name` in a call stands for
an id that an earlier call saved. Where an answer differs, `DIFFERENT` names the reason, and `REASONS` spells it out;
docs/compatibility.md prints every one.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

API = "/api/2.0/mlflow"
AJAX = "/ajax-api/2.0/mlflow"


@dataclass(frozen=True)
class Call:
    """One request. `save` maps a name to the keys that lead to its value in the answer."""

    name: str
    method: str
    path: str
    body: Any = None
    raw: bytes | None = None
    query: Sequence[tuple[str, str]] = ()
    content_type: str | None = "application/json"
    save: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What is compared: the status and, with ids and times replaced, the body."""

    status: int
    body: Any


def post(name: str, path: str, body: Any = None, **more: Any) -> Call:
    return Call(name, "POST", path if path.startswith("/") else f"{API}/{path}", body, **more)


def get(name: str, path: str, /, *pairs: tuple[str, str], **arguments: Any) -> Call:
    query = (*pairs, *((key, str(value)) for key, value in arguments.items()))
    return Call(name, "GET", path if path.startswith("/") else f"{API}/{path}", query=query)


POINT = {"run_id": "$run", "key": "m", "value": 1.5, "timestamp": 5, "step": 0}
LOST = {**POINT, "run_id": "$lost", "key": "lost"}
"""For what only one of the servers takes, or changes: a run of its own, so that the answers about others stay alike."""
WITHOUT = {name: {key: value for key, value in POINT.items() if key != name} for name in POINT}


def experiments() -> list[Call]:
    tags = [{"key": "k", "value": "v"}, {"key": "empty", "value": ""}]
    found = {"exp": ["experiment_id"]}
    return [
        get("default experiment", "experiments/get", experiment_id="0"),
        post("create experiment", "experiments/create", {"name": "E/é 1", "tags": tags}, save=found),
        post("create experiment twice", "experiments/create", {"name": "E/é 1"}),
        post("create experiment without name", "experiments/create", {}),
        post("create experiment with empty name", "experiments/create", {"name": ""}),
        post("create experiment with long name", "experiments/create", {"name": "x" * 501}),
        post("create experiment with number as name", "experiments/create", {"name": 5}),
        post("create experiment with text as tags", "experiments/create", {"name": "t", "tags": "x"}),
        post("create experiment outside", "experiments/create", {"name": "o", "artifact_location": "ftp://x/y"}),
        post("create experiment with fragment", "experiments/create", {"name": "f", "artifact_location": "s3://x#y"}),
        post("create experiment in runs", "experiments/create", {"name": "ru", "artifact_location": "runs:/y"}),
        get("get experiment", "experiments/get", experiment_id="$exp"),
        get("get experiment by name", "experiments/get-by-name", experiment_name="E/é 1"),
        get("get experiment by unknown name", "experiments/get-by-name", experiment_name="no'ne"),
        get("get experiment by no name", "experiments/get-by-name"),
        get("get experiment without id", "experiments/get"),
        *(
            get(f"get experiment {text!r}", "experiments/get", experiment_id=text)
            for text in ("99", "abc", "../x", "1" + "0" * 30, "", "-1", " 0", "\uff10", "x" * 257)
        ),
        post("delete experiment given as number", "experiments/delete", {"experiment_id": 99}),
        post("delete unknown experiment", "experiments/delete", {"experiment_id": "99"}),
        post("restore unknown experiment", "experiments/restore", {"experiment_id": "99"}),
        post("restore active experiment", "experiments/restore", {"experiment_id": "$exp"}),
        post("rename to nothing", "experiments/update", {"experiment_id": "$exp", "new_name": ""}),
        post("rename to taken", "experiments/update", {"experiment_id": "$exp", "new_name": "Default"}),
        post("rename", "experiments/update", {"experiment_id": "$exp", "new_name": "E"}),
        post("set tag", "experiments/set-experiment-tag", {"experiment_id": "$exp", "key": "t", "value": "1"}),
        post("set tag again", "experiments/set-experiment-tag", {"experiment_id": "$exp", "key": "t", "value": "2"}),
        post("set tag without value", "experiments/set-experiment-tag", {"experiment_id": "$exp", "key": "u"}),
        post("set tag without key", "experiments/set-experiment-tag", {"experiment_id": "$exp", "value": "1"}),
        post("set bad tag", "experiments/set-experiment-tag", {"experiment_id": "$exp", "key": "a//b", "value": "1"}),
        post(
            "set long tag",
            "experiments/set-experiment-tag",
            {"experiment_id": "$exp", "key": "l", "value": "x" * 20001},
        ),
        post("delete tag", "experiments/delete-experiment-tag", {"experiment_id": "$exp", "key": "t"}),
        post("delete tag again", "experiments/delete-experiment-tag", {"experiment_id": "$exp", "key": "t"}),
        get("get experiment after all", "experiments/get", experiment_id="$exp"),
    ]


def creating_runs() -> list[Call]:
    tags = [{"key": "a", "value": ""}, {"key": "mlflow.user", "value": "bob"}]
    made = {"experiment_id": "$exp", "start_time": 1234, "run_name": "first", "user_id": "bob", "tags": tags}
    clash = {"run_name": "x", "tags": [{"key": "mlflow.runName", "value": "y"}]}
    return [
        post("create run", "runs/create", made, save={"run": ["run", "info", "run_id"]}),
        post(
            "create second run", "runs/create", {**made, "start_time": 1235}, save={"other": ["run", "info", "run_id"]}
        ),
        post(
            "create third run", "runs/create", {**made, "experiment_id": "0"}, save={"lost": ["run", "info", "run_id"]}
        ),
        post("create run without name", "runs/create", {"experiment_id": "$exp", "user_id": "u", "start_time": 1}),
        post("create run without start or user", "runs/create", {"experiment_id": "0", "run_name": "n"}),
        post("create run without experiment", "runs/create", {"run_name": "n", "user_id": "u", "start_time": 1}),
        post("create run in unknown experiment", "runs/create", {"experiment_id": "99"}),
        post("create run in bad experiment", "runs/create", {"experiment_id": "abc"}),
        post("create run with two names", "runs/create", {"experiment_id": "$exp", **clash}),
        post("create run with text as start", "runs/create", {"experiment_id": "$exp", "start_time": "x"}),
        post("create run with bad tag", "runs/create", {"experiment_id": "0", "tags": [{"key": "a//b", "value": ""}]}),
        get("get run", "runs/get", run_id="$run"),
        get("get run by run_uuid", "runs/get", run_uuid="$run"),
        get("get run without id", "runs/get"),
        get("get run with empty id", "runs/get", run_id=""),
        get("get unknown run", "runs/get", run_id="nope"),
        get("get run with camel case", "runs/get", runId="$run"),
    ]


def logging_metrics() -> list[Call]:
    point = "runs/log-metric"
    many = [{"key": "h", "value": step % 3, "timestamp": 100 - step, "step": step} for step in range(10)]
    return [
        post("log metric", point, POINT),
        post("log metric again", point, POINT),
        post("log NaN", point, {**POINT, "value": "NaN", "step": 1}),
        post(
            "log NaN literal", point, raw=b'{"run_id": "$lost", "key": "nan", "value": NaN, "timestamp": 5, "step": 1}'
        ),
        post("log infinity", point, {**LOST, "key": "inf", "value": "Infinity"}),
        post("log minus infinity", point, {**LOST, "key": "inf", "value": "-Infinity"}),
        post("log text", point, {**POINT, "key": "text", "value": "1.25"}),
        post("log without step", point, WITHOUT["step"]),
        post("log negative step", point, {**POINT, "step": -7}),
        post("log step as text", point, {**POINT, "step": "3"}),
        post("log step as whole float", point, {**POINT, "step": 4.0}),
        post("log smallest step", point, {**POINT, "key": "steps", "step": -(2**63)}),
        post("log largest step", point, {**POINT, "key": "steps", "step": 2**63 - 1}),
        post("log step too large", point, {**LOST, "step": 2**63}),
        post("log step with fraction", point, {**LOST, "step": 1.5}),
        post("log step word", point, {**LOST, "step": "x"}),
        post("log step bool", point, {**LOST, "step": True}),
        post("log word", point, {**POINT, "value": "abc"}),
        post("log bool", point, {**LOST, "value": True}),
        post("log null", point, {**POINT, "value": None}),
        post("log list", point, {**POINT, "value": [1]}),
        post("log overflow", point, {**LOST, "value": "1e400"}),
        post("log blank and number", point, {**LOST, "value": " 1"}),
        post("log without value", point, WITHOUT["value"]),
        post("log without timestamp", point, WITHOUT["timestamp"]),
        post("log without key", point, WITHOUT["key"]),
        post("log without run", point, WITHOUT["run_id"]),
        post("log by run_uuid", point, {**WITHOUT["run_id"], "run_uuid": "$run"}),
        post("log by runId", point, {**WITHOUT["run_id"], "runId": "$lost"}),
        post("log by both spellings", point, {**POINT, "runId": "$run"}),
        post("log timestamp word", point, {**POINT, "timestamp": "x"}),
        post("log timestamp with fraction", point, {**LOST, "timestamp": 1.5}),
        post("log timestamp before 1970", point, {**POINT, "timestamp": -1}),
        post("log empty key", point, {**POINT, "key": ""}),
        post("log key as number", point, {**POINT, "key": 5}),
        post("log unknown field", point, {**POINT, "unknown": [1]}),
        post("log to unknown run", point, {**POINT, "run_id": "nope"}),
        post("log to run given as number", point, {**POINT, "run_id": 5}),
        *(
            post(f"log key {key!r}", point, {**POINT, "key": key})
            for key in ("..", "../x", "/x", "a//b", "./a", "a/", "a@b", "a,b", "🙂", "x" * 250, "漢字", "a:b", " ")
        ),
        post("log key with newline", point, {**LOST, "key": "newline\n"}),
        post("log key too long", point, {**POINT, "key": "x" * 251}),
        post("log ten points", "runs/log-batch", {"run_id": "$run", "metrics": many}),
    ]


def odd_bodies() -> list[Call]:
    plain = json.dumps(POINT)
    point = "runs/log-metric"
    return [
        post("empty body", point, raw=b""),
        post("null body", point, raw=b"null"),
        post("truncated body", point, raw=b'{"run_id": "$run", "key": "m"'),
        post("truncated body for nothing required", "experiments/search", raw=b"{"),
        post("list body", point, raw=b"[1]"),
        post("number body", point, raw=b"5"),
        post("text body", point, raw=b'"abc"'),
        post("json in json", point, json.dumps(POINT)),
        post("byte order mark", point, raw=b"\xef\xbb\xbf" + plain.encode()),
        post("utf-16", point, raw=plain.encode("utf-16")),
        post("two equal names", point, raw=plain[:-1].encode() + b', "value": 9}'),
        post("deep body", point, raw=b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        post("text/plain", point, POINT, content_type="text/plain"),
        post("no content type", point, POINT, content_type=None),
        post("charset", point, POINT, content_type="application/json; charset=utf-8"),
    ]


def params_and_tags() -> list[Call]:
    param, tag = "runs/log-parameter", "runs/set-tag"
    return [
        post("log param", param, {"run_id": "$run", "key": "p", "value": "1"}),
        post("log param again", param, {"run_id": "$run", "key": "p", "value": "1"}),
        post("change param", param, {"run_id": "$run", "key": "p", "value": "2"}),
        post("log param without value", param, {"run_id": "$run", "key": "empty"}),
        post("log param null", param, {"run_id": "$run", "key": "null", "value": None}),
        post("log param number", param, {"run_id": "$run", "key": "q", "value": 5}),
        post("log param without key", param, {"run_id": "$run", "value": "1"}),
        post("log param bad key", param, {"run_id": "$run", "key": "a//b", "value": "1"}),
        post("log param long key", param, {"run_id": "$run", "key": "x" * 251, "value": "1"}),
        post("log param long", param, {"run_id": "$lost", "key": "long", "value": "x" * 6001}),
        post("log param nul", param, {"run_id": "$lost", "key": "nul", "value": "a\x00b"}),
        post("log param surrogate", param, raw=b'{"run_id": "$lost", "key": "sur", "value": "\\ud800"}'),
        post("set run tag", tag, {"run_id": "$run", "key": "t", "value": "1"}),
        post("set run tag again", tag, {"run_id": "$run", "key": "t", "value": "2"}),
        post("set run tag bad key", tag, {"run_id": "$run", "key": "a//b", "value": "1"}),
        post("set run tag long key", tag, {"run_id": "$run", "key": "x" * 251, "value": "1"}),
        post("set run tag long", tag, {"run_id": "$lost", "key": "long", "value": "x" * 8001}),
        post("set run name by tag", tag, {"run_id": "$run", "key": "mlflow.runName", "value": "by tag"}),
        post("delete run tag", "runs/delete-tag", {"run_id": "$run", "key": "t"}),
        post("delete run tag again", "runs/delete-tag", {"run_id": "$run", "key": "t"}),
        get("get run with long values", "runs/get", run_id="$lost"),
    ]


def batches() -> list[Call]:
    batch = "runs/log-batch"
    points = [{"key": "b", "value": 1, "timestamp": 1, "step": step} for step in range(1001)]
    entries = [{"key": f"k{number}", "value": "1"} for number in range(101)]

    def bad(metrics: Any) -> dict[str, Any]:
        return {"run_id": "$run", "metrics": metrics}

    return [
        post("empty batch", batch, {"run_id": "$run"}),
        post("batch without run", batch, {"metrics": []}),
        post("batch for bad run id", batch, {"run_id": "../x"}),
        post("batch for unknown run", batch, {"run_id": "unknown"}),
        post("batch metric without timestamp", batch, bad([{"key": "b", "value": 1}])),
        post("batch metric without key", batch, bad([points[0], {"value": 1, "timestamp": 1}])),
        post("batch metric without value", batch, bad([{"key": "b", "timestamp": 1}])),
        post("batch metric bad key", batch, bad([points[0], {**points[0], "key": "a//b"}])),
        post("batch metric bad timestamp", batch, bad([{**points[0], "timestamp": -1}])),
        post("batch metric word", batch, {"run_id": "$lost", "metrics": [{**points[0], "key": "lost", "value": "x"}]}),
        post("batch metrics object", batch, bad({})),
        post("batch metrics text", batch, bad("x")),
        post("batch metrics null", batch, bad(None)),
        post("batch metrics numbers", batch, bad([5])),
        post("batch tag without key", batch, {"run_id": "$run", "tags": [{"value": "1"}]}),
        post("batch param without key", batch, {"run_id": "$run", "params": [{"value": "1"}]}),
        post("batch without values", batch, {"run_id": "$run", "params": [{"key": "pp"}], "tags": [{"key": "tt"}]}),
        post("batch changes param", batch, {"run_id": "$run", "params": [{"key": "p", "value": "3"}]}),
        post("batch with param twice", batch, {"run_id": "$run", "params": [entries[0], entries[0]]}),
        post("batch of 1001 metrics", batch, bad(points)),
        post("batch of 101 params", batch, {"run_id": "$run", "params": entries}),
        post("batch of 101 tags", batch, {"run_id": "$run", "tags": entries}),
        post("batch of 1001 in all", batch, {**bad(points[:901]), "params": entries[:100]}),
        get("get run after logging", "runs/get", run_id="$run"),
    ]


def histories() -> list[Call]:
    history, bulk = "metrics/get-history", f"{AJAX}/metrics/get-history-bulk"
    interval = "metrics/get-history-bulk-interval"
    return [
        get("history", history, run_id="$run", metric_key="h", max_results=100),
        get("history without max_results", history, run_id="$run", metric_key="h"),
        get("history with NaN", history, run_id="$run", metric_key="m", max_results=100),
        get("history with infinity", history, run_id="$lost", metric_key="inf", max_results=100),
        get("history with NaN literal", history, run_id="$lost", metric_key="nan", max_results=100),
        get("history of lost points", history, run_id="$lost", metric_key="lost", max_results=100),
        get("history of no metric", history, run_id="$run", metric_key="none", max_results=100),
        get("history of no run", history, run_id="nope", metric_key="m", max_results=100),
        get("history of zero points", history, run_id="$run", metric_key="m", max_results=0),
        get("history of x points", history, run_id="$run", metric_key="h", max_results="x"),
        get("history bad token", history, run_id="$run", metric_key="m", max_results=2, page_token="zzz"),
        get("history without key", history, run_id="$run"),
        get("bulk", bulk, run_id="$run", metric_key="h"),
        get("bulk of three", bulk, run_id="$run", metric_key="h", max_results=3),
        get("bulk of none", bulk, run_id="$run", metric_key="none"),
        get("bulk without run", bulk, metric_key="h"),
        get("bulk without key", bulk, run_id="$run"),
        get("bulk of 101 runs", bulk, *[("run_id", str(number)) for number in range(101)], metric_key="h"),
        get("bulk of unknown run", bulk, run_id="nope", metric_key="h"),
        get("bulk of x points", bulk, run_id="$run", metric_key="h", max_results="x"),
        get("bulk under api", "metrics/get-history-bulk", run_id="$run", metric_key="h"),
        get("interval", interval, run_ids="$run", metric_key="h"),
        get("interval of range", interval, run_ids="$run", metric_key="h", start_step=2, end_step=4),
        get("interval of five", interval, run_ids="$run", metric_key="h", max_results=5),
        get("interval without end", interval, run_ids="$run", metric_key="h", start_step=5),
        get("interval backwards", interval, run_ids="$run", metric_key="h", start_step=5, end_step=1),
        get("interval of zero", interval, run_ids="$run", metric_key="h", max_results=0),
        get("interval of 2501", interval, run_ids="$run", metric_key="h", max_results=2501),
        get("interval of x", interval, run_ids="$run", metric_key="h", max_results="x"),
        get("interval without run", interval, metric_key="h"),
        get("interval without key", interval, run_ids="$run"),
        get("interval of unknown run", interval, run_ids="nope", metric_key="h"),
    ]


def searches() -> list[Call]:
    def runs(name: str, **fields: Any) -> Call:
        return post(f"search runs: {name}", "runs/search", {"experiment_ids": ["$exp"], **fields})

    def found(name: str, **fields: Any) -> Call:
        return post(f"search experiments: {name}", "experiments/search", {"max_results": 10, **fields})

    filters = {
        "metric": "metrics.m >= 1.5",
        "text metric": "metrics.text = 1.25",
        "param": "params.p = '1'",
        "absent param": "params.nope != '1'",
        "other param": "params.p != '2'",
        "like": "params.p LIKE '%'",
        "tag": "tags.a = ''",
        "quoted key": "tags.\"mlflow.user\" = 'bob'",
        "backticks": "tags.`mlflow.user` = 'bob'",
        "name": "attributes.run_name = 'by tag'",
        "run name": "run_name ILIKE 'BY%'",
        "case": "attributes.run_name LIKE 'BY%'",
        "status": "attributes.status = 'RUNNING'",
        "start": "attributes.start_time > 1234",
        "and": "metrics.m >= 1.5 and params.p = '1'",
        "in": "attributes.run_id IN ('$run', 'x')",
        "not in": "attributes.run_id NOT IN ('$run', 'x')",
        "user": "attributes.user_id = 'bob'",
        "plain word": "bogus",
        "number as text": "metrics.m > 'x'",
        "unquoted param": "params.p = 1",
        "half a clause": "metrics.m >",
        "unknown attribute": "attributes.nope = 'x'",
    }
    start = {"order_by": ["attributes.start_time ASC"]}
    return [
        runs("all", **start),
        runs("of no experiment", experiment_ids=[]),
        runs("of unknown experiment", experiment_ids=["99"]),
        runs("of bad experiment", experiment_ids=["abc"]),
        runs("experiment as number", experiment_ids=[0]),
        runs("experiment as text", experiment_ids="0"),
        *(runs(f"filter, {name}", filter=text, **start) for name, text in filters.items()),
        *(runs(f"max_results {size}", max_results=size) for size in (0, -1, 50_001, 2**40, "x")),
        runs("max_results 1 as text", max_results="1", **start),
        runs("all views", run_view_type="ALL", **start),
        runs("deleted", run_view_type="DELETED_ONLY"),
        runs("bogus view", run_view_type="BOGUS", **start),
        runs("order by metric", order_by=["metrics.h DESC", "attributes.start_time ASC"]),
        runs("order by text", order_by="x"),
        runs("order by nothing known", order_by=["bogus"]),
        runs("filter number", filter=5),
        runs("bad token", page_token="zz"),
        found("default order is by time", view_type="ALL", order_by=["name ASC"]),
        found("by name", filter="name = 'E'"),
        found("by like", filter="name LIKE 'D%'"),
        found("by tag", filter="tags.k = 'v'"),
        found("one", max_results=1, order_by=["name"]),
        found("bogus view", view_type="BOGUS", order_by=["name ASC"]),
        found("bogus order", order_by=["bogus"]),
        found("half a clause", filter="name ="),
        found("bad token", page_token="zz"),
        post("search experiments: without max_results", "experiments/search", {}),
        post("search experiments: too many", "experiments/search", {"max_results": 50_001}),
        get("search experiments: by GET", "experiments/search", max_results=10, order_by="name ASC", view_type="ALL"),
    ]


def life() -> list[Call]:
    update, run = "runs/update", {"run_id": "$run"}
    return [
        post("finish", update, {**run, "status": "FINISHED", "end_time": 99}),
        post("rename run", update, {**run, "run_name": "renamed"}),
        post("rename run to nothing", update, {**run, "run_name": ""}),
        post("update nothing", update, run),
        post("status by number", update, {**run, "status": 5}),
        post("bogus status", update, {**run, "status": "BOGUS"}),
        post("status 77", update, {**run, "status": 77}),
        post("end word", update, {**run, "end_time": "x"}),
        post("update unknown run", update, {"run_id": "nope", "status": "FAILED"}),
        post("log to finished run", "runs/log-metric", {**POINT, "step": 9}),
        post("delete run", "runs/delete", run),
        post("delete run again", "runs/delete", run),
        get("get deleted run", "runs/get", run_id="$run"),
        post("log metric to deleted run", "runs/log-metric", POINT),
        post("log param to deleted run", "runs/log-parameter", {**run, "key": "z", "value": "1"}),
        post("log batch to deleted run", "runs/log-batch", {**run, "tags": [{"key": "z", "value": "1"}]}),
        post("tag deleted run", "runs/set-tag", {**run, "key": "z", "value": "1"}),
        post("update deleted run", update, {**run, "run_name": "z"}),
        post("search deleted runs", "runs/search", {"experiment_ids": ["$exp"], "run_view_type": "DELETED_ONLY"}),
        post("restore run", "runs/restore", run),
        post("restore run again", "runs/restore", run),
        post("delete unknown run", "runs/delete", {"run_id": "nope"}),
        post("delete experiment", "experiments/delete", {"experiment_id": "$exp"}),
        post("delete experiment again", "experiments/delete", {"experiment_id": "$exp"}),
        get("get deleted experiment", "experiments/get", experiment_id="$exp"),
        get("get run of deleted experiment", "runs/get", run_id="$run"),
        post("create run in deleted experiment", "runs/create", {"experiment_id": "$exp"}),
        post("log to run of deleted experiment", "runs/log-metric", POINT),
        post("rename deleted experiment", "experiments/update", {"experiment_id": "$exp", "new_name": "x"}),
        post("tag deleted experiment", "experiments/set-experiment-tag", {"experiment_id": "$exp", "key": "t"}),
        post("create experiment with deleted name", "experiments/create", {"name": "E"}),
        post("restore experiment", "experiments/restore", {"experiment_id": "$exp"}),
        get("get run of restored experiment", "runs/get", run_id="$run"),
        post("create experiment in bucket", "experiments/create", {"name": "s3", "artifact_location": "s3://x/y"}),
        get("unknown path", "nope"),
        post("wrong method", "runs/get", {}),
        get("health", "/health"),
        get("version", "/version"),
        get("server info", "/api/3.0/mlflow/server-info"),
    ]


CALLS = [
    *experiments(),
    *creating_runs(),
    *logging_metrics(),
    *odd_bodies(),
    *params_and_tags(),
    *batches(),
    *histories(),
    *searches(),
    *life(),
]


def answers(url: str, calls: Sequence[Call] = CALLS) -> dict[str, Answer]:
    """What the server at `url`, which must be empty, answers to every call."""
    saved: dict[str, str] = {}
    found = {}
    with httpx.Client(base_url=url, timeout=60) as client:
        for call in calls:
            response = _send(client, call, saved)
            try:
                body = response.json()
            except ValueError:
                body = response.text
            if response.status_code == 200:
                for name, keys in call.save.items():
                    saved[name] = _at(body, keys)
            found[call.name] = Answer(response.status_code, _normal(body, saved))
    return found


def _send(client: httpx.Client, call: Call, saved: Mapping[str, str]) -> httpx.Response:
    headers = {} if call.content_type is None or call.method == "GET" else {"content-type": call.content_type}
    content, path = call.raw, call.path
    if content is None and call.method != "GET":
        content = json.dumps(call.body).encode()
    for name, value in saved.items():
        content = content and content.replace(f"${name}".encode(), value.encode())
        path = path.replace(f"${name}", value)
    query = [(key, saved.get(value[1:], value) if value.startswith("$") else value) for key, value in call.query]
    return client.request(call.method, path, content=content, params=tuple(query), headers=headers)


def _at(body: Any, keys: Sequence[str]) -> str:
    for key in keys:
        body = body[key]
    assert isinstance(body, str)
    return body


IGNORED = ("sqlstate", "error_class", "workspace")
"""Fields of MLflow's newest version that its client does not need."""
TIMES = (
    "creation_time",
    "last_update_time",
    "creation_timestamp",
    "last_updated_timestamp",
    "creation_timestamp_ms",
    "last_updated_timestamp_ms",
)
LISTS_BY_KEY = ("metrics", "params", "tags")


def _normal(body: Any, saved: Mapping[str, str]) -> Any:
    """The body without what must differ: ids, times, made-up names, page tokens, the order of a run's entries."""
    if isinstance(body, dict):
        kept = {key: value for key, value in body.items() if key not in IGNORED and (key, value) != ("outputs", {})}
        return {key: _normal_field(key, value, saved) for key, value in kept.items()}
    if isinstance(body, list):
        return [_normal(item, saved) for item in body]
    if isinstance(body, str):
        for name, value in saved.items():
            if len(value) == 32 or body == value:
                body = body.replace(value, f"${name}")
        experiment = saved.get("exp", "-")
        body = re.sub(rf"\b(with id=|with id |experiment |artifacts:/){experiment}\b", r"\1$exp", body)
        body = re.sub(r"[0-9a-f]{32}", "$id", body)
        return re.sub(r"^[a-z]+-[a-z]+-\d+$", "$made-up", body)
    return body


def _normal_field(key: str, value: Any, saved: Mapping[str, str]) -> Any:
    if key in TIMES:
        return "$time"
    if key == "next_page_token":
        return "$token"
    if key in LISTS_BY_KEY and isinstance(value, list) and len({entry["key"] for entry in value}) == len(value):
        value = sorted(value, key=lambda entry: str(entry["key"]))
    return _normal(value, saved)
