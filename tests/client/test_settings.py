"""Tracking URIs and credentials: where they come from, which win, and what is refused."""

import base64

import pytest

import minleaf
from minleaf._settings import endpoint
from minleaf.exceptions import ConfigurationError, MinleafException


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_the_address_comes_from_the_environment_ours_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert minleaf.get_tracking_uri() == "http://127.0.0.1:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://theirs:1")
    assert minleaf.get_tracking_uri() == "http://theirs:1"
    monkeypatch.setenv("MINLEAF_TRACKING_URI", "http://ours:2")
    assert minleaf.get_tracking_uri() == "http://ours:2"
    minleaf.set_tracking_uri("http://said:3")
    assert minleaf.get_tracking_uri() == "http://said:3"


def test_none_goes_back_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://theirs:1")
    minleaf.set_tracking_uri("http://said:3")
    minleaf.set_tracking_uri(None)
    assert minleaf.get_tracking_uri() == "http://theirs:1"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("http://host:5000", "http://host:5000"),
        ("http://host:5000/", "http://host:5000"),
        ("https://host/team/minleaf/", "https://host/team/minleaf"),
        ("http://[::1]:5000/x", "http://[::1]:5000/x"),
        (" http://host ", "http://host"),
        ("http://me:secret@host:1/x", "http://host:1/x"),
    ],
)
def test_a_path_is_kept_and_credentials_are_taken_out(uri: str, address: str) -> None:
    assert endpoint(uri).address == address


@pytest.mark.parametrize(
    "uri",
    ["sqlite:///mlruns.db", "./mlruns", "file:///tmp/x", "databricks", "127.0.0.1:5000", "ftp://host", "http://",
     "http://host:port", "http://host?x=1", "http://host#x", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_is_refused_at_once(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="tracking URI"):
        minleaf.set_tracking_uri(uri)
    assert minleaf.get_tracking_uri() == "http://127.0.0.1:5000"


def test_a_wrong_address_in_the_environment_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///x.db")
    with pytest.raises(MinleafException, match="start one with `minleaf ui`"):
        minleaf.start_run()


def test_the_password_of_an_address_is_in_no_message() -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint("ftp://me:hush@host/x")
    assert "hush" not in str(caught.value)
    assert "hush" not in repr(endpoint("http://me:hush@host"))


def test_credentials_of_the_address_then_ours_then_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert endpoint("http://host").authorization is None
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "theirs")
    assert endpoint("http://host").authorization == "Bearer theirs"
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "u")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "pä")
    assert endpoint("http://host").authorization == basic("u", "pä")
    monkeypatch.setenv("MINLEAF_TRACKING_TOKEN", "ours")
    assert endpoint("http://host").authorization == "Bearer ours"
    assert endpoint("http://a%40b:c%3Ad@host").authorization == basic("a@b", "c:d")


def test_a_token_with_a_line_break_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINLEAF_TRACKING_TOKEN", "a\nX-Evil: 1")
    with pytest.raises(ConfigurationError, match="MINLEAF_TRACKING_TOKEN"):
        endpoint("http://host")
