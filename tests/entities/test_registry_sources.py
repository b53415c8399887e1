"""What the source of a model version names, and what is refused on sight."""

import pytest

from minleaf_server.entities.model_source import (
    LocalPath,
    LoggedModel,
    RegisteredVersion,
    Remote,
    RunArtifact,
    Source,
    StorePath,
    read_source,
)
from minleaf_server.errors import InvalidParameter

GOOD: dict[str, Source] = {
    "/srv/a/b": LocalPath("/srv/a/b"),
    "/srv/a/b/./c/..": LocalPath("/srv/a/b"),
    "file:///srv/a": LocalPath("/srv/a"),
    "file:/srv/a": LocalPath("/srv/a"),
    "file://localhost/srv/a": LocalPath("/srv/a"),
    "file:///srv/a%20b": LocalPath("/srv/a b"),
    "mlflow-artifacts:/0/run/artifacts": StorePath(("0", "run", "artifacts")),
    "mlflow-artifacts:/models///": StorePath(("models",)),
    "mlflow-artifacts:///0/r": StorePath(("0", "r")),
    "mlflow-artifacts:/0/a%20b": StorePath(("0", "a b")),
    "mlflow-artifacts://host:9000/models/artifact/..../": StorePath(("models", "artifact", "....")),
    "http://h/x/api/2.0/mlflow-artifacts/artifacts/0/r": StorePath(("0", "r")),
    "https://h/ajax-api/2.0/mlflow-artifacts/artifacts/0/r": StorePath(("0", "r")),
    "https://host/model?token=1": Remote(),
    "s3://bucket/a/b": Remote(),
    "S3://bucket/a": Remote(),
    "dbfs:/models/x": Remote(),
    "runs:/abc/model/x": RunArtifact("abc"),
    "runs:/abc": RunArtifact("abc"),
    "models:/m-123": LoggedModel("m-123"),
    "models:/name/12": RegisteredVersion("name", version=12),
    "models:/name@best": RegisteredVersion("name", alias="best"),
    "models:/name/Production": RegisteredVersion("name", stage="Production"),
    "models:/name/Latest": RegisteredVersion("name"),
}


@pytest.mark.parametrize("text", GOOD)
def test_sources(text: str) -> None:
    assert read_source(text) == GOOD[text]


LOCAL = [
    "model",
    "path/to/model",
    "./x",
    "..",
    "file:etc",
    "file:..",
    "file://0.0.0.0/etc",
    "file://host/etc",
    "file://[::1]/etc",
    "//proc/self/root/etc",
    "//host/share",
    "\\\\host\\share",
    "\\..\\..\\x",
    "C:\\Windows",
    "C:/Windows",
    "file:///C:\\x",
    "/srv/%2e%2e/etc",
    "/srv/%252e%252e/etc",
    "/srv/..%2fetc",
    "file:///tmp#../../etc",
    "file:///tmp%23x",
    "/srv/a?b",
    "/srv/a\x07b",
    "file:////etc",
    "file:",
]


@pytest.mark.parametrize("text", LOCAL)
def test_paths_that_may_lead_anywhere(text: str) -> None:
    with pytest.raises(InvalidParameter, match="To use a local path as a model version source, the run_id"):
        read_source(text)


RELATIVE = [
    "mlflow-artifacts:/../../etc",
    "mlflow-artifacts://h/..%2f..%2f",
    "mlflow-artifacts://h/%252e%252e/x",
    "mlflow-artifacts://host:9000/models/artifact%00",
    "mlflow-artifacts:/a/./b",
    "mlflow-artifacts:/a\\..\\b",
    "http://host:9000/models/../../../",
    "http:///#/../../etc/",
    "http:///?/../../etc/",
    "s3://b/a/../../c",
    "s3a://b/..;/x",
    "dbfs:/run/artifacts/a%3f/../../../",
    "runs:/id/../../x",
    "models:/../x",
    "models:/name/..",
    "s3://b/a#b",
]


@pytest.mark.parametrize("text", RELATIVE)
def test_relative_addresses(text: str) -> None:
    with pytest.raises(InvalidParameter, match="If supplying a source as an http, https,"):
        read_source(text)


@pytest.mark.parametrize(
    "text",
    [
        "gopher://h/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "jar:file:///x!/y",
        "mlflow-artifacts:x",
        "mlflow-artifacts:/%30/r",
        "mlflow-artifacts://h/%2530/r",
        "MLFLOW-ARTIFACTS:/0/r",
        "runs:/%61bc/model",
        "Runs:/abc/model",
        "models:/%6d-1",
        "mlflow-artifacts:/a?b",
        "runs:abc",
        "runs:/",
        "runs://host/id/x",
        "models://host/m-1",
        "models:/a/b/c",
        "models:/name@x/1",
        "models:/",
        "x" * 9000,
        "s3://b/\ud800",
        "s3://b/\x00",
    ],
)
def test_other_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameter):
        read_source(text)
