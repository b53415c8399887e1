"""Users and permissions: the same calls to MLflow's own server and to Minleaf's. See `differential` for the way.

Both servers let everybody read what nobody has set otherwise, as MLflow's packaged settings do. MLflow 3.17 no longer
has `experiments/permissions` and its like; for these, `recorded_permissions.json` holds what MLflow 3.6 answers. A
program too: `python -m tests.compat.differential_auth PYTHON` records it with the MLflow of that interpreter.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tests.compat.differential import API, Answer, Call, get, post
from tests.compat.differential_artifacts import _filled, _normal
from tests.compat.mlflow_server import MlflowServer

ADMIN, PASSWORD = "admin", "correct horse battery"
LEVELS = {"plain": None, "nobody": "NO_PERMISSIONS", "reader": "READ", "editor": "EDIT", "manager": "MANAGE"}
RECORDED = Path(__file__).parent / "recorded_permissions.json"
INI = f"""[mlflow]
default_permission = READ
database_uri = sqlite:///basic_auth.db
admin_username = {ADMIN}
admin_password = {PASSWORD}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
OPTIONS = ("--app-name", "basic-auth")


@dataclass(frozen=True)
class By:
    """A call by a user; None sends no credentials."""

    user: str | None
    call: Call
    password: str = PASSWORD


def config(folder: Path) -> str:
    """The path of a file of settings that both servers read, made in the folder."""
    path = folder / "auth.ini"
    path.write_text(INI)
    return str(path)


def theirs(folder: Path, python: str = sys.executable) -> MlflowServer:
    """MLflow's server with a login."""
    # MLflow hashes the password of every request several times: it may remember what it found for a minute.
    (folder / "theirs").mkdir()
    remembering = Path(config(folder / "theirs"))
    remembering.write_text(INI + "auth_cache_ttl_seconds = 60\n")
    variables = {"MLFLOW_AUTH_CONFIG_PATH": str(remembering), "MLFLOW_FLASK_SERVER_SECRET_KEY": "for tests"}
    return MlflowServer(folder, *OPTIONS, python=python, **variables)


def admin(*calls: Call) -> list[By]:
    return [By(ADMIN, call) for call in calls]


def patch(name: str, path: str, /, **body: Any) -> Call:
    return Call(name, "PATCH", f"{API}/{path}", body)


def delete(name: str, path: str, /, **body: Any) -> Call:
    return Call(name, "DELETE", f"{API}/{path}", body)


def making() -> list[By]:
    return admin(
        *(post(f"make {name}", "users/create", {"username": name, "password": PASSWORD}) for name in LEVELS),
        post("make experiment", "experiments/create", {"name": "e"}, save={"exp": ["experiment_id"]}),
        post(
            "make run",
            "runs/create",
            {"experiment_id": "$exp", "start_time": 1, "user_id": "u", "run_name": "r"},
            save={"run": ["run", "info", "run_id"]},
        ),
        post("make model", "registered-models/create", {"name": "m"}),
        post("make version", "model-versions/create", {"name": "m", "source": "runs:/$run/x", "run_id": "$run"}),
        Call("make file", "PUT", "/api/2.0/mlflow-artifacts/artifacts/$exp/$run/artifacts/x/a", raw=b"abc"),
    )


