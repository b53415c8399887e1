"""The model registry: the same calls to MLflow's own server and to Minleaf's. See `differential` for the way."""

from typing import Any

from tests.compat.differential import Call, post

SOURCE = "s3://bucket/model"
PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}
API = "/api/2.0/mlflow"
CREATE = "registered-models/create"
VERSION = "model-versions/create"
ALIAS = "registered-models/alias"
TRANSITION = "model-versions/transition-stage"


def get(label: str, path: str, /, *pairs: tuple[str, str], **arguments: Any) -> Call:
    """`differential.get`, for paths that take an argument `name`."""
    query = (*pairs, *((key, str(value)) for key, value in arguments.items()))
    return Call(label, "GET", f"{API}/{path}", query=query)


def patch(name: str, path: str, body: Any) -> Call:
    return Call(name, "PATCH", f"{API}/{path}", body)


def delete(name: str, path: str, body: Any) -> Call:
    return Call(name, "DELETE", f"{API}/{path}", body)


def creating() -> list[Call]:
    tags = [{"key": "b", "value": ""}, {"key": "a"}, {"key": "a", "value": "2"}]
    return [
        post("create model", CREATE, {"name": "m", "tags": tags, "description": "d"}),
        post("create model twice", CREATE, {"name": "m"}),
        post("create second model", CREATE, {"name": "n é"}),
        post("create prompt", CREATE, {"name": "p", "tags": [PROMPT]}),
        post("create prompt twice", CREATE, {"name": "p", "tags": [PROMPT]}),
        post("create prompt named as model", CREATE, {"name": "m", "tags": [PROMPT]}),
        post("create model named as prompt", CREATE, {"name": "p"}),
        post("create model without name", CREATE, {}),
        post("create model named 5", CREATE, {"name": 5}),
        *(post(f"create model named {name!r}", CREATE, {"name": name}) for name in (" ", "a/b", "a:b", ".", "..x")),
        get("get model with long name", "registered-models/get", name="x" * 501),
        post("create model with text as tags", CREATE, {"name": "t", "tags": "x"}),
        post("create model with tag without key", CREATE, {"name": "t", "tags": [{"value": "x"}]}),
        post("create model with bad tag", CREATE, {"name": "t", "tags": [{"key": "a//b", "value": "x"}]}),
        post("create model with long key", CREATE, {"name": "t", "tags": [{"key": "k" * 251, "value": "x"}]}),
        post("create model with long tag", CREATE, {"name": "t", "tags": [{"key": "k", "value": "x" * 100_001}]}),
        get("get model", "registered-models/get", name="m"),
        get("get unknown model", "registered-models/get", name="nobody"),
        get("get model without name", "registered-models/get"),
        get("get model named a/b", "registered-models/get", name="a/b"),
        patch("describe model", "registered-models/update", {"name": "m", "description": "better"}),
        patch("describe model with nothing", "registered-models/update", {"name": "n é"}),
        patch("describe unknown model", "registered-models/update", {"name": "nobody", "description": "x"}),
        post("tag model", "registered-models/set-tag", {"name": "m", "key": "t", "value": "1"}),
        post("tag model without value", "registered-models/set-tag", {"name": "m", "key": "u"}),
        post("tag model without key", "registered-models/set-tag", {"name": "m"}),
        post("tag unknown model", "registered-models/set-tag", {"name": "nobody", "key": "t"}),
        post("tag model badly", "registered-models/set-tag", {"name": "m", "key": "../t"}),
        delete("untag model", "registered-models/delete-tag", {"name": "m", "key": "u"}),
        delete("untag model again", "registered-models/delete-tag", {"name": "m", "key": "u"}),
        delete("untag unknown model", "registered-models/delete-tag", {"name": "nobody", "key": "u"}),
        get("get model after all", "registered-models/get", name="m"),
    ]


