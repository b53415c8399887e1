"""Users and permissions over the API: what searches leave out, who owns what is made, and how soon a change counts."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from minleaf_server.db.store import Store
from minleaf_server.tracking import authority as authority_module
from tests.support.auth import ADMIN, PASSWORD, Site

API = "/api/2.0/mlflow"


class People:
    """Calls by name of the user. Each checks the status."""

    def __init__(self, clients: dict[str, httpx.AsyncClient]) -> None:
        self.clients = clients

    async def __call__(self, name: str, method: str, path: str, status: int = 200, /, **fields: Any) -> Any:
        whole = path if path.startswith("/") else f"{API}/{path}"
        sent = {"params": fields or None} if method == "GET" else {"json": fields}
        answer = await self.clients[name].request(method, whole, **sent)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.text


@pytest.fixture
def site(store: Store) -> Iterator[Site]:
    site = Site(store)
    for name in ("ann", "ben"):
        site.add(name)
    yield site
    site.close()


@pytest.fixture
async def ask(site: Site) -> AsyncIterator[People]:
    async with AsyncExitStack() as stack:
        names = (ADMIN, "ann", "ben")
        yield People({name: await stack.enter_async_context(site.client(name)) for name in names})


async def experiment(ask: People, name: str, by: str = "ann") -> str:
    made: str = (await ask(by, "POST", "experiments/create", name=name))["experiment_id"]
    return made


async def grant(ask: People, experiment_id: str, permission: str, to: str = "ben", by: str = "ann") -> None:
    fields = {"experiment_id": experiment_id, "username": to, "permission": permission}
    await ask(by, "POST", "experiments/permissions/create", **fields)


async def pages(ask: People, name: str, path: str, items: str, **fields: Any) -> list[list[dict[str, Any]]]:
    found, token = [], ""
    while True:
        method = "GET" if path.startswith(("registered", "model-")) else "POST"
        page = await ask(name, method, path, **fields, page_token=token)
        found.append(page.get(items, []))
        token = page.get("next_page_token", "")
        if not token:
            return found


async def test_a_search_of_experiments_has_full_pages_of_what_may_be_read(ask: People) -> None:
    ids = [await experiment(ask, f"e{number}") for number in range(10)]
    for number in (0, 3, 4, 5, 6, 8):
        await grant(ask, ids[number], "READ")
    await grant(ask, ids[1], "NO_PERMISSIONS")
    found = await pages(ask, "ben", "experiments/search", "experiments", max_results=4, order_by=["name"])
    assert [[one["name"] for one in page] for page in found] == [["e0", "e3", "e4", "e5"], ["e6", "e8"]]
    assert len((await ask("ann", "POST", "experiments/search", max_results=100))["experiments"]) == 10
    assert len((await ask(ADMIN, "POST", "experiments/search", max_results=100))["experiments"]) == 11


async def test_the_names_of_tags_of_others_are_not_told(ask: People) -> None:
    await ask("ann", "POST", "experiments/create", name="e", tags=[{"key": "her_secret_tag", "value": "v"}])
    for name, told in (("ann", True), ("ben", False)):
        answer = await ask.clients[name].post(
            f"{API}/experiments/search", json={"max_results": 5, "filter": "her_secret_tax = 'v'"}
        )
        assert answer.status_code == 400
        assert ("her_secret_tag" in answer.text) is told


async def test_a_search_of_runs_leaves_out_experiments_that_may_not_be_read(ask: People) -> None:
    ids = [await experiment(ask, f"e{number}") for number in range(3)]
    for one in ids:
        for _ in range(3):
            await ask("ann", "POST", "runs/create", experiment_id=one)
    await grant(ask, ids[0], "READ")
    await grant(ask, ids[2], "READ")
    found = await pages(ask, "ben", "runs/search", "runs", experiment_ids=ids, max_results=4)
    assert [len(page) for page in found if page] == [4, 2]
    assert {run["info"]["experiment_id"] for page in found for run in page} == {ids[0], ids[2]}
    await ask("ben", "POST", "runs/search", 403, experiment_ids=[ids[1]])
    await ask("ben", "POST", "logged-models/search", 403, experiment_ids=[ids[1]])


async def test_a_search_of_logged_models_and_its_pages(ask: People) -> None:
    ids = [await experiment(ask, f"e{number}") for number in range(4)]
    for one in ids:
        await ask("ann", "POST", "logged-models", experiment_id=one, name="m")
    for number in (0, 2, 3):
        await grant(ask, ids[number], "READ")
    found = await pages(ask, "ben", "logged-models/search", "models", experiment_ids=ids, max_results=2)
    assert [len(page) for page in found] == [2, 1]
    assert {one["info"]["experiment_id"] for page in found for one in page} == {ids[0], ids[2], ids[3]}


async def test_a_search_of_registered_models_has_full_pages(ask: People) -> None:
    for number in range(6):
        await ask("ann", "POST", "registered-models/create", name=f"m{number}")
        await ask("ann", "POST", "model-versions/create", name=f"m{number}", source="s3://bucket/model")
    for number in (0, 2, 5):
        fields = {"name": f"m{number}", "username": "ben", "permission": "READ"}
        await ask("ann", "POST", "registered-models/permissions/create", **fields)
    found = await pages(ask, "ben", "registered-models/search", "registered_models", max_results=2)
    assert [[one["name"] for one in page] for page in found] == [["m0", "m2"], ["m5"]]
    versions = await pages(ask, "ben", "model-versions/search", "model_versions", max_results=2)
    assert sorted(one["name"] for page in versions for one in page) == ["m0", "m2", "m5"]
    assert [len(page) for page in versions] == [2, 1]
    await ask("ben", "GET", "registered-models/get", 403, name="m1")


async def test_who_makes_something_manages_it(ask: People) -> None:
    one = await experiment(ask, "her experiment")
    await ask("ann", "POST", "registered-models/create", name="m")
    user = (await ask("ann", "GET", "users/get", username="ann"))["user"]
    mine = {"user_id": user["id"], "permission": "MANAGE"}
    assert user["experiment_permissions"] == [{"experiment_id": one, **mine}]
    assert user["registered_model_permissions"] == [{"name": "m", "workspace": "default", **mine}]
    await ask("ben", "GET", "experiments/get", 403, experiment_id=one)
    await ask("ben", "GET", f"/experiments/{one}", 403)
    await ask("ann", "GET", f"/experiments/{one}")
    assert "her experiment" not in await ask("ben", "GET", "/")
    assert "her experiment" in await ask("ann", "GET", "/")


async def test_permissions_go_with_the_name_of_a_model_and_not_to_the_next_of_that_name(ask: People) -> None:
    def grants(name: str) -> dict[str, str]:
        return {"name": name, "username": "ben", "permission": "EDIT"}

    await ask("ann", "POST", "registered-models/create", name="old")
    await ask("ann", "POST", "registered-models/permissions/create", **grants("old"))
    await ask(ADMIN, "POST", "registered-models/permissions/create", **grants("new"))
    await ask("ann", "POST", "registered-models/rename", name="old", new_name="new")
    await ask("ben", "PATCH", "registered-models/update", name="new", description="d")
    await ask("ann", "POST", "registered-models/create", name="old")
    await ask("ben", "GET", "registered-models/get", 403, name="old")
    await ask("ann", "DELETE", "registered-models/delete", name="new")
    missing = await ask(ADMIN, "GET", "registered-models/permissions/get", 404, name="new", username="ben")
    assert missing["message"] == "Registered model permission with name=new and username=ben not found"
    await ask("ann", "POST", "registered-models/create", name="new")
    await ask("ben", "GET", "registered-models/get", 403, name="new")
    await ask(ADMIN, "POST", "registered-models/permissions/create", **grants("later"))
    await ask("ann", "POST", "registered-models/create", name="later")
    await ask("ben", "GET", "registered-models/get", 403, name="later")


async def test_runs_of_another_experiment_cannot_be_reached_through_ones_own(ask: People) -> None:
    theirs, mine = await experiment(ask, "ann's"), await experiment(ask, "ben's", by="ben")
    foreign = (await ask("ann", "POST", "runs/create", experiment_id=theirs))["run"]["info"]
    own = (await ask("ben", "POST", "runs/create", experiment_id=mine))["run"]["info"]["run_id"]
    model = (await ask("ann", "POST", "logged-models", experiment_id=theirs, name="m"))["model"]["info"]["model_id"]
    run_id = foreign["run_id"]
    await ask("ben", "GET", "runs/get", 403, run_id=run_id)
    await ask("ben", "POST", "runs/log-metric", 403, run_uuid=run_id, key="k", value=1, timestamp=1)
    await ask("ben", "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", 403, run_id=[own, run_id], metric_key="k")
    metric = {"key": "k", "value": 1, "timestamp": 1, "model_id": model}
    await ask("ben", "POST", "runs/log-batch", 403, run_id=own, metrics=[metric])
    await ask("ben", "POST", "runs/log-metric", 403, run_id=own, **metric)
    await ask("ben", "POST", "runs/outputs", 403, run_id=own, models=[{"model_id": model, "step": 0}])
    await ask("ben", "GET", f"/compare?run={own}&run={run_id}", 403)
    await ask("ben", "GET", f"/compare?run={own}")
    await ask("ben", "GET", f"/charts/curves?run={run_id}&metric=k", 403)
    assert f"/runs/{run_id}" in await ask("ann", "GET", f"/search?q={run_id}")
    assert f"/runs/{run_id}" not in await ask("ben", "GET", f"/search?q={run_id}")
    await ask("ben", "POST", "registered-models/create", name="stolen")
    for source in (f"{foreign['artifact_uri']}/model", f"runs:/{run_id}/model", f"models:/{model}"):
        await ask("ben", "POST", "model-versions/create", 403, name="stolen", source=source)
    await ask("ben", "POST", "experiments/create", 403, name="x", artifact_location=foreign["artifact_uri"])


async def test_files_of_an_experiment_cannot_be_reached_through_the_address_of_their_store(
    store: Store, tmp_path: Path
) -> None:
    """However the address is written, and whether it is in the experiment's folder or around it."""
    site = Site(store, artifacts_destination=f"{tmp_path}/all/proxied", allow_artifact_location=f"{tmp_path}/all")
    async with AsyncExitStack() as stack:
        for name in ("ann", "ben"):
            site.add(name)
        names = (ADMIN, "ann", "ben")
        ask = People({name: await stack.enter_async_context(site.client(name)) for name in names})
        mine = await experiment(ask, "ben's", by="ben")
        located = {"theirs": f"{tmp_path}/all/direct/7", "proxied": "mlflow-artifacts:/team"}
        made = {
            name: (await ask(ADMIN, "POST", "experiments/create", name=name, artifact_location=place))["experiment_id"]
            for name, place in located.items()
        }
        info = (await ask(ADMIN, "POST", "runs/create", experiment_id=made["theirs"]))["run"]["info"]
        assert info["artifact_uri"] == f"{tmp_path}/all/direct/7/{info['run_id']}/artifacts"
        await ask("ben", "POST", "registered-models/create", name="m")
        version = {"name": "m"}
        stolen = (
            info["artifact_uri"],
            f"file://{tmp_path}/all/direct/7/",
            f"file:{tmp_path}//all/direct/%37/x",
            f"{tmp_path}/all/direct",
            f"file://{tmp_path}/all",
            f"{tmp_path}/all/proxied/team/x",
            "mlflow-artifacts:/team/x",
            "mlflow-artifacts:/",
            f"{tmp_path}/all/nobody",
        )
        for source in stolen:
            await ask("ben", "POST", "model-versions/create", 403, **version, source=source)
        run = (await ask("ben", "POST", "runs/create", experiment_id=mine))["run"]["info"]
        named = {"source": run["artifact_uri"], "run_id": run["run_id"]}
        await ask("ben", "POST", "model-versions/create", **version, **named)
        await grant(ask, made["proxied"], "READ", by=ADMIN)
        await ask("ben", "POST", "model-versions/create", 403, **version, source="mlflow-artifacts:/")
        # By its address on the disk: the proxied one also needs a first part that is the id of an experiment.
        await grant(ask, made["theirs"], "READ", by=ADMIN)
        await ask("ben", "POST", "model-versions/create", 400, **version, source=info["artifact_uri"])
        named = {"source": info["artifact_uri"], "run_id": info["run_id"]}
        await ask("ben", "POST", "model-versions/create", **version, **named)
    site.close()