def users() -> list[By]:
    def make(name: str, **fields: Any) -> Call:
        return post(name, "users/create", fields)

    return [
        *admin(
            make("create user", username="ann", password=PASSWORD),
            make("create user again", username="ann", password=PASSWORD),
            make("create user without name", password=PASSWORD),
            make("create user without password", username="x"),
            make("create user with empty name", username="", password=PASSWORD),
            make("create user with empty password", username="x", password=""),
            make("create user with short password", username="x", password="12345678901"),
            get("get user", "users/get", username="ann"),
            get("get unknown user", "users/get", username="none"),
            get("get user without name", "users/get"),
            patch("change password", "users/update-password", username="ann", password=PASSWORD + "2"),
            patch("change to short password", "users/update-password", username="ann", password="short"),
            patch("change password of unknown user", "users/update-password", username="none", password=PASSWORD),
            patch("change without password", "users/update-password", username="ann"),
            patch("make administrator", "users/update-admin", username="ann", is_admin=True),
            patch("make administrator by word", "users/update-admin", username="ann", is_admin="x"),
            patch("make unknown administrator", "users/update-admin", username="none", is_admin=True),
            patch("make administrator without value", "users/update-admin", username="ann"),
            get("get administrator", "users/get", username="ann"),
        ),
        By("ann", get("by the old password", "experiments/get", experiment_id="$exp")),
        By("ann", get("by the new password", "experiments/get", experiment_id="$exp"), PASSWORD + "2"),
        *admin(
            patch("make ordinary", "users/update-admin", username="ann", is_admin=False),
            delete("delete user", "users/delete", username="ann"),
            delete("delete user again", "users/delete", username="ann"),
            delete("delete user without name", "users/delete"),
            get("get deleted user", "users/get", username="ann"),
            patch("last administrator made ordinary", "users/update-admin", username="none", is_admin=False),
        ),
        By("ann", get("by a deleted user", "experiments/get", experiment_id="$exp"), PASSWORD + "2"),
        By(None, get("without credentials", "experiments/get", experiment_id="$exp")),
        By("none", get("by an unknown user", "experiments/get", experiment_id="$exp")),
        By(ADMIN, get("by a wrong password", "experiments/get", experiment_id="$exp"), "wrong"),
        By(None, get("health", "/health")),
        By(None, get("unknown path without credentials", "nope")),
        By("reader", patch("own password", "users/update-password", username="reader", password=PASSWORD)),
    ]


def visits(user: str) -> list[By]:
    """What one of the users tries. Nothing of it stays, so that the next finds all as it was."""
    data = {"run_id": "$run", "key": f"k-{user}", "value": "1"}
    source = {"name": "m", "source": "runs:/$run/x", "run_id": "$run"}
    files = "/api/2.0/mlflow-artifacts/artifacts"
    own = "$exp/$run/artifacts"
    calls = [
        get("get experiment", "experiments/get", experiment_id="$exp"),
        get("get experiment by name", "experiments/get-by-name", experiment_name="e"),
        post("search runs", "runs/search", {"experiment_ids": ["$exp"], "filter": "attributes.run_name = 'r'"}),
        get("get run", "runs/get", run_id="$run"),
        get("get history", "metrics/get-history", run_id="$run", metric_key="x"),
        post("log metric", "runs/log-metric", {"run_id": "$run", "key": "x", "value": 1, "timestamp": 1, "step": 0}),
        post("log param", "runs/log-parameter", {"run_id": "$run", "key": "p", "value": "1"}),
        post("log batch", "runs/log-batch", {"run_id": "$run"}),
        post("set tag", "runs/set-tag", {**data, "key": "t"}),
        post("rename run", "runs/update", {"run_id": "$run", "run_name": "r"}),
        post("delete run", "runs/delete", {"run_id": "$run"}),
        post("restore run", "runs/restore", {"run_id": "$run"}),
        post(
            "set experiment tag", "experiments/set-experiment-tag", {"experiment_id": "$exp", "key": "t", "value": "1"}
        ),
        post("rename experiment", "experiments/update", {"experiment_id": "$exp", "new_name": "e"}),
        post("delete experiment", "experiments/delete", {"experiment_id": "$exp"}),
        post("restore experiment", "experiments/restore", {"experiment_id": "$exp"}),
        get("list artifacts", "artifacts/list", run_id="$run"),
        get("get artifact", "/get-artifact", run_id="$run", path="x/a"),
        get("list proxied", files, ("path", own)),
        get("get proxied", f"{files}/{own}/x/a"),
        Call("put proxied", "PUT", f"{files}/{own}/x/a", raw=b"abc"),
        Call("delete proxied", "DELETE", f"{files}/{own}/none"),
        get("get model", "registered-models/get", ("name", "m")),
        get("get version", "model-versions/get", ("name", "m"), version=1),
        get("get source of version", "model-versions/get-download-uri", ("name", "m"), version=1),
        patch("describe model", "registered-models/update", name="m", description="d"),
        post("tag model", "registered-models/set-tag", {"name": "m", "key": "t", "value": "1"}),
        delete("untag model", "registered-models/delete-tag", name="m", key="t"),
        post("alias model", "registered-models/alias", {"name": "m", "alias": "a", "version": "1"}),
        post("move version", "model-versions/transition-stage", {"name": "m", "version": "1", "stage": "None"}),
        post("make version", "model-versions/create", source),
        post("rename model", "registered-models/rename", {"name": "m", "new_name": "m"}),
        delete("delete missing version", "model-versions/delete", name="m", version="99"),
        get("get oneself", "users/get", username=user),
        get("get another user", "users/get", username=ADMIN),
        post("create a user", "users/create", {"username": "x", "password": PASSWORD}),
        patch("change another's password", "users/update-password", username=ADMIN, password=PASSWORD),
        patch("become administrator", "users/update-admin", username=user, is_admin=True),
        delete("delete another user", "users/delete", username=ADMIN),
        get("list webhooks", "webhooks"),
        post("echo", "/graphql", {"query": '{ test(inputString: "x") { output } }'}),
        post("experiment of GraphQL", "/graphql", {"query": EXPERIMENT}),
        get("get run that is not there", "runs/get", run_id="0" * 32),
        get("get model that is not there", "registered-models/get", ("name", "none")),
    ]
    renamed = (Call(f"{user}: {one.name}", one.method, one.path, one.body, one.raw, one.query) for one in calls)
    return [By(user, call) for call in renamed]


