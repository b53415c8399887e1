"""Every endpoint, asked by every kind of user: the rights that are declared are the rights that are asked for."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import pytest
from msgspec.structs import fields

from minleaf_server import rest
from minleaf_server.db.store import Store
from minleaf_server.entities.permission import Permission, Resource
from minleaf_server.errors import NotSupported
from minleaf_server.rest.endpoint import Endpoint, RawEndpoint
from minleaf_server.tracking import experiments, logged_models, registered_models, runs
from minleaf_server.web.policy import Access, On, policy_of, subject_of
from tests.support.auth import ADMIN, Site

LEVELS = ("NO_PERMISSIONS", "DENY", "READ", "USE", "EDIT", "MANAGE")
ENOUGH = {
    Access.READ: {"READ", "USE", "EDIT", "MANAGE"},
    Access.LOG: {"EDIT", "MANAGE"},
    Access.EDIT: {"EDIT", "MANAGE"},
    Access.MANAGE: {"MANAGE"},
}
USERS = ("nobody", *LEVELS, ADMIN)
MODEL = "the model"


@pytest.fixture
async def things(store: Store) -> dict[str, Any]:
    """One experiment with a run and a logged model, and a registered model: a value for each field that names one."""
    experiment = await experiments.create(store, "the experiment")
    run = await runs.create(store, experiment.id)
    model = await logged_models.create(store, experiment.id, name="logged")
    named = {"experiment_id": str(experiment.id), "experiment_name": "the experiment", "run_id": run.info.id}
    return {**named, "model_id": model.id, "name": MODEL}


@pytest.fixture
async def site(store: Store, things: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    site = Site(store)
    await registered_models.create(site.services, MODEL)
    site.add("nobody")
    for level in LEVELS:
        one = Permission[level]
        names = {(Resource.EXPERIMENT, things["experiment_id"]): one, (Resource.REGISTERED_MODEL, MODEL): one}
        site.add(level, names)
    for endpoint in rest.ENDPOINTS:
        # Whoever gets here has passed. What the handlers do would change what the next request is about.
        monkeypatch.setattr(endpoint, "handler", passed)
    yield site
    site.close()


async def passed(*_: object) -> None:
    raise NotSupported("passed")


def requests(things: dict[str, Any], user: str) -> Iterator[tuple[Endpoint | RawEndpoint, str, dict[str, Any]]]:
    """Every endpoint under each of its paths, with the least message that it takes."""
    values = {**things, "username": user, "path": f"{things['experiment_id']}/a"}
    values["artifact_path"], values["parts"] = values["path"], [{"part_number": 1, "etag": "e"}]
    values["experiment_ids"], values["run_ids"] = [things["experiment_id"]], [things["run_id"]]
    for endpoint in rest.ENDPOINTS:
        message = _message(endpoint, values)
        for path in endpoint.paths:
            for name in list(message):
                if f"{{{name}" in path:
                    before, _, rest_ = path.partition(f"{{{name}")
                    path = before + str(message[name]) + rest_.partition("}")[2]
            yield endpoint, path, message


def _message(endpoint: Endpoint | RawEndpoint, values: dict[str, Any]) -> dict[str, Any]:
    if isinstance(endpoint, RawEndpoint):
        return {name: values[name] for name in ("run_id", "model_id", "name", "path")}
    found: dict[str, Any] = {}
    for field in fields(endpoint.request):
        if field.name in values and (field.required or field.name not in ("name", "model_id", "path", "run_id")):
            value = values[field.name]
            found[field.name] = [value] if "list" in str(field.type) and not isinstance(value, list) else value
        elif field.required:
            found[field.name] = _example(field.type)
    if "run_id" in endpoint.request.__struct_fields__ and subject_of(endpoint) is On.RUN:
        wants_list = "list" in str(endpoint.request.__annotations__["run_id"])
        found["run_id"] = [values["run_id"]] if wants_list else values["run_id"]
    if subject_of(endpoint) is On.ARTIFACT and "artifact_path" not in found:
        found["path"] = values["path"]
    return found


def _example(declared: Any) -> Any:
    examples: tuple[Any, ...] = ("x", 1, True, [], {}, [{"key": "k"}], ["x"])
    for value in examples:
        try:
            msgspec.convert(value, declared)
        except msgspec.ValidationError:
            continue
        return value
    raise AssertionError(f"no example of {declared}")


def expected(endpoint: Endpoint | RawEndpoint, user: str) -> bool:
    """Whether the user may; worked out from the declaration alone."""
    policy, on = policy_of(endpoint), subject_of(endpoint)
    assert policy is not None
    if user == ADMIN:
        return True
    if policy is Access.ADMIN:
        return False
    if on is On.SERVER:
        return policy is not Access.MANAGE
    return on is On.USER or user in ENOUGH[policy]


async def send(client: httpx.AsyncClient, endpoint: Endpoint | RawEndpoint, path: str, message: Any) -> httpx.Response:
    if isinstance(endpoint, RawEndpoint) or endpoint.method == "GET":
        return await client.request(endpoint.method, path, params=message)
    return await client.request(endpoint.method, path, json=message)


async def test_every_endpoint_asks_for_the_right_that_it_declares(site: Site, things: dict[str, Any]) -> None:
    wrong, count = [], 0
    for user in USERS:
        async with site.client(user) as client:
            for endpoint, path, message in requests(things, user):
                answer = await send(client, endpoint, path, message)
                want = 501 if expected(endpoint, user) else 403
                count += 1
                if answer.status_code != want or (want == 501 and "passed" not in answer.text):
                    wrong.append((user, endpoint.method, path, answer.status_code))
    assert not wrong, wrong
    assert count > 8 * 150


async def test_without_credentials_nothing_passes(site: Site, things: dict[str, Any]) -> None:
    async with site.client(None) as client:
        for endpoint, path, message in requests(things, "nobody"):
            answer = await send(client, endpoint, path, message)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_what_is_unknown_is_as_forbidden_as_what_is_not_permitted(site: Site, things: dict[str, Any]) -> None:
    unknown = {**things, "experiment_id": "987654", "run_id": "f" * 32, "model_id": "m-" + "f" * 32, "name": "unknown"}
    unknown["experiment_name"] = "unknown"
    async with site.client("nobody") as client:
        for (endpoint, path, message), (_, there, same) in zip(
            requests(unknown, "nobody"), requests(things, "nobody"), strict=True
        ):
            if expected(endpoint, "nobody"):
                continue
            first, second = await send(client, endpoint, path, message), await send(client, endpoint, there, same)
            assert (first.status_code, first.text) == (second.status_code, second.text), path


RIGHTS = {
    "POST /2.0/mlflow/runs/delete": (Access.MANAGE, On.RUN),
    "POST /2.0/mlflow/runs/restore": (Access.MANAGE, On.RUN),
    "POST /2.0/mlflow/runs/log-batch": (Access.LOG, On.RUN),
    "POST /2.0/mlflow/runs/create": (Access.LOG, On.EXPERIMENT),
    "POST /2.0/mlflow/runs/search": (Access.READ, On.EXPERIMENT),
    "POST /2.0/mlflow/experiments/delete": (Access.MANAGE, On.EXPERIMENT),
    "POST /2.0/mlflow/experiments/update": (Access.EDIT, On.EXPERIMENT),
    "POST /2.0/mlflow/users/create": (Access.ADMIN, On.SERVER),
    "POST /2.0/mlflow/users/create-ui": (Access.ADMIN, On.SERVER),
    "PATCH /2.0/mlflow/users/update-password": (Access.EDIT, On.USER),
    "PATCH /2.0/mlflow/users/update-admin": (Access.ADMIN, On.SERVER),
    "DELETE /2.0/mlflow/users/delete": (Access.ADMIN, On.SERVER),
    "POST /2.0/mlflow/experiments/permissions/create": (Access.MANAGE, On.EXPERIMENT),
    "POST /2.0/mlflow/registered-models/permissions/create": (Access.MANAGE, On.REGISTERED_MODEL),
    "POST /2.0/mlflow/logged-models/search": (Access.READ, On.EXPERIMENT),
    "DELETE /2.0/mlflow/logged-models/{model_id}": (Access.MANAGE, On.LOGGED_MODEL),
    "POST /2.0/mlflow/webhooks": (Access.ADMIN, On.SERVER),
    "DELETE /2.0/mlflow/model-versions/delete": (Access.MANAGE, On.REGISTERED_MODEL),
    "DELETE /2.0/mlflow/registered-models/delete": (Access.MANAGE, On.REGISTERED_MODEL),
    "POST /2.0/mlflow/registered-models/rename": (Access.MANAGE, On.REGISTERED_MODEL),
    "DELETE /2.0/mlflow-artifacts/artifacts/{path:artifact}": (Access.MANAGE, On.ARTIFACT),
    "PUT /2.0/mlflow-artifacts/artifacts/{path:artifact}": (Access.LOG, On.ARTIFACT),
}


def test_the_rights_that_matter_most() -> None:
    found = {f"{one.method} {one.path}": (policy_of(one), subject_of(one)) for one in rest.ENDPOINTS}
    assert {name: found.get(name) for name in RIGHTS} == RIGHTS
