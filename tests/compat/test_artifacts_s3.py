"""The real `mlflow` client, and a server whose artifacts lie in an S3 store. The client knows nothing of the store."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import mlflow
import pytest

from tests.compat import artifact_story
from tests.support.server import RunningServer, free_port

START_SECONDS_MAX = 60
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}

pytestmark = pytest.mark.filterwarnings("ignore:For backward compatibility, 'str' dtypes")


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    """The address of moto's S3, with a bucket in it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (tmp_path / "moto.log").open("wb") as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end and process.poll() is None:
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        options = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
        boto3.client("s3", endpoint_url=url, **options).create_bucket(Bucket="bucket")  # type: ignore[call-overload]
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_everything_that_the_client_does_with_artifacts(
    tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The large file of the story goes in parts straight to the store, and through the server."""
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with monkeypatch.context() as only_the_server:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}.items():
            only_the_server.setenv(name, value)
        options = ("--artifacts-destination", "s3://bucket/prefix", "--allow-artifact-location", "s3://bucket/direct")
        server = RunningServer(f"sqlite:///{tmp_path}/minleaf.db", tmp_path, *options)
        server.start()
    before = mlflow.get_tracking_uri()
    try:
        artifact_story.tell(server.url)
        root = f"{server.url}/api/2.0/mlflow-artifacts"
        httpx.put(f"{root}/artifacts/0/x.bin", content=b"0123456789").raise_for_status()
        assert httpx.get(f"{root}/artifacts/0/x.bin", headers={"range": "bytes=-3"}).text == "789"
        signed = httpx.get(f"{root}/presigned/0/x.bin").json()
        assert signed["file_size"] == 10
        assert httpx.get(signed["url"], headers=signed["headers"]).text == "0123456789"
        _signed_addresses_of_a_run(f"{server.url}/api/2.0/mlflow")
    finally:
        mlflow.set_tracking_uri(before)
        server.stop()


def _signed_addresses_of_a_run(api: str) -> None:
    """A run whose experiment lies in the store itself, and not behind the server."""
    place = {"name": "direct", "artifact_location": "s3://bucket/direct/x"}
    experiment_id = httpx.post(f"{api}/experiments/create", json=place).json()["experiment_id"]
    run = httpx.post(f"{api}/runs/create", json={"experiment_id": experiment_id}).json()["run"]["info"]
    asked = {"run_id": run["run_id"], "path": "a/b.bin"}
    for way in ("upload", "download"):
        for seconds in (0, -1, 604_801):
            refused = httpx.post(f"{api}/artifacts/presigned-{way}-url", json={**asked, "expiration": seconds})
            assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
            assert "between 1 and 604800" in refused.json()["message"]
        signed = httpx.post(f"{api}/artifacts/presigned-{way}-url", json=asked).json()
        if way == "upload":
            httpx.put(signed["presigned_url"], headers=signed["headers"], content=b"direct").raise_for_status()
        else:
            assert httpx.get(signed["presigned_url"], headers=signed["headers"]).content == b"direct"
