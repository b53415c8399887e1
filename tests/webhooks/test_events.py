"""From an event to its deliveries, and the test endpoint, through the API on both databases."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.entities.webhook import ACTIONS, WebhookChange, WebhookEvent
from minleaf_server.errors import InvalidState
from minleaf_server.tracking import webhooks
from minleaf_server.tracking.events import fire
from minleaf_server.tracking.services import Services
from minleaf_server.tracking.webhooks import EXAMPLES
from minleaf_server.webhooks.courier import Courier
from tests.rest.conftest import Api
from tests.webhooks.receiver import Receiver, Reply

VERSION = {"name": "m", "version": "1", "key": "k", "value": "é"}


async def hook(api: Api, url: str, *events: str, **fields: Any) -> str:
    pairs = [name.upper().split(".") for name in events or ("model_version_tag.set",)]
    asked = [{"entity": entity, "action": action} for entity, action in pairs]
    made = await api.ok("webhooks", {"name": "hook", "url": url, "events": asked, **fields})
    webhook_id: str = made["webhook"]["webhook_id"]
    return webhook_id


class Queries:
    """How many statements the readers of a store run."""

    def __init__(self, store: Store) -> None:
        self.count = 0
        self.engine: Engine = store._reader._engine

    def __enter__(self) -> "Queries":
        event.listen(self.engine, "before_cursor_execute", self._counted)
        return self

    def __exit__(self, *_error: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._counted)

    def _counted(self, _conn: object, _cursor: object, statement: str, *_more: object) -> None:
        self.count += "webhook" in statement


async def test_who_asks_is_told(api: Api, services: Services) -> None:
    with Receiver() as receiver:
        await hook(api, receiver.url, "model_version_tag.set", "prompt.created", secret="whsec")
        await hook(api, receiver.url + "/other", "model_version_tag.deleted")
        await hook(api, receiver.url + "/off", status="DISABLED")
        await fire(services, "model_version_tag", "set", VERSION)
        (call,) = receiver.wait_for(1)
        services.courier.close()
        assert len(receiver.received) == 1
    assert call.is_signed_with("whsec")
    body = call.json()
    assert datetime.fromisoformat(body.pop("timestamp")).utcoffset() is not None
    assert body == {"entity": "model_version_tag", "action": "set", "data": VERSION}


async def test_an_event_that_nobody_asks_for_costs_one_query_once(api: Api, services: Services) -> None:
    with Queries(services.store) as queries:
        for _ in range(5):
            await fire(services, "model_version", "created", {})
    assert queries.count == 1
    assert services.courier._threads == []


async def test_a_change_is_known_at_once(api: Api, services: Services) -> None:
    with Receiver() as receiver:
        await fire(services, "model_version_tag", "set", {"n": 0})
        webhook_id = await hook(api, receiver.url)
        await fire(services, "model_version_tag", "set", {"n": 1})
        receiver.wait_for(1)
        path = f"/api/2.0/mlflow/webhooks/{webhook_id}"
        await api.client.patch(path, json={"url": receiver.url + "/moved"})
        await fire(services, "model_version_tag", "set", {"n": 2})
        receiver.wait_for(2)
        await api.client.patch(path, json={"status": "DISABLED"})
        await fire(services, "model_version_tag", "set", {"n": 3})
        await api.client.patch(path, json={"status": "ACTIVE"})
        await api.client.delete(path)
        await fire(services, "model_version_tag", "set", {"n": 4})
        services.courier.close()
    assert [(call.path, call.json()["data"]["n"]) for call in receiver.received] == [("/hook", 1), ("/hook/moved", 2)]


async def test_a_secret_that_is_taken_away_or_replaced(api: Api, services: Services) -> None:
    with Receiver() as receiver:
        webhook_id = await hook(api, receiver.url, secret="old")
        path = f"/api/2.0/mlflow/webhooks/{webhook_id}"
        await api.client.patch(path, json={"secret": "new"})
        await fire(services, "model_version_tag", "set", {})
        assert receiver.wait_for(1)[0].is_signed_with("new")
        await api.client.patch(path, json={"name": "kept"})
        await fire(services, "model_version_tag", "set", {})
        assert receiver.wait_for(2)[1].is_signed_with("new")
        await api.client.patch(path, json={"secret": ""})
        await fire(services, "model_version_tag", "set", {})
        assert "x-mlflow-signature" not in receiver.wait_for(3)[2].headers


async def test_fire_never_raises(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    services.store._reader.close()
    await fire(services, "model_version", "created", {})
    assert [record.getMessage() for record in caplog.records] == ["webhooks were not told"]


async def test_the_test_endpoint(api: Api) -> None:
    with Receiver(Reply(201, b"taken")) as receiver:
        webhook_id = await hook(api, receiver.url, "prompt.created", "model_version_tag.set", secret="whsec")
        answer = await api.ok(f"webhooks/{webhook_id}/test", {})
        assert answer == {"result": {"success": True, "response_status": 201, "response_body": "taken"}}
        chosen = {"event": {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}}
        await api.ok(f"webhooks/{webhook_id}/test", chosen)
    first, second = receiver.received
    assert first.is_signed_with("whsec")
    assert (first.json()["entity"], first.json()["action"]) == ("prompt", "created")
    assert first.json()["data"] == EXAMPLES["prompt.created"]
    assert second.json()["data"] == {"name": "example_model", "alias": "example_alias", "version": "1"}


async def test_a_test_that_fails(api: Api) -> None:
    with Receiver(Reply(500, b"broken"), Reply(404, b"{}"), Reply(302, b"", (("Location", "http://x/"),))) as receiver:
        webhook_id = await hook(api, receiver.url)
        found = [(await api.ok(f"webhooks/{webhook_id}/test", {}))["result"] for _ in range(3)]
    assert found[0] == {"success": False, "response_status": 500, "response_body": "broken"}
    assert found[1] == {"success": False, "response_status": 404, "response_body": "{}"}
    assert found[2].pop("error_message").startswith("Failed to test webhook: The receiver answered with a redirect")
    assert found[2] == {"success": False, "response_status": 302, "response_body": ""}
    gone = (await api.ok(f"webhooks/{webhook_id}/test", {}))["result"]
    assert gone.keys() == {"success", "error_message"}
    assert "cannot be reached" in gone["error_message"]
    refused = await api.refused(f"webhooks/{webhook_id}/test", {"event": {"entity": "PROMPT", "action": "SET"}})
    assert refused[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_nothing_private_can_be_read_through_a_test(api: Api, store: Store, settings: Settings) -> None:
    """A webhook from the days when it was allowed: the address is judged when it is called."""
    with Receiver(Reply(200, b"canary")) as receiver:
        webhook_id = await hook(api, receiver.url)
        strict = Services.over(store, replace(settings, webhook_schemes=("https",)))
        plain = await webhooks.test(strict, webhook_id, None)
        for url in (f"https://localhost:{receiver.port}/", f"https://127.0.0.1.nip.invalid:{receiver.port}/"):
            await store.write(lambda tx, url=url: tx.execute("UPDATE webhook SET url = ?", [url]))
            found = await webhooks.test(strict, webhook_id, None)
            assert (found.status, found.body) == (0, "")
        strict.courier.close()
    assert (plain.status, plain.body) == (0, "")
    assert "canary" not in plain.problem
    assert receiver.connections == 0


def files(folder: Path) -> dict[str, bytes]:
    """The files in a folder, by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


