"""A server that asks for a login: how it is started, and when it does not start."""

from pathlib import Path

import httpx
import pytest

from minleaf_server.cli.auth_file import completed
from minleaf_server.config import load
from minleaf_server.errors import SetupError
from tests.cli.conftest import Run
from tests.support.server import RunningServer

PASSWORD = "a password, long enough"
INI = f"""[mlflow]
default_permission = read
database_uri = sqlite:///basic_auth.db
admin_username = root
admin_password = {PASSWORD}
"""


@pytest.mark.parametrize("how", [("--auth",), ("--app-name", "basic-auth")])
def test_without_a_password_for_the_first_administrator(run: Run, how: tuple[str, ...], tmp_path: Path) -> None:
    answer = run("server", "--port", "0", *how)
    assert answer.returncode == 2
    for part in ("MINLEAF_ADMIN_PASSWORD", "MLFLOW_AUTH_ADMIN_PASSWORD", "MLFLOW_AUTH_CONFIG_PATH"):
        assert part in answer.stderr
    assert answer.stdout == ""


def test_others_may_reach_a_server_with_a_login(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/minleaf.db"
    options = ("--auth", "--host", "0.0.0.0", "--admin-password", PASSWORD)
    with RunningServer(uri, tmp_path, *options) as server:
        path = f"{server.url}/api/2.0/mlflow/users/get?username=admin"
        forwarded = {"x-forwarded-for": "10.0.0.9"}
        assert httpx.get(path, headers=forwarded).status_code == 401
        assert httpx.get(path, headers=forwarded, auth=("admin", "password1234")).status_code == 401
        assert httpx.get(path, headers=forwarded, auth=("admin", PASSWORD)).status_code == 200
        assert PASSWORD not in server.log()
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert PASSWORD.encode() not in kept


def test_the_file_of_mlflow(tmp_path: Path) -> None:
    (tmp_path / "auth.ini").write_text(INI)
    path = str(tmp_path / "auth.ini")
    found = completed(load({"auth": "true"}, {"MLFLOW_AUTH_CONFIG_PATH": path}))
    assert (found.admin_username, found.admin_password, found.default_permission) == ("root", PASSWORD, "READ")
    explicit = {
        "MLFLOW_AUTH_CONFIG_PATH": path,
        "MINLEAF_DEFAULT_PERMISSION": "EDIT",
        "MLFLOW_AUTH_ADMIN_USERNAME": "me",
    }
    found = completed(load({"auth": "true"}, explicit))
    assert (found.admin_username, found.admin_password, found.default_permission) == ("me", PASSWORD, "EDIT")
    off = completed(load({}, {"MLFLOW_AUTH_CONFIG_PATH": path}))
    assert (off.auth, off.admin_password) == (False, "")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("admin_password = secret\n", "section"),
        ("[other]\nadmin_password = secret\n", "section"),
        ("[mlflow]\nadmin_password secret\n", "section"),
        ("[mlflow]\ndefault_permission = ALL\nadmin_password = secret\n", "default_permission"),
        ("[mlflow]\nauthorization_function = a.b:secret\n", "authorization_function"),
    ],
)
def test_a_file_that_is_not_right(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "auth.ini").write_text(text)
    with pytest.raises(SetupError, match=part) as error:
        completed(load({"auth": "true", "auth_config_path": str(tmp_path / "auth.ini")}, {}))
    assert "secret" not in str(error.value)


def test_the_password_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    settings = load({"auth": "true"}, {"MINLEAF_ADMIN_PASSWORD_FILE": str(tmp_path / "password")})
    assert settings.admin_password == PASSWORD