def versions() -> list[Call]:
    full = {"name": "m", "source": SOURCE, "run_id": "r", "run_link": "l", "description": "d"}
    text = {"key": "mlflow.prompt.text", "value": "Hi"}
    prompt = {"name": "p", "source": "dummy-source", "tags": [PROMPT, text]}
    return [
        post("create version", VERSION, {"name": "m", "source": SOURCE}),
        post("create full version", VERSION, {**full, "tags": [{"key": "t", "value": "1"}]}),
        post("create version of unknown model", VERSION, {"name": "nobody", "source": SOURCE}),
        post("create version without source", VERSION, {"name": "m"}),
        post("create version with number as source", VERSION, {"name": "m", "source": 5}),
        post("create version with bad tag", VERSION, {**full, "tags": [{"key": "a//b", "value": "1"}]}),
        post("create prompt version", VERSION, prompt),
        post("create long prompt version", VERSION, {**prompt, "tags": [PROMPT, {**text, "value": "x" * 100_001}]}),
        post("create prompt version from file", VERSION, {**prompt, "source": "/etc"}),
        get("get version", "model-versions/get", name="m", version="1"),
        get("get full version", "model-versions/get", name="m", version="2"),
        *(
            get(f"get version {text!r}", "model-versions/get", name="m", version=text)
            for text in ("9", "0", "-1", "x", "1.5", "", "9" * 30, "007")
        ),
        patch("describe version", "model-versions/update", {"name": "m", "version": "1", "description": "x"}),
        patch("describe version with nothing", "model-versions/update", {"name": "m", "version": "1"}),
        patch("describe unknown version", "model-versions/update", {"name": "m", "version": "9"}),
        post("tag version", "model-versions/set-tag", {"name": "m", "version": "1", "key": "t", "value": "v"}),
        post("tag version without value", "model-versions/set-tag", {"name": "m", "version": "1", "key": "u"}),
        post("tag unknown version", "model-versions/set-tag", {"name": "m", "version": "9", "key": "t"}),
        post("tag version x", "model-versions/set-tag", {"name": "m", "version": "x", "key": "t"}),
        delete("untag version", "model-versions/delete-tag", {"name": "m", "version": "1", "key": "u"}),
        delete("untag version again", "model-versions/delete-tag", {"name": "m", "version": "1", "key": "u"}),
        get("download uri", "model-versions/get-download-uri", name="m", version="1"),
        get("download uri of unknown version", "model-versions/get-download-uri", name="m", version="9"),
        get("download uri without version", "model-versions/get-download-uri", name="m"),
        *sources(),
    ]


def sources() -> list[Call]:
    run = {"experiment_id": "0", "start_time": 1, "user_id": "u", "run_name": "r"}
    inside = "mlflow-artifacts:/0/$run/artifacts/model"
    taken = [
        {"source": inside, "run_id": "$run"},
        {"source": "runs:/$run/model", "run_id": "$run"},
        {"source": "runs:/nobody/model", "run_id": "nobody"},
        {"source": "models:/m/1"},
        {"source": "dbfs:/a/b"},
    ]
    refused = [
        {"source": inside, "run_id": "nobody"},
        {"source": "runs:/$run/model", "run_id": "nobody"},
        {"source": "/etc"},
        {"source": "file:///etc", "run_id": "$run"},
        {"source": "path/to/model"},
        {"source": "mlflow-artifacts:/../../etc"},
        {"source": "s3://b/../c"},
        {"source": "http:///#/../../etc/"},
        {"source": "models:/m/9"},
        {"source": "models:/nobody/1"},
        {"source": "models:/p/1"},
        {"source": "models:/m/1", "run_id": "other"},
        {"source": "models:/a/b/c"},
        {"source": "gopher://h/x"},
        {"source": "file://host/etc"},
        {"source": "https://host/model"},
        {"source": "runs:/nobody/model", "run_id": "other"},
        {"source": "mlflow-artifacts:/models", "run_id": "$run"},
        {"source": "mlflow-artifacts:/0/$run/artifacts"},
    ]
    calls = [
        post("create run", "runs/create", run, save={"run": ["run", "info", "run_id"]}),
        post("create model for sources", CREATE, {"name": "s"}),
    ]
    for fields in taken:
        calls.append(post(f"source {fields}", VERSION, {"name": "s", **fields}))
    calls.append(get("versions by source", "model-versions/search", filter="name = 's'", order_by="version_number"))
    for fields in refused:
        calls.append(post(f"source {fields}", VERSION, {"name": "s", **fields}))
    calls.append(delete("delete model for sources", "registered-models/delete", {"name": "s"}))
    return calls