async def test_an_address_for_an_upload_to_a_model_needs_the_right_on_the_model(ask: People) -> None:
    one = await experiment(ask, "e")
    model = (await ask("ann", "POST", "logged-models", experiment_id=one, name="m"))["model"]["info"]["model_id"]
    run_id = (await ask("ann", "POST", "runs/create", experiment_id=one))["run"]["info"]["run_id"]
    path = "artifacts/presigned-upload-url"
    for named in ({"model_id": model}, {"run_id": run_id}, {"run_id": run_id, "model_id": model}, {}):
        await ask("ben", "POST", path, 403, path="a.bin", **named)
    await grant(ask, one, "EDIT")
    # The store of these tests is no cloud: that is told after the rights were found to be there.
    answer = await ask("ben", "POST", path, 400, path="a.bin", model_id=model)
    assert "Presigned upload is not supported" in answer["message"]


async def test_graphql_asks_for_the_same_rights(ask: People) -> None:
    one = await experiment(ask, "e")
    fields = "{ experiment { name } apiError { code } }"
    query = f'query {{ mlflowGetExperiment(input: {{experimentId: "{one}"}}) {fields} }}'
    mine = await ask("ann", "POST", "/graphql", query=query)
    assert mine["data"]["mlflowGetExperiment"]["experiment"]["name"] == "e"
    theirs = await ask("ben", "POST", "/graphql", query=query)
    assert theirs["data"]["mlflowGetExperiment"]["apiError"]["code"] == "PERMISSION_DENIED"
    assert '"e"' not in str(theirs)


