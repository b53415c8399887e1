"""The endpoints of logged models as they stand on the wire, on both databases."""

import json
from typing import Any

import httpx
import pytest

from tests.rest.conftest import Api, refusal

MODELS = "logged-models"


async def call(api: Api, method: str, path: str, body: object = None) -> httpx.Response:
    content = b"" if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"content-type": "application/json"}
    return await api.client.request(method, f"/api/2.0/mlflow/{path}", content=content, headers=headers)


async def made(api: Api, **fields: Any) -> str:
    """The id of a new model in experiment 0."""
    answer = await api.ok(MODELS, {"experiment_id": "0", **fields})
    model_id: str = answer["model"]["info"]["model_id"]
    return model_id


async def model(api: Api, model_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.ok(f"{MODELS}/{model_id}"))["model"]
    return found


async def found(api: Api, **body: Any) -> list[str]:
    answer = await api.ok(f"{MODELS}/search", {"experiment_ids": ["0"], "order_by": [{"field_name": "name"}], **body})
    return [one["info"]["name"] for one in answer.get("models", [])]


async def test_a_model_on_the_wire(api: Api) -> None:
    params, tags = [{"key": "p", "value": "1"}], [{"key": "t é", "value": ""}]
    fields = {"experiment_id": "0", "name": "first", "params": params, "tags": tags}
    created = (await api.ok(MODELS, fields))["model"]
    info = created["info"]
    model_id, times = info["model_id"], ("creation_timestamp_ms", "last_updated_timestamp_ms")
    assert created == {
        "info": {
            "model_id": model_id,
            "experiment_id": "0",
            "name": "first",
            **{name: info[name] for name in times},
            "artifact_uri": f"mlflow-artifacts:/0/models/{model_id}/artifacts",
            "status": "LOGGED_MODEL_PENDING",
            "model_type": "",
            "source_run_id": "",
            "tags": tags,
        },
        "data": {"params": params},
    }
    assert all(type(info[name]) is int for name in times)
    assert await model(api, model_id) == created
    assert (await api.ok(f"/ajax-api/2.0/mlflow/{MODELS}/{model_id}"))["model"] == created
    run_id = await api.run()
    point = {"key": "m", "value": "NaN", "timestamp": 1, "model_id": model_id}
    data = {"dataset_name": "d", "dataset_digest": "x"}
    await api.ok("runs/log-batch", {"run_id": run_id, "metrics": [point, {**point, **data, "value": 2}]})
    common = {"key": "m", "timestamp": 1, "step": 0, "model_id": model_id, "run_id": run_id}
    metrics = (await model(api, model_id))["data"]["metrics"]
    assert sorted(metrics, key=len) == [{**common, "value": "NaN"}, {**common, **data, "value": 2.0}]


async def test_bodies_of_odd_clients(api: Api) -> None:
    twice = json.dumps(json.dumps({"experiment_id": "0", "name": "twice", "unknown": 1})).encode()
    response = await api.post(MODELS, raw=twice)
    assert response.json()["model"]["info"]["name"] == "twice"
    run_id, model_id = await api.run(), await made(api)
    body = {"runUuid": run_id, "key": "m", "value": "1.5", "timestamp": "1", "modelId": model_id}
    await api.ok("runs/log-metric", body)
    assert (await model(api, model_id))["data"]["metrics"][0]["value"] == 1.5


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"name": ""}, "Invalid model name ('')"),
        ({"name": "a/b"}, "Invalid model name ('a/b')"),
        ({"name": "x" * 501}, "'name' exceeds the maximum length of 500"),
        ({"name": "a\0b"}, "NUL"),
        ({"model_type": "x" * 501}, "'model_type' exceeds"),
        ({"source_run_id": "x" * 257}, "'source_run_id' exceeds"),
        ({"params": [{"value": "1"}]}, "Missing value for required parameter 'params[0].key'"),
        ({"params": [{"key": "a"}, {"key": "a", "value": "1"}]}, "given twice, with different values"),
        ({"params": [{"key": "x" * 256}]}, "'params[0].key' exceeds the maximum length of 255"),
        ({"params": [{"key": str(i)} for i in range(1001)]}, "1000 params at most"),
        ({"tags": [{"key": "a", "value": "x" * 500_001}]}, "'tags[0].value' exceeds"),
        ({"tags": [{"key": "a", "value": "\ud800"}]}, "surrogate"),
        ({"experiment_id": "abc"}, "Invalid experiment ID 'abc'"),
        ({"experiment_id": ""}, "Missing value for required parameter 'experiment_id'"),
    ],
)
async def test_models_that_are_refused(api: Api, fields: dict[str, Any], match: str) -> None:
    status, code, message = await api.refused(MODELS, {"experiment_id": "0", "name": "n", **fields})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert match in message
    assert await found(api) == []


