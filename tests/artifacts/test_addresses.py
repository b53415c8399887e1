"""The notations of one address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server.artifacts.addresses import PROXIED, canonical, is_below, tail

HOSTS = {"localhost:5000", "tracking.example"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/srv/a", "/srv/a"),
        ("/srv/a/", "/srv/a"),
        ("//srv///a//", "/srv/a"),
        ("/", "/"),
        ("/srv/50%25#x?y", "/srv/50%25#x?y"),
        ("file:///srv/a", "/srv/a"),
        ("file:///srv/a/", "/srv/a"),
        ("file:/srv/a", "/srv/a"),
        ("FILE:///srv/a", "/srv/a"),
        ("file://localhost/srv/a", "/srv/a"),
        ("file:///srv/with%20space", "/srv/with space"),
        ("file:///srv/50%25", "/srv/50%"),
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://bucket/a%20b/", "s3://bucket/a%20b"),
        ("mlflow-artifacts:/", "mlflow-artifacts:/"),
        ("mlflow-artifacts:", "mlflow-artifacts:/"),
        ("mlflow-artifacts:///", "mlflow-artifacts:/"),
        ("mlflow-artifacts:/0/run", "mlflow-artifacts:/0/run"),
        ("mlflow-artifacts:///0/run/", "mlflow-artifacts:/0/run"),
        ("mlflow-artifacts:0/run", "mlflow-artifacts:/0/run"),
        ("mlflow-artifacts:/a%20b", "mlflow-artifacts:/a b"),
        ("mlflow-artifacts://localhost:5000/0", "mlflow-artifacts:/0"),
        ("mlflow-artifacts://LOCALHOST:5000", "mlflow-artifacts:/"),
        ("mlflow-artifacts://tracking.example:443/0", "mlflow-artifacts:/0"),
        ("http://localhost:5000/api/2.0/mlflow-artifacts/artifacts", "mlflow-artifacts:/"),
        ("http://localhost:5000/api/2.0/mlflow-artifacts/artifacts/0/run/", "mlflow-artifacts:/0/run"),
        ("https://tracking.example/minleaf/api/2.0/mlflow-artifacts/artifacts/0", "mlflow-artifacts:/0"),
        ("http://localhost:5000/ajax-api/2.0/mlflow-artifacts/artifacts/0", "mlflow-artifacts:/0"),
    ],
)
def test_one_notation(address: str, expected: str) -> None:
    assert canonical(address, HOSTS) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "relative/path",
        "./mlruns",
        "file:relative",
        "file://host/srv",
        "file://0.0.0.0/etc",
        "file://[::1]/etc",
        "file:///srv#x",
        "file:///srv?x",
        "file://",
        "s3://",
        "s3:///key",
        "s3:/bucket",
        "s3://bucket/a?b",
        "s3://bucket/a\\b",
        "mlflow-artifacts://other:5000/0",
        "mlflow-artifacts://localhost:5001/0",
        "mlflow-artifacts://user@localhost:5000/0",
        "mlflow-artifacts:/0?x",
        "mlflow-artifacts:/0#/../..",
        "http://other/api/2.0/mlflow-artifacts/artifacts/0",
        "http://localhost:5000/api/2.0/mlflow/artifacts/0",
        "http://localhost:5000/api/2.0/mlflow-artifacts/artifactsx",
        "http://localhost:5000",
        "gs://bucket/a",
        "wasbs://c@a.blob.core.windows.net/x",
        "dbfs:/x",
        "runs:/x",
        "models:/x",
        "javascript:alert(1)",
        "C:\\x",
    ],
)
def test_no_address_of_a_store(address: str) -> None:
    assert canonical(address, HOSTS) is None


@given(st.text(max_size=60) | st.tuples(st.sampled_from(["file://", "s3://b", PROXIED, "/"]), st.text()).map("".join))
def test_canonical_is_stable_and_has_no_slash_at_its_end(address: str) -> None:
    found = canonical(address, HOSTS)
    if found is None:
        return
    assert found in ("/", PROXIED) or not found.endswith("/")
    if found.startswith("/"):
        assert canonical(found) == found


def test_below() -> None:
    assert is_below("/srv/a", "/srv/a")
    assert is_below("/srv/a/b", "/srv/a")
    assert not is_below("/srv/ab", "/srv/a")
    assert is_below("mlflow-artifacts:/0", PROXIED)
    assert is_below("s3://bucket/x", "s3://bucket")
    assert not is_below("s3://bucket2/x", "s3://bucket")
    assert tail("/srv/a/b/c", "/srv/a") == "b/c"
    assert tail("/srv/a", "/srv/a") == ""
    assert tail("mlflow-artifacts:/0/x", PROXIED) == "0/x"
