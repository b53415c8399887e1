"""The registry through the wire: shapes, missing and odd fields, and where a source may lead."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from tests.rest.conftest import API, Api, refusal
from tests.support.services import services_over

INVALID = "INVALID_PARAMETER_VALUE"
MISSING = "RESOURCE_DOES_NOT_EXIST"
REMOTE = {"name": "m", "source": "s3://bucket/model"}
PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}


async def send(api: Api, method: str, path: str, body: object) -> Any:
    """The answer to a call with a body that must succeed."""
    response = await api.client.request(method, f"{API}/{path}", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def denied(api: Api, method: str, path: str, body: object) -> tuple[int, str, str]:
    return refusal(await api.client.request(method, f"{API}/{path}", json=body))


@pytest.fixture
async def model(api: Api) -> str:
    """The registered model `m`."""
    made = await api.ok("registered-models/create", {"name": "m"})
    assert set(made["registered_model"]) == {"name", "creation_timestamp", "last_updated_timestamp"}
    return "m"


async def test_what_a_version_looks_like(api: Api, model: str) -> None:
    made = (await api.ok("model-versions/create", REMOTE))["model_version"]
    times = {made.pop("creation_timestamp"), made.pop("last_updated_timestamp")}
    assert {type(time) for time in times} == {int}
    assert made == {
        "name": "m",
        "version": "1",
        "current_stage": "None",
        "description": "",
        "source": "s3://bucket/model",
        "run_id": "",
        "run_link": "",
        "status": "READY",
    }
    changed = await send(api, "PATCH", "model-versions/update", {"name": "m", "version": "1"})
    assert "description" not in changed["model_version"]
    assert await api.ok("model-versions/get-download-uri", name="m", version="1") == {
        "artifact_uri": "s3://bucket/model"
    }


async def test_what_a_model_looks_like(api: Api, model: str) -> None:
    await api.ok("model-versions/create", {**REMOTE, "tags": [{"key": "empty"}]})
    assert await api.ok("registered-models/alias", {"name": "m", "alias": "a", "version": "1"}) == {}
    await api.ok("registered-models/set-tag", {"name": "m", "key": "k"})
    found = (await api.ok("registered-models/get", name="m"))["registered_model"]
    assert found["aliases"] == [{"alias": "a", "version": "1"}]
    assert found["tags"] == [{"key": "k", "value": ""}]
    (latest,) = found["latest_versions"]
    assert latest["tags"] == [{"key": "empty", "value": ""}]
    assert latest["aliases"] == ["a"]
    by_alias = await api.ok("registered-models/alias", name="m", alias="latest")
    assert by_alias["model_version"] == latest
    for how in (api.ok("registered-models/get-latest-versions", name="m", stages=["None", "Staging"]),):
        assert (await how)["model_versions"] == [latest]
    by_post = await api.ok("registered-models/get-latest-versions", {"name": "m", "stages": ["Staging"]})
    assert by_post == {}


async def test_deleting_with_a_body_and_with_a_query(api: Api, model: str) -> None:
    for _ in range(2):
        await api.ok("model-versions/create", REMOTE)
    assert await send(api, "DELETE", "model-versions/delete", {"name": "m", "version": "1"}) == {}
    response = await api.client.delete(f"{API}/model-versions/delete", params={"name": "m", "version": "2"})
    assert response.json() == {}
    assert await api.ok("model-versions/search") == {}
    assert await send(api, "DELETE", "registered-models/delete", {"name": "m"}) == {}
    assert await api.ok("registered-models/search") == {}


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("POST", "registered-models/create", {"name": "n"}),
        ("POST", "registered-models/rename", {"name": "m", "new_name": "n"}),
        ("PATCH", "registered-models/update", {"name": "m"}),
        ("DELETE", "registered-models/delete", {"name": "m"}),
        ("POST", "registered-models/get-latest-versions", {"name": "m"}),
        ("POST", "registered-models/set-tag", {"name": "m", "key": "k"}),
        ("DELETE", "registered-models/delete-tag", {"name": "m", "key": "k"}),
        ("POST", "registered-models/alias", {"name": "m", "alias": "a", "version": "1"}),
        ("DELETE", "registered-models/alias", {"name": "m", "alias": "a"}),
        ("POST", "model-versions/create", REMOTE),
        ("PATCH", "model-versions/update", {"name": "m", "version": "1"}),
        ("POST", "model-versions/transition-stage", {"name": "m", "version": "1", "stage": "None"}),
        ("POST", "model-versions/set-tag", {"name": "m", "version": "1", "key": "k"}),
        ("DELETE", "model-versions/delete-tag", {"name": "m", "version": "1", "key": "k"}),
        ("DELETE", "model-versions/delete", {"name": "m", "version": "1"}),
    ],
)
async def test_what_is_required(api: Api, model: str, method: str, path: str, fields: dict[str, str]) -> None:
    for name in fields:
        for value in ("", None):
            status, code, text = await denied(api, method, path, {**fields, name: value})
            assert (status, code) == (400, INVALID)
            assert f"Missing value for required parameter '{name}'" in text
        status, code, text = await denied(api, method, path, {**fields, name: {"no": "text"}})
        assert (status, code) == (400, INVALID)
        assert f"for parameter '{name}' supplied" in text
    if path != "registered-models/create":
        status, code, text = await denied(api, method, path, {**fields, "name": "nobody"})
        assert (status, code) == (404, MISSING)
        assert "name=nobody" in text


async def test_odd_values_are_refused(api: Api, model: str) -> None:
    await api.ok("model-versions/create", REMOTE)
    for path, body, text in (
        ("model-versions/transition-stage", {"stage": "x" * 400}, "Invalid Model Version stage: xxx"),
        ("model-versions/transition-stage", {"stage": "None", "archive_existing_versions": "x"}, "of type 'str'"),
        (
            "model-versions/transition-stage",
            {"stage": "None", "archive_existing_versions": True},
            "not an Active stage",
        ),
        ("model-versions/set-tag", {"key": "k", "value": "a\x00"}, "NUL"),
        ("model-versions/set-tag", {"key": "../k"}, "parameter 'key'"),
        ("registered-models/alias", {"alias": "a/b"}, "Invalid alias name"),
        ("registered-models/alias", {"alias": "a", "version": "x"}, "must be an integer, got 'x'"),
    ):
        status, code, message = await api.refused(path, {"name": "m", "version": "1", **body})
        assert (status, code) == (400, INVALID)
        assert text in message
    for text in ("0", "-1", "9" * 30):
        status, code, message = await api.refused("model-versions/get", name="m", version=text)
        assert (status, code) == (404, MISSING)
        assert f"Model Version (name=m, version={text}) not found" in message


async def test_nothing_changes_where_a_version_is_refused(api: Api, model: str) -> None:
    before = await api.ok("registered-models/get", name="m")
    await api.refused("model-versions/create", {**REMOTE, "tags": [{"key": "ok", "value": "1"}, {"key": "a//b"}]})
    await api.refused("model-versions/create", {"name": "m", "source": "/etc/passwd"})
    assert await api.ok("registered-models/get", name="m") == before
    assert (await api.ok("model-versions/create", REMOTE))["model_version"]["version"] == "1"


async def test_prompts_have_no_other_source_than_the_clients(api: Api) -> None:
    await api.ok("registered-models/create", {"name": "p", "tags": [PROMPT]})
    for source in ("dummy-source", "prompt-template"):
        made = await api.ok("model-versions/create", {"name": "p", "source": source, "tags": [PROMPT]})
        assert made["model_version"]["source"] == source
    for source in (
        "/etc",
        "file:///etc",
        "file://localhost/etc",
        "//proc/self/root/etc",
        "mlflow-artifacts:/../../etc",
        "mlflow-artifacts://h/..%2f..%2f",
        "runs:/x/../../y",
        "\\..\\..\\x",
        "s3://b/x",
        "models:/m-1",
        "dummy-source/../x",
    ):
        status, code, text = await api.refused(
            "model-versions/create", {"name": "p", "source": source, "tags": [PROMPT]}
        )
        assert (status, code) == (400, INVALID)
        assert "Invalid prompt source" in text
    # Only the value counts, and of a tag given twice the last.
    for tags in ([{**PROMPT, "value": "false"}], [PROMPT, {**PROMPT, "value": ""}]):
        _, _, text = await api.refused("model-versions/create", {"name": "p", "source": "dummy-source", "tags": tags})
        assert "To use a local path as a model version source" in text


async def test_a_prompt_is_no_source(api: Api, model: str) -> None:
    await api.ok("registered-models/create", {"name": "p", "tags": [PROMPT]})
    await api.ok("model-versions/create", {"name": "p", "source": "dummy-source", "tags": [PROMPT]})
    _, code, text = await api.refused("model-versions/create", {"name": "m", "source": "models:/p/1"})
    assert code == INVALID
    assert "Prompt versions cannot be used as model version sources" in text


async def test_sources_in_a_run(api: Api, model: str) -> None:
    experiment = (await api.ok("experiments/create", {"name": "e"}))["experiment_id"]
    run, other = await api.run(experiment), await api.run(experiment)
    inside = f"mlflow-artifacts:/{experiment}/{run}/artifacts/model"
    beside = f"mlflow-artifacts:/{experiment}/models/m-1/artifacts"
    taken = [
        {"source": inside, "run_id": run},
        {"source": beside, "run_id": run},
        {"source": inside},
        {"source": f"runs:/{run}/model", "run_id": run},
        {"source": f"runs:/{run}/model"},
        {"source": "runs:/nobody/model", "run_id": "another"},
        {"source": "mlflow-artifacts:/models", "run_id": run},
        {"source": "mlflow-artifacts://host:9000/models/artifact/..../", "run_id": run},
        {"source": "https://host/model", "run_id": run},
    ]
    for fields in taken:
        made = await api.ok("model-versions/create", {"name": "m", **fields})
        assert made["model_version"]["source"] == fields["source"]
        assert made["model_version"]["run_id"] == fields.get("run_id", "")
    refused = [
        {"source": inside, "run_id": other},
        {"source": inside, "run_id": "nobody"},
        {"source": inside.replace("mlflow-artifacts:/", "mlflow-artifacts://localhost:5000/"), "run_id": other},
        {"source": f"http://x/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts", "run_id": other},
        {"source": f"http://x/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts"},
        {"source": inside.replace("/artifacts/model", ""), "run_id": run},
        {"source": f"mlflow-artifacts:/{experiment}", "run_id": run},
        {"source": f"runs:/{run}/model", "run_id": other},
        {"source": f"mlflow-artifacts:/0/{run}/artifacts/model", "run_id": run},
    ]
    for fields in refused:
        status, code, text = await api.refused("model-versions/create", {"name": "m", **fields})
        assert (status, code) == (400, INVALID), fields
        assert "The run_id request parameter must identify the resource that contains the source" in text


async def test_a_version_made_from_another(api: Api, model: str) -> None:
    await api.ok("model-versions/create", {**REMOTE, "run_id": "r"})
    await api.ok("registered-models/alias", {"name": "m", "alias": "a", "version": "1"})
    await api.ok("registered-models/create", {"name": "copy"})
    for source in ("models:/m/1", "models:/m@a", "models:/m/latest", "models:/m/None"):
        made = (await api.ok("model-versions/create", {"name": "copy", "source": source}))["model_version"]
        assert (made["source"], made["run_id"]) == ("models:/m/1", "r")
        found = await api.ok("model-versions/get-download-uri", name="copy", version=made["version"])
        assert found == {"artifact_uri": "s3://bucket/model"}
    for source, status in {
        "models:/nobody/1": 404,
        "models:/m/2": 404,
        "models:/m@x": 400,
        "models:/m/Staging": 404,
        "models:/m/bogus": 400,
    }.items():
        assert (await api.refused("model-versions/create", {"name": "copy", "source": source}))[0] == status
    _, _, text = await api.refused("model-versions/create", {"name": "copy", "source": "models:/m/1", "run_id": "x"})
    assert "must match the referenced model version" in text


async def test_sources_in_a_logged_model(api: Api, model: str) -> None:
    run = await api.run()
    made = (await api.ok("logged-models", {"experiment_id": "0", "source_run_id": run}))["model"]["info"]
    other = (await api.ok("logged-models", {"experiment_id": "0"}))["model"]["info"]
    model_id, location = made["model_id"], made["artifact_uri"]
    for source in (location, f"{location}/part", f"models:/{model_id}", "s3://elsewhere/x"):
        version = (await api.ok("model-versions/create", {"name": "m", "source": source, "model_id": model_id}))[
            "model_version"
        ]
        assert (version["source"], version["run_id"]) == (source, run)
    by_address = (await api.ok("model-versions/create", {"name": "m", "source": f"models:/{model_id}"}))[
        "model_version"
    ]
    assert by_address["run_id"] == run
    uri = await api.ok("model-versions/get-download-uri", name="m", version=by_address["version"])
    assert uri == {"artifact_uri": location}
    tags = (await api.ok(f"logged-models/{model_id}"))["model"]["info"]["tags"]
    (listed,) = (tag["value"] for tag in tags if tag["key"] == "mlflow.modelVersions")
    assert listed == '[{"name": "m", "version": 1}, {"name": "m", "version": 2}, ' + (
        '{"name": "m", "version": 3}, {"name": "m", "version": 4}]'
    )
    for fields, status in (
        ({"source": location, "model_id": other["model_id"]}, 400),
        ({"source": f"models:/{model_id}", "model_id": other["model_id"]}, 400),
        ({"source": f"runs:/{run}/x", "model_id": model_id, "run_id": "another"}, 400),
        ({"source": "file:///path/to/model", "model_id": model_id}, 400),
        ({"source": "models:/m-nobody"}, 404),
        ({"source": "s3://b/x", "model_id": "m-nobody"}, 404),
    ):
        assert (await api.refused("model-versions/create", {"name": "m", **fields}))[0] == status


@pytest.fixture
async def local_api(database_uri: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API where artifacts lie in a folder that clients know of."""
    store = Store.open(database_uri, (tmp_path / "artifacts").as_uri())
    transport = httpx.ASGITransport(application(services_over(store)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as client:
        yield Api(client)
    store.close()


async def test_local_paths_only_in_the_run_that_is_named(local_api: Api, tmp_path: Path) -> None:
    await local_api.ok("registered-models/create", {"name": "m"})
    run, other = await local_api.run(), await local_api.run()
    uri = (await local_api.ok("runs/get", run_id=run))["run"]["info"]["artifact_uri"]
    assert uri.startswith("file:///")
    path = uri.removeprefix("file://")
    for source in (uri, path, f"{uri}/model", f"{uri}/.", f"{uri}/model/..", f"file://localhost{path}"):
        await local_api.ok("model-versions/create", {"name": "m", "source": source, "run_id": run})
        for fields in ({}, {"run_id": other}, {"run_id": "nobody"}):
            status, code, text = await local_api.refused(
                "model-versions/create", {"name": "m", "source": source, **fields}
            )
            assert (status, code) == (400, INVALID)
            assert "To use a local path as a model version" in text
            assert str(tmp_path) not in text.replace(source, "")
    for source in (
        "/tmp",
        "file:///tmp",
        f"{uri}/../x",
        f"{path}/model/../../x",
        f"{uri}/%2e%2e/artifacts",
        f"{path}2",
        f"file://host{path}",
        f"/{path}",
        "model",
        f"{uri}#x",
    ):
        status, code, text = await local_api.refused(
            "model-versions/create", {"name": "m", "source": source, "run_id": run}
        )
        assert (status, code) == (400, INVALID), source
        assert "Invalid model version source" in text


async def test_a_server_may_take_some_sources_only(store: Store) -> None:
    services = services_over(store, Settings(model_version_sources="^mlflow-artifacts:/"))
    transport = httpx.ASGITransport(application(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as client:
        api = Api(client)
        await api.ok("registered-models/create", {"name": "m"})
        status, code, text = await api.refused("model-versions/create", REMOTE)
        assert (status, code) == (400, INVALID)
        assert text.startswith("Invalid model version source: 's3://bucket/model'")
        assert "model_version_sources" in text
        uri = (await api.ok("runs/get", run_id=await api.run()))["run"]["info"]["artifact_uri"]
        assert uri.startswith("mlflow-artifacts:/")
        await api.ok("model-versions/create", {"name": "m", "source": f"{uri}/model"})
        too_long = {"name": "m", "source": "x" * 10_000}
        assert "at most 8192" in (await api.refused("model-versions/create", too_long))[2]


async def test_searches_hide_prompts_and_page(api: Api, model: str) -> None:
    await api.ok("registered-models/create", {"name": "p", "tags": [PROMPT]})
    await api.ok("registered-models/create", {"name": "n"})
    found = await api.ok("registered-models/search", max_results=1)
    assert [one["name"] for one in found["registered_models"]] == ["m"]
    rest = await api.ok("registered-models/search", max_results=5, page_token=found["next_page_token"])
    assert [one["name"] for one in rest["registered_models"]] == ["n"]
    assert "next_page_token" not in rest
    asked = await api.ok("registered-models/search", filter="tags.`mlflow.prompt.is_prompt` = 'true'")
    assert [one["name"] for one in asked["registered_models"]] == ["p"]
    descending = await api.ok("registered-models/search", order_by=["timestamp DESC", "name"])
    assert [one["name"] for one in descending["registered_models"]] == ["n", "m"]


@pytest.mark.parametrize("path", ["registered-models/search", "model-versions/search"])
async def test_page_sizes(api: Api, path: str) -> None:
    most = 1000 if path.startswith("registered") else 200_000
    await api.ok(path, max_results=most)
    for text in ("0", "-1", str(most + 1), str(2**40), "x", "1.5", str(10**30)):
        status, code, message = await api.refused(path, max_results=text)
        assert (status, code) == (400, INVALID)
        assert "max_results" in message
