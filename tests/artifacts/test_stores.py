"""Which addresses of the database are opened, and where they lead."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minleaf_server.artifacts.local import LocalRepository
from minleaf_server.artifacts.s3 import S3Repository
from minleaf_server.artifacts.stores import Place, Stores
from minleaf_server.cli.arguments import parse
from minleaf_server.config import Settings, load
from minleaf_server.errors import NotFound, PermissionDenied, SetupError
from tests.support.artifacts import body_of, put


def stores(folder: Path, **flags: Any) -> Stores:
    return Stores.open(load({"data": str(folder / "data"), **flags}, {}))


def folder_of(place: Place) -> Path:
    assert isinstance(place.repository, LocalRepository)
    return place.repository.root / place.path if place.path else place.repository.root


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("mlflow-artifacts:/", ""),
        ("mlflow-artifacts:", ""),
        ("mlflow-artifacts:/0/run/artifacts", "0/run/artifacts"),
        ("mlflow-artifacts:///0/run/artifacts/", "0/run/artifacts"),
        ("mlflow-artifacts://127.0.0.1:5000/0", "0"),
        ("http://localhost:5000/api/2.0/mlflow-artifacts/artifacts/0", "0"),
    ],
)
def test_the_proxied_store(tmp_path: Path, uri: str, path: str) -> None:
    place = stores(tmp_path).locate(uri)
    assert place.path == path
    assert folder_of(place) == (tmp_path / "data" / "artifacts" / path)


@pytest.mark.parametrize(
    "uri",
    [
        "/etc",
        "file:///etc/passwd",
        "s3://other/x",
        "mlflow-artifacts://elsewhere:5000/0",
        "mlflow-artifacts:/../x",
        "mlflow-artifacts:/a/../../x",
        "mlflow-artifacts:/%2e%2e/x",
        "mlflow-artifacts:/..%2f..%2fx",
        "mlflow-artifacts:/%252e%252e/x",
        "mlflow-artifacts:/.minleaf-tmp/x",
        "gs://bucket/x",
        "relative",
        "",
    ],
)
def test_any_other_address_is_refused(tmp_path: Path, uri: str) -> None:
    found = stores(tmp_path)
    assert not found.covers(uri)
    with pytest.raises(PermissionDenied, match="outside the artifact stores") as raised:
        found.locate(uri)
    assert str(tmp_path) not in str(raised.value)


def test_no_destination_is_not_the_folder_of_the_server() -> None:
    with pytest.raises(SetupError, match="--artifacts-destination is empty"):
        Stores.open(Settings())


def test_one_real_address_however_it_is_written(tmp_path: Path) -> None:
    found = stores(tmp_path, allow_artifact_location=f"{tmp_path}/data,s3://archive/2024")
    real = f"{tmp_path}/data/artifacts/5/x"
    for uri in ("mlflow-artifacts:/5/x", "mlflow-artifacts:///5//x/", real, f"file://{real}/", f"file:{real}"):
        assert found.real_address(uri) == real
    assert found.real_address("mlflow-artifacts:/") == f"{tmp_path}/data/artifacts"
    assert found.real_address("s3://archive/2024/x/") == "s3://archive/2024/x"
    for uri in ("s3://archive/2025", f"{tmp_path}", "models:/m/1", "runs:/x/y", "", "x", f"{real}/../y"):
        assert found.real_address(uri) is None


@pytest.mark.parametrize("form", ["{}", "file://{}", "{}/"])
def test_a_default_root_that_is_a_folder(tmp_path: Path, form: str) -> None:
    found = stores(tmp_path, default_artifact_root=form.format(tmp_path / "runs"))
    for uri in (f"{tmp_path}/runs/0/x", f"file://{tmp_path}/runs/0/x", f"file:{tmp_path}/runs/0/x/"):
        assert folder_of(found.locate(uri)) == tmp_path / "runs" / "0" / "x"
    for uri in (f"{tmp_path}/runsx/0", f"{tmp_path}/runs/../x", f"file://{tmp_path}/runs/%2e%2e/x", f"{tmp_path}"):
        assert not found.covers(uri)
    assert folder_of(found.locate("mlflow-artifacts:/0")) == tmp_path / "data" / "artifacts" / "0"


def test_a_default_root_that_is_this_servers_own_route(tmp_path: Path) -> None:
    root = "http://tracking.example/ml/api/2.0/mlflow-artifacts/artifacts"
    found = stores(tmp_path, default_artifact_root=root)
    assert found.locate(f"{root}/0/run/artifacts").path == "0/run/artifacts"
    assert not found.covers("http://other.example/ml/api/2.0/mlflow-artifacts/artifacts/0")


def test_a_relative_root_starts_where_the_server_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = stores(Path("."), default_artifact_root="runs")
    assert folder_of(found.locate(f"{tmp_path}/runs/0")) == tmp_path / "runs" / "0"
    assert folder_of(found.locate("mlflow-artifacts:/0")) == tmp_path / "data" / "artifacts" / "0"


def test_percent_signs_are_escapes_in_addresses_and_characters_in_paths(tmp_path: Path) -> None:
    found = stores(tmp_path, default_artifact_root=f"{tmp_path}/50%25")
    assert folder_of(found.locate(f"{tmp_path}/50%25/x")) == tmp_path / "50%25" / "x"
    assert folder_of(found.locate(f"file://{tmp_path}/50%2525/x")) == tmp_path / "50%25" / "x"
    assert not found.covers(f"file://{tmp_path}/50%25/x")


def test_allowed_locations(tmp_path: Path) -> None:
    found = stores(tmp_path, allow_artifact_location=f"{tmp_path}/old,s3://archive/2024,file://{tmp_path}/old/inner")
    assert folder_of(found.locate(f"{tmp_path}/old/0/x")) == tmp_path / "old" / "0" / "x"
    inner = found.locate(f"{tmp_path}/old/inner/y")
    assert (folder_of(inner), inner.path) == (tmp_path / "old" / "inner" / "y", "y")
    place = found.locate("s3://archive/2024/run/artifacts")
    assert isinstance(place.repository, S3Repository)
    assert (place.repository.bucket, place.repository.prefix, place.path) == ("archive", "2024", "run/artifacts")
    for uri in ("s3://archive/2025/x", "s3://archive", "s3://archive/20244", f"{tmp_path}/olds"):
        assert not found.covers(uri)
    prefixes = found.prefixes()
    assert {"mlflow-artifacts:/", f"{tmp_path}/old", f"file://{tmp_path}/old", "s3://archive/2024"} <= set(prefixes)


@pytest.mark.parametrize("flag", ["artifacts_destination", "allow_artifact_location"])
@pytest.mark.parametrize(
    "location", ["gs://bucket", "hdfs://x/y", "/", "file:///", "http://x/y", "mlflow-artifacts:/x"]
)
def test_what_is_no_store_stops_the_start(tmp_path: Path, flag: str, location: str) -> None:
    with pytest.raises(SetupError, match="--" + flag.replace("_", "-")):
        stores(tmp_path, **{flag: location})


def test_a_default_root_that_only_clients_reach_is_no_store_of_ours(tmp_path: Path) -> None:
    assert not stores(tmp_path, default_artifact_root="gs://bucket/x").covers("gs://bucket/x/0")


async def test_the_database_is_no_artifact_although_it_lies_in_the_root(tmp_path: Path) -> None:
    found = stores(tmp_path, backend_store_uri=f"sqlite:///{tmp_path}/runs.db", default_artifact_root=tmp_path.as_uri())
    for name in ("runs.db", "runs.db-wal", "data/webhook.key", "data/minleaf.db"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"canary")
        place = found.locate(f"{tmp_path}/{name}")
        with pytest.raises(NotFound):
            await place.repository.open(place.path)
        with pytest.raises(NotFound):
            await put(place.repository, place.path)
        with pytest.raises(NotFound):
            await place.repository.delete(place.path)
        assert path.read_bytes() == b"canary"
    place = found.locate(f"{tmp_path}/0/run")
    await put(place.repository, f"{place.path}/a", b"hello")
    assert await body_of(place.repository, f"{place.path}/a") == b"hello"


def test_starting_makes_no_folder_and_imports_no_s3_library(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from minleaf_server.artifacts.stores import Stores
from minleaf_server.cli.arguments import parse
from minleaf_server.config import Settings, load
found = Stores.open(load({{"data": {str(tmp_path / "data")!r}, "allow_artifact_location": "s3://bucket"}}, {{}}))
found.locate("s3://bucket/x")
assert not {{"obstore", "boto3", "httpx", "fsspec"}} & sys.modules.keys()
assert not Path({str(tmp_path / "data")!r}).exists()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=tmp_path)


def test_the_flag_may_be_given_several_times() -> None:
    flags = ["--allow-artifact-location", "/a,/b", "--allow-artifact-location", "s3://c"]
    settings = load(parse(["server", *flags]).settings, {})
    assert settings.allow_artifact_location == ("/a", "/b", "s3://c")
