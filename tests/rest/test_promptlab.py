"""Runs of MLflow's page for trying prompts."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from minleaf_server.app.assembly import application
from minleaf_server.config import load
from minleaf_server.db.store import Store
from tests.rest.conftest import Api
from tests.support.services import services_over

PATH = "runs/create-promptlab-run"
TRIAL: dict[str, Any] = {
    "experiment_id": "0",
    "prompt_template": "say {{ my_key }}\x85 😀",
    "prompt_parameters": [{"key": "my_key", "value": "my_value"}],
    "model_route": "my_route",
    "model_input": "my_input",
    "mlflow_version": "1.0.0",
}


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    """The API with a folder for artifacts."""
    app = application(services_over(store, load({"data": str(tmp_path)}, {})))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:5000") as client:
        yield Api(client)


async def artifact(api: Api, run_id: str, path: str) -> bytes:
    response = await api.client.get("/get-artifact", params={"run_id": run_id, "path": path})
    assert response.status_code == 200, response.text
    return response.content


@pytest.mark.parametrize("name", TRIAL)
async def test_what_a_trial_must_have(api: Api, name: str) -> None:
    needed = list(TRIAL)[: list(TRIAL).index(name)]
    refused = await api.refused(PATH, {key: TRIAL[key] for key in needed})
    assert refused == (400, "INVALID_PARAMETER_VALUE", f"CreatePromptlabRun request must specify {name}.")


async def test_a_trial_becomes_a_finished_run_with_files(api: Api) -> None:
    more = {
        "run_name": "my_run_name",
        "model_parameters": [{"key": "temperature", "value": 0.1}],
        "model_output": "my_output",
        "model_output_parameters": [{"key": "latency", "value": "100"}],
        "user_id": "username",
        "start_time": 456,
        "tags": [{"key": "a", "value": "b"}],
    }
    run = (await api.ok(PATH, TRIAL | more))["run"]
    info = run["info"]
    assert (info["run_name"], info["user_id"], info["status"], info["start_time"]) == (
        "my_run_name",
        "username",
        "FINISHED",
        456,
    )
    params = {one["key"]: one["value"] for one in run["data"]["params"]}
    assert params == {"model_route": "my_route", "prompt_template": TRIAL["prompt_template"], "temperature": "0.1"}
    tags = {one["key"]: one["value"] for one in run["data"]["tags"]}
    assert tags["mlflow.loggedArtifacts"] == '[{"path": "eval_results_table.json", "type": "table"}]'
    assert tags["mlflow.runSourceType"] == "PROMPT_ENGINEERING"
    assert (tags["a"], tags["mlflow.runName"]) == ("b", "my_run_name")
    table = json.loads(await artifact(api, info["run_id"], "eval_results_table.json"))
    assert table == {
        "columns": ["my_key", "prompt", "output", "latency"],
        "data": [["my_value", "my_input", "my_output", "100"]],
    }
    model = yaml.safe_load(await artifact(api, info["run_id"], "model/MLmodel"))
    assert model["flavors"]["python_function"]["loader_module"] == "mlflow.prompt.promptlab_model"
    assert json.loads(tags["mlflow.log-model.history"])[0]["model_uuid"] == model["model_uuid"]
    parameters = yaml.safe_load(await artifact(api, info["run_id"], "model/parameters.yaml"))
    assert parameters["prompt_template"] == TRIAL["prompt_template"]
    assert (parameters["model_route"], parameters["model_parameters"]) == ("my_route", {"temperature": "0.1"})
    assert (await artifact(api, info["run_id"], "model/requirements.txt")) == b"mlflow[gateway]==1.0.0"


async def test_a_trial_with_two_equal_params_leaves_no_run(api: Api) -> None:
    twice = TRIAL | {"model_parameters": [{"key": "model_route", "value": "x"}]}
    refused = await api.refused(PATH, twice)
    assert refused[1] == "INVALID_PARAMETER_VALUE"
    assert await api.ok("runs/search", {"experiment_ids": ["0"]}) == {}


async def test_a_trial_whose_files_cannot_be_stored_is_a_failed_run(api: Api) -> None:
    made = await api.ok("experiments/create", {"name": "elsewhere", "artifact_location": "elsewhere"})
    run = (await api.ok(PATH, TRIAL | {"experiment_id": made["experiment_id"]}))["run"]
    assert run["info"]["status"] == "FAILED"
    assert {"key": "model_route", "value": "my_route"} in run["data"]["params"]