def aliases_and_stages() -> list[Call]:
    first = {"name": "m", "version": "1"}
    return [
        post("set alias", ALIAS, {**first, "alias": "best"}),
        post("set alias again", ALIAS, {"name": "m", "version": "2", "alias": "best"}),
        post("set other alias", ALIAS, {**first, "alias": "Old-1"}),
        *(post(f"set alias {alias!r}", ALIAS, {**first, "alias": alias}) for alias in ("latest", "v1", "a b", "", "é")),
        post("set long alias", ALIAS, {**first, "alias": "a" * 256}),
        post("set alias of unknown version", ALIAS, {"name": "m", "version": "9", "alias": "x"}),
        post("set alias of version x", ALIAS, {"name": "m", "version": "x", "alias": "x"}),
        *(get(f"get alias {alias!r}", ALIAS, name="m", alias=alias) for alias in ("best", "none", "latest", "a b", "")),
        get("get alias of unknown model", ALIAS, name="nobody", alias="best"),
        get("get latest of nothing", ALIAS, name="n é", alias="latest"),
        get("get version with alias", "model-versions/get", **first),
        get("get model with aliases", "registered-models/get", name="m"),
        delete("delete alias", ALIAS, {"name": "m", "alias": "é"}),
        delete("delete alias again", ALIAS, {"name": "m", "alias": "é"}),
        delete("delete alias of unknown model", ALIAS, {"name": "nobody", "alias": "é"}),
        post("transition", TRANSITION, {**first, "stage": "staging"}),
        post("transition to bogus", TRANSITION, {**first, "stage": "bogus"}),
        post("transition unknown version", TRANSITION, {"name": "m", "version": "9", "stage": "Staging"}),
        post("archive and archive", TRANSITION, {**first, "stage": "Archived", "archive_existing_versions": True}),
        post(
            "transition and archive",
            TRANSITION,
            {"name": "m", "version": "2", "stage": "Staging", "archive_existing_versions": True},
        ),
        post("transition with text", TRANSITION, {**first, "stage": "None", "archive_existing_versions": "x"}),
        post("latest versions", "registered-models/get-latest-versions", {"name": "m"}),
        post("latest of a stage", "registered-models/get-latest-versions", {"name": "m", "stages": ["STAGING"]}),
        post("latest of bogus", "registered-models/get-latest-versions", {"name": "m", "stages": ["bogus"]}),
        post("latest of text", "registered-models/get-latest-versions", {"name": "m", "stages": "x"}),
        post("latest of unknown model", "registered-models/get-latest-versions", {"name": "nobody"}),
        get(
            "latest by get",
            "registered-models/get-latest-versions",
            ("stages", "None"),
            ("stages", "Staging"),
            name="m",
        ),
    ]


