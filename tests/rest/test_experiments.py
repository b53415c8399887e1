"""The endpoints of experiments."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from minleaf_server.app.assembly import application
from minleaf_server.config import load
from minleaf_server.db.store import Store
from tests.rest.conftest import Api
from tests.support.services import services_over


async def test_the_default_experiment_is_there(api: Api) -> None:
    found = (await api.ok("experiments/get", experiment_id="0"))["experiment"]
    assert (found["experiment_id"], found["name"], found["lifecycle_stage"]) == ("0", "Default", "active")
    assert found["artifact_location"] == "mlflow-artifacts:/0"
    assert "tags" not in found


async def test_create_and_get(api: Api) -> None:
    made = await api.ok("experiments/create", {"name": "é/1", "tags": [{"key": "k", "value": "v"}, {"key": "e"}]})
    by_id = await api.ok("experiments/get", experiment_id=made["experiment_id"])
    assert by_id == await api.ok("experiments/get-by-name", experiment_name="é/1")
    found = by_id["experiment"]
    assert found["tags"] == [{"key": "e", "value": ""}, {"key": "k", "value": "v"}]
    assert isinstance(found["creation_time"], int)
    assert found["last_update_time"] == found["creation_time"]


@pytest.mark.parametrize("name", ["", None, "x" * 501, 5, "a\x00b"])
async def test_names_that_are_refused(api: Api, name: Any) -> None:
    assert (await api.refused("experiments/create", {"name": name}))[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_a_taken_name(api: Api) -> None:
    made = await api.ok("experiments/create", {"name": "x" * 500})
    refused = await api.refused("experiments/create", {"name": "x" * 500})
    assert refused[:2] == (400, "RESOURCE_ALREADY_EXISTS")
    assert refused[2].startswith(f"Experiment(name={'x' * 500}) already exists")
    await api.ok("experiments/delete", {"experiment_id": made["experiment_id"]})
    assert (await api.refused("experiments/create", {"name": "x" * 500}))[:2] == (400, "RESOURCE_ALREADY_EXISTS")


@pytest.mark.parametrize(
    "location", ["/etc", "s3://other/x", "mlflow-artifacts:/../x", "mlflow-artifacts:/a#b", "runs:/x"]
)
async def test_artifacts_stay_in_the_store(api: Api, location: str) -> None:
    refused = await api.refused("experiments/create", {"name": "x", "artifact_location": location})
    assert refused[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert (await api.refused("experiments/get-by-name", experiment_name="x"))[0] == 404


async def test_an_artifact_location_in_the_store(api: Api) -> None:
    location = "mlflow-artifacts:/team/" + "x" * (2048 - len("mlflow-artifacts:/team/"))
    made = await api.ok("experiments/create", {"name": "x", "artifact_location": location})
    found = await api.ok("experiments/get", experiment_id=made["experiment_id"])
    assert found["experiment"]["artifact_location"] == location
    refused = await api.refused("experiments/create", {"name": "y", "artifact_location": location + "x"})
    assert refused[1] == "INVALID_PARAMETER_VALUE"


async def test_an_artifact_location_that_the_operator_allows(store: Store, tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path / "data"), "allow_artifact_location": str(tmp_path / "shared")}, {})
    transport = httpx.ASGITransport(application(services_over(store, settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as client:
        api = Api(client)
        for name, location in (("a", f"{tmp_path}/shared/x"), ("b", f"file://{tmp_path}/shared")):
            made = await api.ok("experiments/create", {"name": name, "artifact_location": location})
            found = await api.ok("experiments/get", experiment_id=made["experiment_id"])
            assert found["experiment"]["artifact_location"] == location
        refused = await api.refused("experiments/create", {"name": "c", "artifact_location": f"{tmp_path}/sharedx"})
        assert refused[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_a_relative_artifact_location_lies_in_the_folder_of_the_server(api: Api) -> None:
    for name, location, expected in (("a", "my_location", "my_location"), ("b", "./some location/", "some location")):
        made = await api.ok("experiments/create", {"name": name, "artifact_location": location})
        found = await api.ok("experiments/get", experiment_id=made["experiment_id"])
        assert found["experiment"]["artifact_location"] == str(Path.cwd() / expected)


async def test_what_does_not_exist(api: Api) -> None:
    missing = (404, "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=99 exists")
    assert await api.refused("experiments/get", experiment_id="99") == missing
    for path in ("delete", "restore"):
        assert await api.refused(f"experiments/{path}", {"experiment_id": "99"}) == missing
    assert await api.refused("experiments/update", {"experiment_id": "99", "new_name": "x"}) == missing
    by_name = await api.refused("experiments/get-by-name", experiment_name="no'ne")
    assert by_name == (404, "RESOURCE_DOES_NOT_EXIST", "Could not find experiment with name 'no'ne'")


@pytest.mark.parametrize("text", ["../x", "x" * 257, "abc", "1" + "0" * 30, "", " 1", "\uff11", "-1", "1.0", "\ud800"])
async def test_ids_that_no_experiment_has(api: Api, text: str) -> None:
    bodies = {
        "experiments/delete": {"experiment_id": text},
        "experiments/update": {"experiment_id": text, "new_name": "x"},
        "experiments/set-experiment-tag": {"experiment_id": text, "key": "k", "value": "v"},
        "experiments/delete-experiment-tag": {"experiment_id": text, "key": "k"},
    }
    if text:
        bodies["runs/create"] = {"experiment_id": text}
    for path, body in bodies.items():
        refused = await api.refused(path, body)
        assert refused[:2] in [(404, "RESOURCE_DOES_NOT_EXIST"), (400, "INVALID_PARAMETER_VALUE")]


async def test_rename(api: Api) -> None:
    made = (await api.ok("experiments/create", {"name": "old"}))["experiment_id"]
    assert await api.ok("experiments/update", {"experiment_id": made, "new_name": "new"}) == {}
    assert (await api.ok("experiments/get", experiment_id=made))["experiment"]["name"] == "new"
    refused = await api.refused("experiments/update", {"experiment_id": made, "new_name": "Default"})
    assert refused[:2] == (400, "RESOURCE_ALREADY_EXISTS")
    await api.ok("experiments/delete", {"experiment_id": made})
    refused = await api.refused("experiments/update", {"experiment_id": made, "new_name": "other"})
    assert refused == (400, "INVALID_STATE", "Cannot rename a non-active experiment.")


async def test_delete_and_restore_take_the_runs_along(api: Api) -> None:
    made = (await api.ok("experiments/create", {"name": "x"}))["experiment_id"]
    run_id = await api.run(made)
    await api.ok("experiments/delete", {"experiment_id": made})
    assert (await api.ok("experiments/get", experiment_id=made))["experiment"]["lifecycle_stage"] == "deleted"
    assert (await api.ok("runs/get", run_id=run_id))["run"]["info"]["lifecycle_stage"] == "deleted"
    state = f"The experiment {made} must be in the 'active' state. Current state is deleted."
    assert await api.refused("runs/create", {"experiment_id": made}) == (400, "INVALID_PARAMETER_VALUE", state)
    await api.ok("experiments/restore", {"experiment_id": made})
    assert (await api.ok("runs/get", run_id=run_id))["run"]["info"]["lifecycle_stage"] == "active"


async def test_tags(api: Api) -> None:
    tag = {"experiment_id": "0", "key": "note", "value": "x" * 20_000}
    assert await api.ok("experiments/set-experiment-tag", tag) == {}
    assert (await api.ok("experiments/get", experiment_id="0"))["experiment"]["tags"] == [
        {"key": "note", "value": "x" * 20_000}
    ]
    refused = await api.refused("experiments/set-experiment-tag", {**tag, "value": "x" * 20_001})
    assert refused[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert refused[2].startswith("'value' exceeds the maximum length of 20000 characters")
    await api.ok("experiments/delete-experiment-tag", {"experiment_id": "0", "key": "note"})
    refused = await api.refused("experiments/delete-experiment-tag", {"experiment_id": "0", "key": "note"})
    assert refused[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


async def test_search(api: Api) -> None:
    for name in ("b", "a", "c"):
        await api.ok("experiments/create", {"name": name, "tags": [{"key": "kind", "value": name}]})
    deleted = (await api.ok("experiments/create", {"name": "gone"}))["experiment_id"]
    await api.ok("experiments/delete", {"experiment_id": deleted})

    async def names(**fields: Any) -> list[str]:
        answer = await api.ok("experiments/search", {"max_results": 10, **fields})
        return [one["name"] for one in answer.get("experiments", [])]

    assert await names(order_by=["name ASC"]) == ["Default", "a", "b", "c"]
    assert await names(order_by=["name DESC"], view_type="ALL") == ["gone", "c", "b", "a", "Default"]
    assert await names(view_type=2) == ["gone"]
    assert await names(filter="name = 'a'") == ["a"]
    assert await names(filter="tags.kind = 'b'") == ["b"]
    by_get = await api.ok("experiments/search", max_results=10, order_by=["name"], view_type="ALL")
    assert len(by_get["experiments"]) == 5


async def test_search_pages(api: Api) -> None:
    for number in range(4):
        await api.ok("experiments/create", {"name": f"e{number}"})
    query: dict[str, Any] = {"max_results": 2, "order_by": ["name ASC"]}
    pages = []
    while True:
        page = await api.ok("experiments/search", query)
        pages.append([one["name"] for one in page["experiments"]])
        if "next_page_token" not in page:
            break
        query["page_token"] = page["next_page_token"]
    assert pages == [["Default", "e0"], ["e1", "e2"], ["e3"]]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"max_results": 0},
        {"max_results": -1},
        {"max_results": 50001},
        {"max_results": 2**70},
        {"max_results": "x"},
        {"max_results": 5, "view_type": "BOGUS"},
        {"max_results": 5, "filter": "name ="},
        {"max_results": 5, "order_by": "x"},
        {"max_results": 5, "page_token": "zz"},
        {"max_results": 5, "order_by": ["bogus"]},
    ],
)
async def test_searches_that_are_refused(api: Api, fields: dict[str, Any]) -> None:
    assert (await api.refused("experiments/search", fields))[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_a_tag_that_is_too_long_names_the_limits_of_both_generations(api: Api) -> None:
    body = {"experiment_id": "0", "key": "long"}
    await api.ok("experiments/set-experiment-tag", body | {"value": "x" * 20_000})
    refused = await api.refused("experiments/set-experiment-tag", body | {"value": "x" * 20_001})
    assert refused[:2] == (400, "INVALID_PARAMETER_VALUE")
    for limit in (20_000, 5000):
        assert f"exceeds the maximum length of {limit} characters" in refused[2]


async def test_experiments_sorted_twice_by_one_field(api: Api) -> None:
    for name in ("a", "b"):
        await api.ok("experiments/create", {"name": name})
    found = await api.ok("experiments/search", {"max_results": 10, "order_by": ["name DESC", "name ASC"]})
    assert [one["name"] for one in found["experiments"]] == ["b", "a", "Default"]
