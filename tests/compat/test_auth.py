"""MLflow's own clients against a server that asks for a login: users, permissions, and runs logged by name."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.orm import configure_mappers

from tests.conftest import fresh_database
from tests.support.server import RunningServer

INI = """[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
admin_username = root
admin_password = 100% secret root
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
ROOT = ("root", "100% secret root")
ANN = ("ann", "the password of ann")
BEN = ("ben", "the password of ben")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "auth.ini").write_text(INI)
    options = ("--app-name", "basic-auth", "--auth-config-path", str(folder / "auth.ini"))
    with fresh_database("sqlite", folder, request) as uri, RunningServer(uri, folder, *options) as running:
        for name, password in (ANN, BEN):
            body = {"username": name, "password": password}
            requests.post(f"{running.url}/api/2.0/mlflow/users/create", json=body, auth=ROOT).raise_for_status()
        yield running


@pytest.fixture
def log_in(monkeypatch: pytest.MonkeyPatch) -> Iterator["LogIn"]:
    yield LogIn(monkeypatch)
    mlflow.set_tracking_uri("")


class LogIn:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def __call__(self, account: tuple[str, str] | None) -> None:
        for variable in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
            self._patch.delenv(variable, raising=False)
        if account:
            self._patch.setenv("MLFLOW_TRACKING_USERNAME", account[0])
            self._patch.setenv("MLFLOW_TRACKING_PASSWORD", account[1])


def service_client(url: str) -> Any:
    with warnings.catch_warnings():
        # It imports all of MLflow's server, which SQLAlchemy has to say something about.
        warnings.simplefilter("ignore")
        from mlflow.server.auth.client import AuthServiceClient

        # Now and not at the first use, where the warnings of the tests would be errors and leave it half done.
        configure_mappers()
    return AuthServiceClient(url)


def refused(error: pytest.ExceptionInfo[MlflowException], code: str) -> None:
    assert error.value.error_code == code


def test_users_by_the_client(server: RunningServer, log_in: LogIn) -> None:
    client = service_client(server.url)
    log_in(None)
    with pytest.raises(MlflowException, match=r"You are not authenticated\.") as error:
        client.create_user("cat", "the password of cat")
    refused(error, "UNAUTHENTICATED")
    log_in(ANN)
    with pytest.raises(MlflowException, match=r"Permission denied\.") as error:
        client.create_user("cat", "the password of cat")
    refused(error, "PERMISSION_DENIED")
    log_in(ROOT)
    made = client.create_user("cat", "the password of cat")
    assert (made.username, made.is_admin) == ("cat", False)
    client.update_user_password("cat", "another password")
    client.update_user_admin("cat", True)
    log_in(("cat", "another password"))
    assert client.get_user("cat").is_admin is True
    client.delete_user("cat")
    log_in(ROOT)
    with pytest.raises(MlflowException, match="User with username=cat not found") as error:
        client.get_user("cat")
    refused(error, "RESOURCE_DOES_NOT_EXIST")


def test_runs_and_artifacts_of_others(server: RunningServer, log_in: LogIn, tmp_path: Path) -> None:
    mlflow.set_tracking_uri(server.url)
    client = MlflowClient()
    file = tmp_path / "123456.txt"
    file.write_text("kept")
    log_in(ANN)
    experiment = client.create_experiment("of ann")
    run = client.create_run(experiment).info.run_id
    client.log_metric(run, "loss", 0.5)
    client.log_artifact(run, str(file))
    log_in(BEN)
    assert client.get_run(run).data.metrics == {"loss": 0.5}
    assert [one.path for one in client.list_artifacts(run)] == ["123456.txt"]
    assert Path(client.download_artifacts(run, "123456.txt", str(tmp_path))).read_text() == "kept"
    with pytest.raises(MlflowException, match=r"Permission denied\."):
        client.log_metric(run, "loss", 0.1)
    with pytest.raises(requests.HTTPError, match="Permission denied"):
        client.log_artifact(run, str(file))
    with pytest.raises(MlflowException, match=r"Permission denied\."):
        client.delete_run(run)
    log_in(ANN)
    grant = {"experiment_id": experiment, "username": "ben", "permission": "NO_PERMISSIONS"}
    path = "/api/2.0/mlflow/experiments/permissions/create"
    requests.post(server.url + path, json=grant, auth=ANN).raise_for_status()
    log_in(BEN)
    assert "of ann" not in [one.name for one in client.search_experiments()]
    with pytest.raises(MlflowException, match=r"Permission denied\."):
        client.get_run(run)


def test_models_of_others(server: RunningServer, log_in: LogIn) -> None:
    client = MlflowClient(server.url)
    log_in(ANN)
    client.create_registered_model("model of ann")
    asked = {"name": "model of ann", "username": "ann"}
    path = f"{server.url}/api/2.0/mlflow/registered-models/permissions/get"
    assert requests.get(path, params=asked, auth=ANN).json()["registered_model_permission"]["permission"] == "MANAGE"
    log_in(BEN)
    assert client.get_registered_model("model of ann").name == "model of ann"
    with pytest.raises(MlflowException, match=r"Permission denied\."):
        client.delete_registered_model("model of ann")
    log_in(ANN)
    client.delete_registered_model("model of ann")
    assert requests.get(path, params=asked, auth=ROOT).status_code == 404


def test_bad_users_in_the_words_of_requests(server: RunningServer) -> None:
    for name, password in (("", "password"), ("username", ""), ("", "")):
        body = {"username": name, "password": password}
        answer = requests.post(f"{server.url}/api/2.0/mlflow/users/create", json=body, auth=ROOT)
        with pytest.raises(requests.HTTPError, match="BAD REQUEST"):
            answer.raise_for_status()
