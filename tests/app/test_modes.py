"""Servers for a part of the work: without artifacts, and for artifacts alone."""

import json
from pathlib import Path

import pytest

from minleaf_server.cli.arguments import parse
from minleaf_server.config import load
from tests.support.artifact_site import PROXIED, site

TRACKING = ["/api/2.0/mlflow/experiments/search", "/ajax-api/2.0/mlflow/artifacts/list?run_id=a"]
ALWAYS = ["/health", "/health/ready", "/version", "/api/3.0/mlflow/server-info"]


@pytest.mark.parametrize("prefix", ["", "/team"])
def test_artifacts_alone(tmp_path: Path, prefix: str) -> None:
    with site(tmp_path, artifacts_only=True, static_prefix=prefix) as place:
        assert place.call("GET", PROXIED).body == b"{}"
        assert place.put("a", b"x").status == 200
        assert place.get("a").body == b"x"
        for path in ALWAYS:
            assert place.call("GET", path).status == 200
        for path in TRACKING:
            answer = place.call("GET", path)
            assert (answer.status, answer.header("content-type")) == (503, "application/json")
            text = f"Endpoint: {path.partition('?')[0]} disabled due to the mlflow server running in "
            assert json.loads(answer.body)["message"].startswith(f"{text}`--artifacts-only` mode.")
        for path in ("/", "/get-artifact?run_id=a&path=a", "/<script>"):
            answer = place.call("GET", path)
            assert answer.status == 503
            assert b"script" not in answer.body


def test_no_artifacts(tmp_path: Path) -> None:
    with site(tmp_path, serve_artifacts=False) as place:
        for method, path in (
            ("GET", PROXIED),
            ("GET", f"{PROXIED}/a"),
            ("PUT", f"{PROXIED}/a"),
            ("DELETE", f"{PROXIED}/a"),
        ):
            answer = place.call(method, path, body=b"x")
            assert answer.status == 503
            text = f"Endpoint: {path} disabled due to the mlflow server running with `--no-serve-artifacts`"
            assert json.loads(answer.body)["message"].startswith(text)
        assert place.files() == {}
        body = b'{"max_results": 1}'
        answer = place.call("POST", "/api/2.0/mlflow/experiments/search", "Content-Type: application/json", body=body)
        assert answer.status == 200
        assert place.call("GET", "/").status == 200


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([], True), (["--serve-artifacts"], True), (["--no-serve-artifacts"], False)],
)
def test_the_flags_of_mlflow(flags: list[str], expected: bool) -> None:
    assert load(parse(["server", *flags]).settings, {}).serve_artifacts is expected


def test_without_a_proxy_clients_are_told_where_to_write_themselves(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path), "serve_artifacts": "false"}, {})
    assert settings.default_artifact_root == str(tmp_path / "artifacts")
    given = load({"data": str(tmp_path), "serve_artifacts": "false", "default_artifact_root": "s3://bucket/a"}, {})
    assert given.default_artifact_root == "s3://bucket/a"
    assert load({"data": str(tmp_path)}, {}).default_artifact_root == "mlflow-artifacts:/"
