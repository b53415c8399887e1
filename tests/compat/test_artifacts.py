"""The real `mlflow` client and artifacts: proxied, in a folder of the server, and behind a static prefix."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import mlflow
import pytest

from tests.compat import artifact_story
from tests.support.server import RunningServer

# Of pandas 3, about what mlflow's table does.
pytestmark = pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes")


@pytest.fixture(autouse=True)
def _tracking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    before = mlflow.get_tracking_uri()
    yield
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(before)


def test_everything_that_the_client_does_with_artifacts(shared_server: RunningServer) -> None:
    artifact_story.tell(shared_server.url)


@pytest.mark.parametrize("root", ["{folder}/runs", "file://{folder}/runs"])
def test_the_same_where_the_client_writes_into_a_folder_of_the_server(tmp_path: Path, root: str) -> None:
    options = ["--default-artifact-root", root.format(folder=tmp_path)]
    with RunningServer(f"sqlite:///{tmp_path}/minleaf.db", tmp_path, *options) as server:
        artifact_story.tell(server.url)
        assert list((tmp_path / "runs").iterdir())


def test_the_same_under_a_static_prefix(tmp_path: Path) -> None:
    with RunningServer(f"sqlite:///{tmp_path}/minleaf.db", tmp_path, "--static-prefix", "/team") as server:
        artifact_story.tell(f"{server.url}/team")


def test_what_mlflows_own_tests_ask_of_the_routes(tmp_path: Path) -> None:
    """The server is started as there: the default root is the address of its own route."""
    server = RunningServer(f"sqlite:///{tmp_path}/minleaf.db", tmp_path)
    root = f"{server.url}/api/2.0/mlflow-artifacts/artifacts"
    destination = tmp_path / "mlartifacts"
    server.options = (
        *("--serve-artifacts", "--default-artifact-root", root),
        *("--artifacts-destination", str(destination), "--gunicorn-opts", "--log-level debug"),
    )
    with server:
        mlflow.set_tracking_uri(server.url)
        mlflow.set_experiment("routes")
        (tmp_path / "a.txt").write_text("abcdefg")
        with mlflow.start_run() as run:
            mlflow.log_artifact(str(tmp_path / "a.txt"))
            mlflow.log_artifact(str(tmp_path / "a.txt"), "dir")
        info = run.info
        assert info.artifact_uri == f"{root}/{info.experiment_id}/{info.run_id}/artifacts"
        assert (destination / info.experiment_id / info.run_id / "artifacts" / "a.txt").read_text() == "abcdefg"
        listed = httpx.get(f"{server.url}/api/2.0/mlflow/artifacts/list", params={"run_id": info.run_id}).json()
        files = [{"path": "a.txt", "is_dir": False, "file_size": 7}, {"path": "dir", "is_dir": True}]
        assert listed == {"root_uri": info.artifact_uri, "files": files}
        got = httpx.get(f"{server.url}/get-artifact", params={"run_id": info.run_id, "path": "dir/a.txt"})
        assert got.text == "abcdefg"
        assert got.headers["content-type"] == "text/plain"
        name = "dog%step%100%timestamp%100.png"
        httpx.put(f"{root}/dir/{name.replace('%', '%25')}", content=b"png").raise_for_status()
        download = httpx.get(f"{root}/dir/{name.replace('%', '%25')}", headers={"accept": "text/html"})
        assert "dog%step%100%timestamp%100" in download.headers["content-disposition"]
        assert download.headers["content-type"] == "image/png"
        assert download.headers["x-content-type-options"] == "nosniff"


def test_garbage_collection_of_a_run_without_artifacts_and_of_one_with(tmp_path: Path) -> None:
    """`mlflow gc` asks the server to remove all artifacts of a deleted run, whether it has any or not."""
    with RunningServer(f"sqlite:///{tmp_path}/minleaf.db", tmp_path) as server:
        mlflow.set_tracking_uri(server.url)
        with mlflow.start_run() as empty:
            pass
        with mlflow.start_run() as full:
            mlflow.log_text("x", "a/b.txt")
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        for run in (empty, full):
            get_artifact_repository(run.info.artifact_uri).delete_artifacts()
        artifacts = tmp_path / "data" / "artifacts"
        assert not [path for path in artifacts.rglob("*") if path.is_file()]