EXPERIMENT = '{ mlflowGetExperiment(input: {experimentId: "$exp"}) { experiment { name } } }'


def owners() -> list[By]:
    """Who makes something manages it."""
    return [
        By("plain", post("own experiment", "experiments/create", {"name": "own"}, save={"own": ["experiment_id"]})),
        By("plain", post("rename own experiment", "experiments/update", {"experiment_id": "$own", "new_name": "o"})),
        By("plain", post("delete own experiment", "experiments/delete", {"experiment_id": "$own"})),
        By("plain", post("own model", "registered-models/create", {"name": "own"})),
        By("plain", delete("delete own model", "registered-models/delete", name="own")),
        By("nobody", post("search experiments", "experiments/search", {"max_results": 10})),
        By("nobody", get("search models", "registered-models/search")),
    ]


CALLS = [*making(), *users(), *(one for user in LEVELS for one in visits(user)), *owners()]


def permissions() -> list[By]:
    """`…/permissions`, which MLflow had up to 3.x with one form for experiments and registered models."""
    calls = []
    for kind, path, fields in (
        ("experiment", f"{API}/experiments/permissions", {"experiment_id": "$exp"}),
        ("model", f"{API}/registered-models/permissions", {"name": "m"}),
    ):
        mine = {**fields, "username": "plain"}
        given = {**mine, "permission": "READ"}

        def one(title: str, method: str, action: str, /, kind: str = kind, path: str = path, **values: Any) -> Call:
            place, title = f"{path}/{action}", f"{kind}: {title}"
            if method == "GET":
                return Call(title, method, place, query=tuple(values.items()))
            return Call(title, method, place, values)

        calls += [
            one("get none", "GET", "get", **mine),
            one("create", "POST", "create", **given),
            one("create again", "POST", "create", **given),
            one("create for unknown user", "POST", "create", **{**given, "username": "none"}),
            one("create unknown", "POST", "create", **{**given, "permission": "X"}),
            one("create without permission", "POST", "create", **mine),
            one("create without user", "POST", "create", **fields, permission="READ"),
            one("create without what", "POST", "create", username="plain", permission="READ"),
            one("get", "GET", "get", **mine),
            one("get without user", "GET", "get", **fields),
            one("get of unknown user", "GET", "get", **{**mine, "username": "none"}),
            one("update", "PATCH", "update", **{**given, "permission": "EDIT"}),
            one("update unknown", "PATCH", "update", **{**given, "permission": "X"}),
            one("update none", "PATCH", "update", **{**given, "username": "reader"}),
            one("get updated", "GET", "get", **mine),
            one("update to nothing", "PATCH", "update", **{**given, "permission": "NO_PERMISSIONS"}),
            one("delete", "DELETE", "delete", **mine),
            one("delete again", "DELETE", "delete", **mine),
        ]
    calls += [
        post(
            "user with permission",
            "experiments/permissions/create",
            {"experiment_id": "$exp", "username": "reader", "permission": "MANAGE"},
        ),
        get("get user with permission", "users/get", username="reader"),
    ]
    return [*making(), *admin(*calls)]