async def test_secrets_are_nowhere_in_the_database_or_in_an_answer(
    api: Api, store: Store, settings: Settings, tmp_path: Path
) -> None:
    secret = "hunter2-and-a-bit-more"
    webhook_id = await hook(api, "http://example.com/x", secret=secret)
    answers = [await api.get("webhooks"), await api.get(f"webhooks/{webhook_id}")]
    path = f"/api/2.0/mlflow/webhooks/{webhook_id}"
    answers.append(await api.client.patch(path, json={"secret": secret + "2"}))
    assert all("hunter2" not in answer.text and "secret" not in answer.text for answer in answers)
    rows = await store.read(lambda conn: conn.execute(text("SELECT * FROM webhook")).all())
    assert "hunter2" not in str(rows)
    assert rows[0].secret.startswith("gAAAA")
    if store.dialect.name == "sqlite":
        kept = files(tmp_path)
        assert {"minleaf.db", "minleaf.db-wal"} <= set(kept)
        assert all(b"hunter2" not in content for content in kept.values())


async def test_postgres_without_a_key_keeps_no_secret(store: Store, settings: Settings, tmp_path: Path) -> None:
    services = Services.over(store, replace(settings, webhook_secret_key=()))
    given = WebhookChange(name="a", url="http://example.com/", events=(WebhookEvent("prompt", "created"),), secret="s")
    if store.dialect.name == "postgresql":
        with pytest.raises(InvalidState):
            await webhooks.create(services, given)
        made = await webhooks.create(services, replace(given, secret=None))
    else:
        made = await webhooks.create(services, given)
        assert (tmp_path / "webhook.key").stat().st_mode & 0o777 == 0o600
    assert [one.id for one in (await webhooks.find(store, 0, None)).items] == [made.id]


async def test_another_server_learns_of_a_change_when_its_cache_is_old(
    api: Api, store: Store, settings: Settings
) -> None:
    other = replace(Services.over(store, settings), courier=Courier.open(replace(settings, webhook_cache_seconds=0)))
    with Receiver() as receiver:
        await fire(other, "model_version_tag", "set", {})
        await hook(api, receiver.url)
        await fire(other, "model_version_tag", "set", {"n": 1})
        assert receiver.wait_for(1)[0].json()["data"] == {"n": 1}
    other.courier.close()


async def test_logging_asks_nothing_about_webhooks(api: Api, services: Services) -> None:
    await hook(api, "http://example.com/x", "model_version.created")
    with Queries(services.store) as queries:
        run_id = await api.run()
        await api.ok("runs/log-metric", {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1})
        await api.ok("runs/set-tag", {"run_id": run_id, "key": "t", "value": "1"})
    assert queries.count == 0


def test_every_event_has_an_example() -> None:
    assert set(EXAMPLES) == {f"{entity}.{action}" for entity, actions in ACTIONS.items() for action in actions}


async def test_the_query_of_an_event_uses_its_index(store: Store) -> None:
    def plan(conn: Connection) -> str:
        explain = "EXPLAIN QUERY PLAN"
        if store.dialect.name == "postgresql":
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explain = "EXPLAIN"
        query = "SELECT webhook_id FROM webhook_event WHERE event = 'a.b'"
        return str(conn.exec_driver_sql(f"{explain} {query}").all())

    assert "webhook_event_by_event" in await store.read(plan)