async def test_users_see_and_change_themselves_only(ask: People) -> None:
    await ask("ann", "GET", "users/get", 403, username="ben")
    await ask("ann", "GET", "users/get", 403, username="nobody")
    await ask("ann", "PATCH", "users/update-password", 403, username="ben", password="a new password")
    await ask("ann", "PATCH", "users/update-admin", 403, username="ann", is_admin=True)
    await ask("ann", "DELETE", "users/delete", 403, username="ann")
    await ask("ann", "POST", "users/create", 403, username="cat", password="a new password")
    shown = await ask(ADMIN, "GET", "users/get", username="ann")
    assert set(shown["user"]) >= {
        "id",
        "username",
        "is_admin",
        "experiment_permissions",
        "registered_model_permissions",
    }
    assert "password" not in str(shown)
    assert (await ask(ADMIN, "GET", "users/get", 404, username="x"))["message"] == "User with username=x not found"
    taken = await ask(ADMIN, "POST", "users/create", 400, username="ann", password="a new password")
    assert (taken["error_code"], taken["message"]) == ("RESOURCE_ALREADY_EXISTS", "User (username=ann) already exists.")


async def test_one_administrator_is_left(ask: People) -> None:
    for method, path, fields in (("DELETE", "users/delete", {}), ("PATCH", "users/update-admin", {"is_admin": False})):
        refused = await ask(ADMIN, method, path, 400, username=ADMIN, **fields)
        assert "only administrator" in refused["message"]
    await ask(ADMIN, "PATCH", "users/update-admin", username="ann", is_admin=True)
    await ask("ann", "DELETE", "users/delete", username=ADMIN)
    await ask(ADMIN, "GET", "users/get", 401, username=ADMIN)
    await ask("ann", "PATCH", "users/update-admin", 400, username="ann", is_admin=False)