def auth_answers(url: str, calls: Sequence[By] = tuple(CALLS)) -> dict[str, Answer]:
    """What the server at `url`, which must be empty, answers to every call.

    The texts of 401 and 403 are left out: those of MLflow are plain text.
    """
    saved: dict[str, str] = {}
    found: dict[str, Answer] = {}
    with httpx.Client(base_url=url, timeout=60) as client:
        for by in calls:
            if by.user in LEVELS and "granted" not in saved and calls[0].call.name == "make plain":
                _grant(client, saved)
            response = _send(client, by, saved)
            is_json = response.headers.get("content-type", "").startswith("application/json")
            body: Any = response.json() if is_json and response.content else response.text
            if response.status_code == 200:
                for name, keys in by.call.save.items():
                    value = body
                    for key in keys:
                        value = value[key]
                    saved[name] = value
            shown = None if response.status_code in (401, 403) else _plain(_normal(body, saved))
            found[by.call.name] = Answer(response.status_code, shown)
    return found


def _send(client: httpx.Client, by: By, saved: dict[str, str]) -> httpx.Response:
    call = by.call
    if call.method == "DELETE" and call.body is not None:
        call = replace(call, raw=json.dumps(call.body).encode())
    call = _filled(call, saved)
    content = call.raw
    headers = {} if call.method == "GET" else {"content-type": "application/json"}
    auth = None if by.user is None else (by.user, by.password)
    return client.request(call.method, call.path, content=content, headers=headers, auth=auth)


def _plain(body: Any) -> Any:
    """Without the ids that a server counts, and without lists that the other version of MLflow does not have."""
    if isinstance(body, dict):
        kept = {
            key: value for key, value in body.items() if (key, value) not in (("scorer_permissions", []), ("roles", []))
        }
        return {key: "$id" if key in ("id", "user_id") else _plain(value) for key, value in kept.items()}
    return [_plain(one) for one in body] if isinstance(body, list) else body


def _grant(client: httpx.Client, saved: dict[str, str]) -> None:
    """Give every user their permission, in the newest form that the server knows."""
    saved["granted"] = "yes"
    for user, permission in LEVELS.items():
        for kind, name in (("experiment", saved["exp"]), ("registered_model", "m")):
            if permission is None:
                continue
            level = "DENY" if permission == "NO_PERMISSIONS" else permission  # Its newer name.
            body = {"username": user, "resource_type": kind, "resource_id": name, "permission": level}
            path = "/api/3.0/mlflow/users/permissions/grant"
            answer = client.post(path, json=body, auth=(ADMIN, PASSWORD))
            if answer.status_code in (404, 501):
                field = "experiment_id" if kind == "experiment" else "name"
                path = f"{API}/{kind.replace('_', '-')}s/permissions/create"
                old = {field: name, "username": user, "permission": permission}
                answer = client.post(path, json=old, auth=(ADMIN, PASSWORD))
            answer.raise_for_status()


def record(python: str) -> None:
    """Write down what the MLflow of an interpreter answers about permissions."""
    with tempfile.TemporaryDirectory() as name, theirs(Path(name), python) as running:
        found = auth_answers(running.url, permissions())
    shown = {name: [answer.status, answer.body] for name, answer in found.items()}
    RECORDED.write_text(json.dumps(shown, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    record(sys.argv[1])
