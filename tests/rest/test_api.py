"""What holds for every endpoint: policies, errors, the OpenAPI description, and what is not there."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from minleaf_server import errors, rest
from minleaf_server.rest import messages, replies
from minleaf_server.rest.endpoint import RawEndpoint
from minleaf_server.rest.errors import STATUS, rendered
from minleaf_server.web.policy import Access, policy_of
from tests.rest.conftest import Api, refusal

READING_POSTS = ("/search", "/search-datasets", "/get-latest-versions", "/presigned-download-url", "/graphql")


def test_every_endpoint_has_a_policy_and_writing_needs_more_than_reading() -> None:
    for endpoint in rest.ENDPOINTS:
        policy = policy_of(endpoint)
        if endpoint.method == "GET" or endpoint.path.endswith(READING_POSTS):
            # What is told of permissions and webhooks is not for everyone who may read runs.
            assert policy in (Access.READ, Access.MANAGE, Access.ADMIN), endpoint.path
        else:
            assert policy in (Access.LOG, Access.EDIT, Access.MANAGE, Access.ADMIN), endpoint.path


def test_every_error_has_a_status() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.MinleafError)]
    assert {kind.code for kind in kinds} <= set(STATUS)


def test_an_unavailable_server_says_when_to_come_again() -> None:
    assert rendered(errors.Unavailable("busy", 7)) == (
        503,
        b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "busy"}',
        [(b"retry-after", b"7")],
    )


@pytest.mark.parametrize("text", ["<script>", "\ud800", "é", "</script>\x00", '"\\'])
def test_any_text_makes_an_error_of_plain_ascii(text: str) -> None:
    _, body, _ = rendered(errors.InvalidParameter(text))
    assert body.isascii()
    assert json.loads(body)["message"] == text


@pytest.mark.parametrize(
    ("method", "path", "feature"),
    [
        ("GET", "/api/3.0/mlflow/datasets/d-1", "Evaluation datasets"),
        ("POST", "/api/3.0/mlflow/traces", "Traces"),
        ("GET", "/api/2.0/mlflow/traces/tr-1/info", "Traces"),
        ("GET", "/api/2.0/mlflow/unified-traces", "Traces"),
        ("POST", "/v1/traces", "Traces"),
        ("GET", "/api/3.0/mlflow/scorers/get", "Evaluation and review of traces"),
        ("GET", "/api/3.0/mlflow/gateway/endpoints/list", "The AI gateway"),
        ("GET", "/api/3.0/mlflow/workspaces", "Workspaces"),
    ],
)
async def test_features_that_are_not_there_yet(api: Api, method: str, path: str, feature: str) -> None:
    status, code, message = refusal(await api.client.request(method, path, json={} if method != "GET" else None))
    assert (status, code) == (501, "NOT_IMPLEMENTED")
    assert message.startswith(f"{feature}: this feature of MLflow")


@pytest.mark.parametrize(
    "path", ["/api/2.0/mlflow/nope", "/api/", "/ajax-api/2.0/mlflow/runs", "/api/2.0/mlflow/runs/create/"]
)
async def test_paths_that_nobody_has(api: Api, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert refusal(await api.client.request(method, path))[:2] == (404, "ENDPOINT_NOT_FOUND")


async def test_another_method(api: Api) -> None:
    response = await api.client.put("/api/2.0/mlflow/experiments/search", json={})
    assert refusal(response)[:2] == (405, "ENDPOINT_NOT_FOUND")
    assert response.headers["allow"] == "POST, GET"


async def test_server_info(api: Api) -> None:
    info = await api.ok("/api/3.0/mlflow/server-info")
    assert info["store_type"] == "SqlStore"
    there = {"store_type", "features_enabled", *(f"presigned_upload_{kind}_id_supported" for kind in ("run", "model"))}
    assert not any(value for key, value in info.items() if key not in there)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "';drop table run;--", "{{7*7}}"])
async def test_what_a_request_holds_is_told_as_json_only(api: Api, text: str) -> None:
    for response in (
        await api.post(f"/api/2.0/mlflow/{text}", {}),
        await api.get("runs/get", run_id=text),
        await api.post("runs/create", {"experiment_id": text}),
        await api.post("runs/create", {}, content_type=text),
        await api.post("runs/create", raw=text.encode()),
    ):
        refusal(response)


def openapi() -> dict[str, Any]:
    paths, schemas = rest.described()
    return {"paths": paths, "components": {"schemas": schemas}}


def test_the_description_holds_every_endpoint_with_its_messages() -> None:
    schema = openapi()
    for endpoint in rest.ENDPOINTS:
        if isinstance(endpoint, RawEndpoint):  # Its bodies are files, which no schema describes.
            continue
        path = re.sub(r":\w+}", "}", endpoint.path)
        operation = schema["paths"][f"/api{path}"][endpoint.method.lower()]
        assert operation["summary"]
        assert operation["x-access"]
        content = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        assert content == f"#/components/schemas/{endpoint.reply.__name__}"
        assert {"400", "404", "500", "503"} <= set(operation["responses"])
        if endpoint.method == "POST":
            body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert body == f"#/components/schemas/{endpoint.request.__name__}"


def test_the_description_has_no_loose_ends() -> None:
    schema = openapi()
    text = json.dumps(schema)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(schema["components"]["schemas"])
    operations = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(operations) == len(set(operations))


def test_the_description_says_what_is_required() -> None:
    schema = openapi()
    assert schema["components"]["schemas"]["LogMetric"]["required"] == ["run_id", "key", "value", "timestamp"]
    parameters = schema["paths"]["/api/2.0/mlflow/metrics/get-history"]["get"]["parameters"]
    assert {one["name"]: one["required"] for one in parameters} == {
        "run_id": True,
        "metric_key": True,
        "page_token": False,
        "max_results": False,
        "run_uuid": False,
    }


def test_no_two_messages_share_a_name_in_the_description() -> None:
    kinds = [kind for module in (messages, replies) for kind in vars(module).values() if isinstance(kind, type)]
    structs = {kind for kind in kinds if issubclass(kind, msgspec.Struct)}
    assert len({kind.__name__ for kind in structs}) == len(structs)
    assert not any("." in name for name in openapi()["components"]["schemas"])


def test_the_compatibility_page_names_every_endpoint() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
    for endpoint in rest.ENDPOINTS:
        assert endpoint.path.removeprefix("/2.0/mlflow/").removeprefix("/3.0/mlflow/") in page
