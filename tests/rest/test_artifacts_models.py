"""The artifacts of logged models and of registered versions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.live import Answer
from tests.support.artifact_site import Site, site

API = "/api/2.0/mlflow"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as running:
        yield running


def post(place: Site, path: str, body: dict[str, Any]) -> Any:
    answer = place.call("POST", f"{API}/{path}", "Content-Type: application/json", body=json.dumps(body).encode())
    assert answer.status == 200, answer
    return json.loads(answer.body)


def code(answer: Answer) -> tuple[int, str]:
    assert answer.header("content-type") == "application/json"
    return answer.status, json.loads(answer.body)["error_code"]


def test_a_logged_model(place: Site) -> None:
    info = post(place, "logged-models", {"experiment_id": "0", "name": "m"})["model"]["info"]
    model_id, uri = info["model_id"], info["artifact_uri"]
    assert uri == f"mlflow-artifacts:/0/models/{model_id}/artifacts"
    for name in ("MLmodel", "data/model.pkl"):
        assert place.put(f"0/models/{model_id}/artifacts/{name}", name.encode()).status == 200
    for prefix in ("/api", "/ajax-api"):
        address = f"{prefix}/2.0/mlflow/logged-models/{model_id}/artifacts"
        listed = json.loads(place.call("GET", f"{address}/directories").body)
        top = [{"path": "MLmodel", "is_dir": False, "file_size": 7}, {"path": "data", "is_dir": True}]
        assert listed == {"root_uri": uri, "files": top}
        listed = json.loads(place.call("GET", f"{address}/directories?artifact_directory_path=data").body)
        assert listed["files"] == [{"path": "data/model.pkl", "is_dir": False, "file_size": 14}]
        got = place.call("GET", f"{address}/files?artifact_file_path=data/model.pkl")
        assert (got.status, got.body) == (200, b"data/model.pkl")
        assert code(place.call("GET", f"{address}/files?artifact_file_path=none")) == (404, "RESOURCE_DOES_NOT_EXIST")
        assert code(place.call("GET", f"{address}/files")) == (400, "INVALID_PARAMETER_VALUE")
        for path in ("directories", "files?artifact_file_path=MLmodel"):
            missing = place.call("GET", f"{prefix}/2.0/mlflow/logged-models/m-none/artifacts/{path}")
            assert code(missing) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_version_of_a_registered_model(place: Site) -> None:
    info = post(place, "runs/create", {"experiment_id": "0"})["run"]["info"]
    source = f"{info['artifact_uri']}/model"
    assert place.put(f"0/{info['run_id']}/artifacts/model/data/MLmodel", b"flavors").status == 200
    post(place, "registered-models/create", {"name": "m"})
    post(place, "model-versions/create", {"name": "m", "source": source, "run_id": info["run_id"]})
    for path in ("/model-versions/get-artifact", "//model-versions/get-artifact"):
        got = place.call("GET", f"{path}?name=m&version=1&path=data/MLmodel")
        assert (got.status, got.body) == (200, b"flavors")
        assert got.header("content-disposition") == 'attachment; filename="MLmodel"'
        for query in ("name=m&version=2&path=a", "name=none&version=1&path=a", "name=m&version=1&path=none"):
            assert code(place.call("GET", f"{path}?{query}")) == (404, "RESOURCE_DOES_NOT_EXIST"), query
        assert code(place.call("GET", f"{path}?name=m&version=x&path=a")) == (400, "INVALID_PARAMETER_VALUE")
