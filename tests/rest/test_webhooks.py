"""The endpoints about webhooks: what they take, what they refuse, and how they page."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from minleaf_server.db.store import Store
from tests.rest.conftest import Api, refusal

CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
IPV = (400, "INVALID_PARAMETER_VALUE")
HOOK = {"name": "hook", "url": "https://example.com/hook", "events": [CREATED]}


async def make(api: Api, **fields: Any) -> dict[str, Any]:
    answer = await api.ok("webhooks", {**HOOK, **fields})
    webhook: dict[str, Any] = answer["webhook"]
    return webhook


async def change(api: Api, webhook_id: str, **fields: Any) -> httpx.Response:
    return await api.client.patch(f"/api/2.0/mlflow/webhooks/{webhook_id}", json=fields)


async def delete(api: Api, webhook_id: str) -> httpx.Response:
    return await api.client.delete(f"/api/2.0/mlflow/webhooks/{webhook_id}")


async def test_create_and_get(api: Api) -> None:
    events = [{"entity": "REGISTERED_MODEL", "action": "CREATED"}, CREATED]
    made = await make(api, events=events, description="Tells the team.", status="DISABLED")
    assert made.pop("creation_timestamp") == made.pop("last_updated_timestamp") > 1_600_000_000_000
    webhook_id = made.pop("webhook_id")
    assert made == {
        "name": "hook",
        "url": "https://example.com/hook",
        "events": events,
        "status": "DISABLED",
        "description": "Tells the team.",
    }
    assert (await api.ok(f"webhooks/{webhook_id}"))["webhook"].items() >= made.items()


async def test_defaults(api: Api) -> None:
    made = await make(api)
    assert made["status"] == "ACTIVE"
    assert "description" not in made
    assert "secret" not in made


async def test_numbers_of_the_protocol(api: Api) -> None:
    made = await make(api, events=[{"entity": 7, "action": "4"}], status=2)
    assert made["events"] == [{"entity": "PROMPT_TAG", "action": "SET"}]
    assert made["status"] == "DISABLED"


@pytest.mark.parametrize("name", ["a", "1", "web_hook-123.test", "A" * 63])
async def test_names(api: Api, name: str) -> None:
    assert (await make(api, name=name))["name"] == name


@pytest.mark.parametrize(
    "name", ["   ", "a<b>", "a@b", "a/b", "a\\b", "-a", "a-", "_a", "a.", "a" * 64, "a\n", "é", "\u017f", "\u212a"]
)
async def test_bad_names(api: Api, name: str) -> None:
    made = await make(api)
    answers = [await api.post("webhooks", {**HOOK, "name": name}), await change(api, made["webhook_id"], name=name)]
    for answer in answers:
        status, code, message = refusal(answer)
        assert (status, code) == IPV
        assert message.startswith("Webhook name ")
        assert "is invalid" in message
    assert len((await api.ok("webhooks"))["webhooks"]) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("   ", "Webhook URL cannot be empty or just whitespace"),
        ("example.com/x", "Invalid webhook URL scheme: ''. Allowed schemes are: https."),
        ("ftp://example.com", "Invalid webhook URL scheme: 'ftp'. Allowed schemes are: https."),
        ("http://example.com", "Invalid webhook URL scheme: 'http'. Allowed schemes are: https."),
        ("http://[invalid", "Invalid webhook URL"),
        ("https://", "Webhook URL must include a hostname"),
        ("https://10.0.0.1/x", "Webhook URL must not name a non-public IP address"),
        ("https://e.com/" + "x" * 2000, "'url' exceeds the maximum length of 2000 characters"),
    ],
)
async def test_bad_urls(api: Api, url: str, message: str) -> None:
    made = await make(api)
    for answer in (await api.post("webhooks", {**HOOK, "url": url}), await change(api, made["webhook_id"], url=url)):
        refused = refusal(answer)
        assert refused[:2] == IPV
        assert refused[2].startswith(message)
    assert (await api.ok(f"webhooks/{made['webhook_id']}"))["webhook"] == made


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([], "Webhook events must be a non-empty list"),
        ("x", "Invalid value \"x\" for parameter 'events' supplied"),
        ([1], "Invalid value 1 for parameter 'events[0]' supplied"),
        ([{}], "Missing value for required parameter 'events[0].entity'"),
        ([{"entity": "PROMPT"}], "Missing value for required parameter 'events[0].action'"),
        ([{"entity": "X", "action": "SET"}], "Invalid value \"X\" for parameter 'events[0].entity' supplied"),
        ([{"entity": 0, "action": "SET"}], "Invalid value 0 for parameter 'events[0].entity' supplied"),
        (
            [{"entity": "PROMPT", "action": "SET"}],
            "Invalid action 'set' for entity 'prompt'. Valid actions are: ['created']",
        ),
        (
            [{"entity": "PROMPT_TAG", "action": "UPDATED"}],
            "Invalid action 'updated' for entity 'prompt_tag'. Valid actions are: ['deleted', 'set']",
        ),
        ([CREATED, CREATED], "'events[1]' names model_version.created a second time."),
    ],
)
async def test_bad_events(api: Api, events: object, message: str) -> None:
    refused = await api.refused("webhooks", {**HOOK, "events": events})
    assert refused[:2] == IPV
    assert refused[2].startswith(message)


async def test_events_of_the_gateway(api: Api) -> None:
    refused = await api.refused("webhooks", {**HOOK, "events": [{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}]})
    assert refused[:2] == (501, "NOT_IMPLEMENTED")


@pytest.mark.parametrize("missing", ["name", "url", "events"])
async def test_missing_fields(api: Api, missing: str) -> None:
    refused = await api.refused("webhooks", {key: value for key, value in HOOK.items() if key != missing})
    assert refused[:2] == IPV
    assert refused[2].startswith(f"Missing value for required parameter '{missing}'.")


@pytest.mark.parametrize(("name", "limit"), [("description", 5_000), ("secret", 1_000)])
async def test_lengths(api: Api, name: str, limit: int) -> None:
    refused = await api.refused("webhooks", {**HOOK, name: "x" * (limit + 1)})
    assert refused[:2] == IPV
    assert refused[2].startswith(f"'{name}' exceeds the maximum length of {limit} characters")


async def test_change(api: Api) -> None:
    made = await make(api, description="old")
    events = [CREATED, {"entity": "PROMPT_ALIAS", "action": "DELETED"}]
    given = {"name": "new", "url": "https://example.org/new", "events": events, "status": "DISABLED"}
    answer = await change(api, made["webhook_id"], **given)
    assert answer.status_code == 200
    changed = answer.json()["webhook"]
    assert changed.items() >= {**given, "description": "old", "webhook_id": made["webhook_id"]}.items()
    assert changed["last_updated_timestamp"] > made["last_updated_timestamp"]
    assert changed["creation_timestamp"] == made["creation_timestamp"]
    assert (await api.ok(f"webhooks/{made['webhook_id']}"))["webhook"] == changed


async def test_what_is_empty_changes_nothing_but_the_description(api: Api) -> None:
    made = await make(api, description="old")
    await change(api, made["webhook_id"], name="", url="", events=[], status="")
    assert (await api.ok(f"webhooks/{made['webhook_id']}"))["webhook"]["name"] == "hook"
    assert (await change(api, made["webhook_id"], description="")).json()["webhook"].keys() == made.keys() - {
        "description"
    }


async def test_delete(api: Api, store: Store) -> None:
    made, other = await make(api), await make(api, name="other")
    assert (await delete(api, made["webhook_id"])).json() == {}
    missing = (404, "RESOURCE_DOES_NOT_EXIST", f"Webhook with ID {made['webhook_id']} not found.")
    assert await api.refused(f"webhooks/{made['webhook_id']}") == missing
    assert refusal(await delete(api, made["webhook_id"])) == missing
    assert refusal(await change(api, made["webhook_id"], name="x")) == missing
    assert await api.refused(f"webhooks/{made['webhook_id']}/test", {}) == missing
    assert [one["webhook_id"] for one in (await api.ok("webhooks"))["webhooks"]] == [other["webhook_id"]]


async def test_a_missing_one_is_told_before_a_bad_value(api: Api) -> None:
    assert refusal(await change(api, "nonexistent", name="-"))[2] == "Webhook with ID nonexistent not found."


@pytest.mark.parametrize("webhook_id", ["x" * 5000, "%00", "%ff", "%ed%a0%80", "é", "..", "1"])
async def test_odd_ids(api: Api, webhook_id: str) -> None:
    response = await api.get(f"webhooks/{webhook_id}")
    assert response.status_code in (400, 404)
    assert "error_code" in response.json()


async def test_pages(api: Api) -> None:
    made = [(await make(api, name=f"hook{number}"))["webhook_id"] for number in range(5)]
    pages, token = [], ""
    while True:
        page = await api.ok("webhooks", max_results=2, page_token=token)
        pages.append([one["webhook_id"] for one in page["webhooks"]])
        token = page.get("next_page_token", "")
        if not token:
            break
    made.reverse()
    assert pages == [made[:2], made[2:4], made[4:]]


async def test_a_page_that_is_just_full_is_the_last(api: Api) -> None:
    assert await api.ok("webhooks") == {}
    for name in ("a", "b"):
        await make(api, name=name)
    assert "next_page_token" not in await api.ok("webhooks", max_results=2)
    assert len((await api.ok("webhooks", max_results=0))["webhooks"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_results": 1001}, "max_results must be between 1 and 1000."),
        ({"max_results": -1}, "max_results must be between 1 and 1000."),
        ({"max_results": 2**70}, "max_results must be between 1 and 1000."),
        ({"max_results": "x"}, "Invalid value \"x\" for parameter 'max_results' supplied"),
        ({"page_token": "zz"}, "Invalid page token"),
        ({"page_token": "WzFd"}, "Invalid page token"),
        ({"page_token": "Wy0xLDJd"}, "Invalid page token"),
        ({"page_token": "WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTldCg=="}, "Invalid page token"),
    ],
)
async def test_lists_that_are_refused(api: Api, arguments: dict[str, Any], message: str) -> None:
    refused = await api.refused("webhooks", **arguments)
    assert refused[:2] == IPV
    assert refused[2].startswith(message)


async def test_a_deleted_webhook_has_no_secret(api: Api, store: Store) -> None:
    made = await make(api)
    await store.write(lambda tx: tx.execute("UPDATE webhook SET secret = 'token'"))
    await delete(api, made["webhook_id"])
    rows = await store.read(lambda conn: conn.execute(text("SELECT secret, deleted_time FROM webhook")).all())
    assert [row.secret for row in rows] == [None]
    assert rows[0].deleted_time > 0