async def test_a_change_counts_from_the_next_request_on(ask: People) -> None:
    one = await experiment(ask, "e")
    for permission, status in (("READ", 200), ("NO_PERMISSIONS", 403), ("MANAGE", 200), (None, 403)):
        fields = {"experiment_id": one, "username": "ben"}
        if permission == "READ":
            await grant(ask, one, "READ")
        elif permission:
            await ask("ann", "PATCH", "experiments/permissions/update", **fields, permission=permission)
        else:
            await ask("ann", "DELETE", "experiments/permissions/delete", **fields)
        await ask("ben", "GET", "experiments/get", status, experiment_id=one)
    await ask("ben", "PATCH", "users/update-password", username="ben", password="another password")
    await ask("ben", "GET", "users/get", 401, username="ben")
    await ask("ann", "GET", "users/get", username="ann")
    await ask(ADMIN, "DELETE", "users/delete", username="ann")
    await ask("ann", "GET", "users/get", 401, username="ann")


async def test_another_process_follows(site: Site, ask: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second server on the same database, which looks for changes at each request here and after 0.5 s in earnest."""
    monkeypatch.setattr(authority_module, "FRESH_SECONDS", 0)
    one = await experiment(ask, "e")
    await grant(ask, one, "READ")
    other = Site(site.store, first=False)
    async with other.client("ben") as client:
        path = f"{API}/experiments/get?experiment_id={one}"
        assert (await client.get(path)).status_code == 200
        await ask("ann", "DELETE", "experiments/permissions/delete", experiment_id=one, username="ben")
        assert (await client.get(path)).status_code == 403
        await ask(ADMIN, "PATCH", "users/update-admin", username="ben", is_admin=True)
        assert (await client.get(path)).status_code == 200
        await ask(ADMIN, "DELETE", "users/delete", username="ben")
        assert (await client.get(path)).status_code == 401
    other.close()


async def test_permissions_in_the_form_of_mlflow(ask: People) -> None:
    one = await experiment(ask, "e")
    fields = {"experiment_id": one, "username": "ben"}
    path = "experiments/permissions"
    wrong = await ask("ann", "POST", f"{path}/create", 400, **fields, permission="ALL")
    assert "READ" in wrong["message"]
    missing = await ask("ann", "GET", f"{path}/get", 404, **fields)
    assert missing["message"] == f"Experiment permission with experiment_id={one} and username=ben not found"
    made = await ask("ann", "POST", f"{path}/create", **fields, permission="READ")
    assert made["experiment_permission"]["permission"] == "READ"
    assert (await ask("ann", "GET", f"{path}/get", **fields)) == made
    again = await ask("ann", "POST", f"{path}/create", 400, **fields, permission="READ")
    assert again["error_code"] == "RESOURCE_ALREADY_EXISTS"
    await ask("ann", "PATCH", f"{path}/update", 404, experiment_id=one, username="x", permission="READ")
    await ask("ben", "POST", f"{path}/create", 403, experiment_id=one, username="ben", permission="MANAGE")
    # As in MLflow, on what does not exist; the same number written otherwise is the same experiment.
    await ask(ADMIN, "POST", f"{path}/create", experiment_id="QwErTy", username="ben", permission="READ")
    assert (await ask("ann", "GET", f"{path}/get", experiment_id=f"00{one}", username="ben"))["experiment_permission"]
    scorer = {"experiment_id": one, "scorer_name": "s/1", "username": "ben"}
    await ask("ann", "POST", "/api/3.0/mlflow/scorers/permissions/create", **scorer, permission="EDIT")
    found = await ask("ann", "GET", "/api/3.0/mlflow/scorers/permissions/get", **scorer)
    assert found["scorer_permission"]["scorer_name"] == "s/1"


async def test_the_form_for_a_new_user(ask: People) -> None:
    client = ask.clients[ADMIN]
    page = (await client.get("/signup")).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    fields = {"username": "<b>cat</b>", "password": PASSWORD}
    path = f"{API}/users/create-ui"
    missing = await client.post(path, data=fields)
    assert missing.status_code == 400
    assert "The CSRF token is missing" in missing.text
    assert (await client.post(path, data={**fields, "csrf_token": token + "x"})).status_code == 400
    assert (await client.post(path, json={**fields, "csrf_token": token})).status_code == 400
    await ask("ann", "GET", "/signup", 403)
    done = await client.post(path, data={**fields, "csrf_token": token}, follow_redirects=True)
    assert "Successfully signed up user: <bdi>&lt;b&gt;cat&lt;/b&gt;</bdi>" in done.text
    assert "signed up" not in (await client.get("/signup?created=nobody")).text


async def test_without_a_login_there_are_no_users(store: Store) -> None:
    from minleaf_server.app.assembly import application
    from tests.support.services import services_over

    transport = httpx.ASGITransport(application(services_over(store)))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as client:
        answer = await client.get(f"{API}/users/get", params={"username": "admin"})
        assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
        assert (await client.get("/signup")).status_code == 404


async def test_a_default_permission_of_read(store: Store) -> None:
    site = Site(store, default_permission="read")
    for name in ("ann", "ben"):
        site.add(name)
    async with site.client("ann") as ann, site.client("ben") as ben:
        ids = [
            (await ann.post(f"{API}/experiments/create", json={"name": name})).json()["experiment_id"] for name in "ab"
        ]
        fields = {"experiment_id": ids[0], "username": "ben", "permission": "NO_PERMISSIONS"}
        assert (await ann.post(f"{API}/experiments/permissions/create", json=fields)).status_code == 200
        found = (await ben.post(f"{API}/experiments/search", json={"max_results": 10})).json()["experiments"]
        assert [one["name"] for one in found] == ["b", "Default"]
        assert (await ben.get(f"{API}/experiments/get", params={"experiment_id": "987"})).status_code == 404
        assert (await ben.post(f"{API}/runs/create", json={"experiment_id": ids[1]})).status_code == 403
    site.close()