async def test_values_are_kept_whole_up_to_their_limits(api: Api) -> None:
    key, value = "é" * 255, "\u6f22" * 500_000
    model_id = await made(api, params=[{"key": key, "value": value}], tags=[{"key": key, "value": value}])
    answer = await model(api, model_id)
    assert answer["data"]["params"] == answer["info"]["tags"] == [{"key": key, "value": value}]
    assert await found(api, filter=f"params.`{key}` = '{'x' * 2000}'") == []


async def test_unknown_experiments_and_models(api: Api) -> None:
    assert (await api.refused(MODELS, {"experiment_id": "77"}))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    gone = "Logged model with ID 'm-no' not found."
    for method, path, body in (
        ("GET", "m-no", None),
        ("PATCH", "m-no", {"status": 2}),
        ("DELETE", "m-no", None),
        ("POST", "m-no/params", {"params": []}),
        ("PATCH", "m-no/tags", {"tags": [{"key": "a"}]}),
        ("DELETE", "m-no/tags/a", None),
    ):
        response = await call(api, method, f"{MODELS}/{path}", body)
        assert refusal(response) == (404, "RESOURCE_DOES_NOT_EXIST", gone), (method, path)


async def test_status(api: Api) -> None:
    model_id = await made(api)
    for status, expected in (
        ("LOGGED_MODEL_READY", "LOGGED_MODEL_READY"),
        (3, "LOGGED_MODEL_UPLOAD_FAILED"),
        ("1", "LOGGED_MODEL_PENDING"),
    ):
        answer = await call(api, "PATCH", f"{MODELS}/{model_id}", {"model_id": model_id, "status": status})
        assert answer.json()["model"]["info"]["status"] == expected
        assert (await model(api, model_id))["info"]["status"] == expected
    for status in ("READY", 7, ""):
        refused = refusal(await call(api, "PATCH", f"{MODELS}/{model_id}", {"status": status}))
        assert refused[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_tags_and_params(api: Api) -> None:
    model_id = await made(api, tags=[{"key": "a", "value": "1"}], params=[{"key": "p", "value": "1"}])
    tags = [{"key": "a", "value": "2"}, {"key": "a/b?c", "value": "3"}, {"key": "a", "value": "4"}]
    assert (await call(api, "PATCH", f"{MODELS}/{model_id}/tags", {"tags": tags})).json() == {}
    assert (await model(api, model_id))["info"]["tags"] == [{"key": "a", "value": "4"}, {"key": "a/b?c", "value": "3"}]
    assert (await call(api, "DELETE", f"{MODELS}/{model_id}/tags/a")).json() == {}
    answer = await call(api, "DELETE", f"{MODELS}/{model_id}/tags/a")
    assert refusal(answer)[::2] == (404, f"No tag with key 'a' found for model with ID '{model_id}'.")
    params = f"{MODELS}/{model_id}/params"
    for value in ("1", "1"):
        await api.ok(params, {"params": [{"key": "p", "value": value}, {"key": "q", "value": value}]})
    code, message = (await api.refused(params, {"params": [{"key": "r"}, {"key": "q", "value": "2"}]}))[1:]
    assert code == "INVALID_PARAMETER_VALUE"
    assert message.startswith(
        "Changing param values is not allowed. Param with key='q' was already logged with value='1'"
    )
    assert [entry["key"] for entry in (await model(api, model_id))["data"]["params"]] == ["p", "q"]


async def test_a_deleted_model_is_there_for_who_asks_for_it(api: Api) -> None:
    model_id = await made(api, name="gone")
    before = await model(api, model_id)
    assert (await call(api, "DELETE", f"{MODELS}/{model_id}", {"model_id": model_id})).json() == {}
    assert (await api.refused(f"{MODELS}/{model_id}"))[0] == 404
    assert (await api.refused(f"{MODELS}/{model_id}", allow_deleted="no"))[0] == 404
    kept = (await api.ok(f"{MODELS}/{model_id}", allow_deleted="true"))["model"]
    assert kept["info"]["name"] == "gone"
    assert kept["info"]["last_updated_timestamp_ms"] >= before["info"]["last_updated_timestamp_ms"]
    assert await found(api) == []
    # As in MLflow, what a training still sends is taken.
    assert (await call(api, "PATCH", f"{MODELS}/{model_id}", {"status": 2})).status_code == 200
    run_id = await api.run()
    await api.ok("runs/log-metric", {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "model_id": model_id})
    assert (await call(api, "DELETE", f"{MODELS}/{model_id}")).status_code == 200


async def test_points_of_a_model_that_are_refused_leave_nothing(api: Api) -> None:
    run_id, model_id = await api.run(), await made(api)
    point = {"key": "m", "value": 1, "timestamp": 1, "model_id": model_id}
    for wrong, match in (
        ({"dataset_name": "d"}, "Both dataset_name and dataset_digest must be provided"),
        ({"dataset_digest": "d"}, "Both dataset_name and dataset_digest must be provided"),
        ({"dataset_name": "d" * 501, "dataset_digest": "d"}, "'dataset_name' exceeds"),
        ({"dataset_name": "d", "dataset_digest": "d" * 37}, "'dataset_digest' exceeds"),
        ({"model_id": "m-no"}, "Logged model with ID 'm-no' not found."),
        ({"key": "a//b"}, "Names may be treated as files"),
    ):
        refusals = [
            await api.refused("runs/log-metric", {"run_id": run_id, **point, **wrong}),
            await api.refused("runs/log-batch", {"run_id": run_id, "metrics": [point, {**point, **wrong}]}),
        ]
        assert all(match in message for _, _, message in refusals)
    assert "metrics" not in (await model(api, model_id))["data"]
    assert "metrics" not in await api.data(run_id)
    await api.ok("runs/delete", {"run_id": run_id})
    assert "must be in the 'active' state" in (await api.refused("runs/log-metric", {"run_id": run_id, **point}))[2]
    assert "metrics" not in (await model(api, model_id))["data"]


async def test_what_a_search_takes(api: Api) -> None:
    for name in ("a", "b", "c"):
        await made(api, name=name, params=[{"key": "depth", "value": name}])
    assert await found(api) == ["a", "b", "c"]
    assert await found(api, experiment_ids=[]) == []
    assert await found(api, experiment_ids=["0", "77", "9" * 30]) == ["a", "b", "c"]
    assert await found(api, max_results="2") == ["a", "b"]
    assert await found(api, max_results=0) == ["a", "b", "c"]
    assert await found(api, filter="depth = 'a'") == ["a"]
    assert await found(api, filter="params.depth is not null and name between 'a' and 'b'") == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ({"experiment_ids": None}, "Missing value for required parameter 'experiment_ids'"),
        ({"experiment_ids": "0"}, "Invalid value \"0\" for parameter 'experiment_ids'"),
        ({"experiment_ids": ["x"]}, "Invalid experiment ID 'x'"),
        ({"filter": "Foo"}, "Invalid filter string: 'Foo'"),
        ({"filter": "not name = 'a'"}, "Invalid filter string"),
        ({"filter": "name ="}, "Invalid filter string"),
        ({"filter": "(" * 60}, "Invalid filter string"),
        ({"filter": "foo.bar = 'a'"}, "Invalid entity type: 'foo'"),
        ({"filter": "datasets.name = 'a'"}, "Invalid entity type: 'datasets'"),
        ({"filter": "name > 'a'"}, "Invalid comparison operator for attributes.name: '>'"),
        ({"filter": "metrics.a LIKE 0"}, "Invalid comparison operator for metrics.a: 'LIKE'"),
        ({"filter": "created LIKE '0'"}, "Invalid comparison operator"),
        ({"filter": "max(metrics.a) > 1"}, "not searched by max(…)"),
        ({"datasets": [{}]}, "`dataset_name` in the `datasets` clause must be specified"),
        ({"datasets": [{"dataset_name": "a"}] * 101}, "100 datasets at most"),
        ({"order_by": [{}]}, "Invalid order by field name"),
        ({"order_by": [{"field_name": "metrics."}]}, "Invalid order by field name"),
        ({"order_by": [{"field_name": "params.x"}]}, "Invalid order by field name: params.x"),
        ({"order_by": [{"field_name": "name", "ascending": "x"}]}, "order_by[0].ascending"),
        ({"order_by": [{"field_name": "name"}] * 21}, "at most 20"),
        ({"max_results": -1}, "must be a positive integer"),
        ({"max_results": 50_001}, "at most 50000"),
        ({"page_token": "bogus"}, "Invalid page token"),
    ],
)
async def test_what_a_search_refuses(api: Api, body: dict[str, Any], match: str) -> None:
    status, code, message = await api.refused(f"{MODELS}/search", {"experiment_ids": ["0"], **body})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert match in message