FILTERS = (
    "name = 'm'",
    "name != 'm'",
    "name LIKE 'M%'",
    "name ILIKE 'M%'",
    "name IN ('m', 'n é')",
    "tags.t = '1'",
    "tag.`t` != '1'",
    "tags.t LIKE '1%' AND name = 'm'",
    "tags.`mlflow.prompt.is_prompt` = 'true'",
    "tags.`mlflow.prompt.is_prompt` != 'true'",
    "tags.`mlflow.prompt.is_prompt` = 'false' AND name LIKE '%'",
    "name = m",
    "name = 5",
    "name = true",
    "name > 'a'",
    "name LIKE",
    "name",
    "name IN ()",
    "name IN (,)",
    "name IN ('m',,'n')",
    "name IN (1, 2)",
    "tags.t > '1'",
    "tags.t = 1",
    "metrics.m > 1",
    "evil = 'x'",
    "run_id = 'r'",
    "name = 'm' OR name = 'p'",
    "name NOT LIKE 'x'",
)
VERSION_FILTERS = (
    "version_number = 1",
    "version_number > '1'",
    "version_number = 1.5",
    "version_number = 'x'",
    "version_number LIKE '1'",
    "version_number IN (1)",
    "run_id != 'r'",
    "run_id = ''",
    "run_id IN ('r')",
    "source_path = 's3://bucket/model'",
    "source_path IN ('a')",
)
ORDERS = (
    "name DESC",
    "timestamp",
    "last_updated_timestamp desc",
    "creation_timestamp",
    "version_number",
    "run_id",
    "tags.t",
    "name blah",
    "name ASC blah",
    "",
)


def searching() -> list[Call]:
    calls = []
    for kind, path in (("models", "registered-models/search"), ("versions", "model-versions/search")):
        filters = FILTERS if kind == "models" else (*FILTERS, *VERSION_FILTERS)
        calls += [get(f"search {kind}: {text}", path, filter=text) for text in filters]
        calls += [get(f"search {kind} by {text!r}", path, order_by=text) for text in ORDERS]
        calls += [
            get(f"search {kind}: {text} results", path, max_results=text) for text in ("0", "-1", "1", "x", 2**40)
        ]
        calls += [
            get(f"search {kind}", path),
            get(f"search {kind} by name twice", path, ("order_by", "name"), ("order_by", "name DESC")),
            get(f"search {kind}: bad token", path, page_token="evilhax"),
            get(f"search {kind}: 200001 results", path, max_results=200_001),
        ]
    return calls


def life() -> list[Call]:
    rename = "registered-models/rename"
    return [
        post("rename", rename, {"name": "m", "new_name": "m 2"}),
        post("rename unknown", rename, {"name": "m", "new_name": "m 3"}),
        post("rename to taken", rename, {"name": "m 2", "new_name": "p"}),
        post("rename to nothing", rename, {"name": "m 2", "new_name": ""}),
        post("rename to blank", rename, {"name": "m 2", "new_name": " "}),
        post("rename to a/b", rename, {"name": "m 2", "new_name": "a/b"}),
        post("rename to itself", rename, {"name": "m 2", "new_name": "m 2"}),
        get("get renamed", "registered-models/get", name="m 2"),
        delete("delete version", "model-versions/delete", {"name": "m 2", "version": "2"}),
        delete("delete version again", "model-versions/delete", {"name": "m 2", "version": "2"}),
        delete("delete version x", "model-versions/delete", {"name": "m 2", "version": "x"}),
        get("get model after delete", "registered-models/get", name="m 2"),
        get("search after delete", "model-versions/search"),
        post("create version after delete", VERSION, {"name": "m 2", "source": SOURCE}),
        delete("delete model", "registered-models/delete", {"name": "m 2"}),
        delete("delete model again", "registered-models/delete", {"name": "m 2"}),
        get("get version of deleted model", "model-versions/get", name="m 2", version="1"),
        post("create model again", CREATE, {"name": "m 2"}),
        post("create version again", VERSION, {"name": "m 2", "source": SOURCE}),
    ]


def without_aliases() -> list[Call]:
    """What is searched has none, because the answers of a search differ in them."""
    return [
        get("search versions with aliases", "model-versions/search", filter="name = 'm'"),
        get("search models with aliases", "registered-models/search", filter="name = 'm'"),
        *(delete(f"delete alias {alias!r}", ALIAS, {"name": "m", "alias": alias}) for alias in ("best", "Old-1")),
    ]


CALLS = [*creating(), *versions(), *aliases_and_stages(), *without_aliases(), *searching(), *life()]