async def test_the_legacy_history_of_models(api: Api) -> None:
    run_id = await api.run()
    flavors = {"python_function": {"loader": "x", "config": {"secret": 1}}, "plain": "text"}
    described = {"run_id": run_id, "artifact_path": "model", "utc_time_created": "now", "flavors": flavors, "more": 1}
    for _ in range(2):
        await api.ok("runs/log-model", {"run_id": run_id, "model_json": json.dumps(described)})
    (entry, again) = json.loads((await api.data(run_id))["tags"]["mlflow.log-model.history"])
    assert entry == again
    assert entry == {
        "run_id": run_id,
        "artifact_path": "model",
        "utc_time_created": "now",
        "model_uuid": None,
        "flavors": {"python_function": {"loader": "x"}, "plain": "text"},
    }


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "Malformed model info"),
        ("[]", "Malformed model info"),
        ("[" * 100_000, "Malformed model info"),
        ("{}", "Model json is missing mandatory fields: {'artifact_path', 'flavors', 'run_id', 'utc_time_created'}"),
        ('{"artifact_path": 1, "flavors": 2, "run_id": 3, "utc_time_created": 4}', "'flavors' must be a JSON object"),
        ("", "Missing value for required parameter 'model_json'"),
    ],
)
async def test_descriptions_of_models_that_are_refused(api: Api, text: str, match: str) -> None:
    run_id = await api.run()
    status, code, message = await api.refused("runs/log-model", {"run_id": run_id, "model_json": text})
    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert match in message


async def test_a_history_that_is_no_list_is_left_alone(api: Api) -> None:
    run_id = await api.run(tags=[{"key": "mlflow.log-model.history", "value": "mine"}])
    described = json.dumps({"artifact_path": "", "flavors": {}, "run_id": "", "utc_time_created": ""})
    assert "no JSON list" in (await api.refused("runs/log-model", {"run_id": run_id, "model_json": described}))[2]
    assert (await api.data(run_id))["tags"]["mlflow.log-model.history"] == "mine"
