"""Webhooks: the same calls to MLflow's own server and to Minleaf's. See `differential` for the way."""

import re
from collections.abc import Iterator
from typing import Any

from tests.compat.differential import API, Answer, Call, get, post

HOOKS = f"{API}/webhooks"
ONE = f"{HOOKS}/$hook"
CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
TAGGED = {"entity": "PROMPT_TAG", "action": "SET"}

REASONS = {
    "wording": "Some error texts are worded otherwise, with the same status and error code",
    "no 500": "Where MLflow's server fails with a page and status 500, Minleaf says what is wrong with the request.",
    "enumerations": "An unknown status or view type is refused. MLflow passes over it and answers 200.",
    "unknown paths": "An unknown path or method is answered with a JSON error, not with a page.",
    "webhook addresses": (
        "A webhook's address with a user name or password, a fragment, an IP address in an unusual spelling, or the "
        "port of a service that is no web server is refused. MLflow takes them."
    ),
    "webhook names": "The letters in the name of a webhook are ASCII. MLflow also takes two that only fold to such.",
    "repeated events": "An event that a webhook asks for twice is INVALID_PARAMETER_VALUE, not BAD_REQUEST with SQL.",
    "budget events": (
        "A webhook that asks for events of the AI gateway's budgets is answered with NOT_IMPLEMENTED, since it would "
        "never be called."
    ),
    "failed tests": "A test of a webhook that gets no answer says so in plain words, without Python.",
}
DIFFERENT = {
    **dict.fromkeys(
        (
            "create with blank name",
            "create with long name",
            "create with newline in name",
            "create with half an address",
            "create with no events",
            "list with bad token",
            "change to bad name",
        ),
        "wording",
    ),
    **dict.fromkeys(
        (
            "create with text as event",
            "create with empty event",
            "create with event without action",
            "create with unknown entity",
            "create with unknown action",
            "test with empty event",
            "test with text as event",
        ),
        "no 500",
    ),
    **dict.fromkeys(("create with unknown status", "change to unknown status"), "enumerations"),
    **dict.fromkeys(
        (
            "create with password",
            "create with fragment",
            "create with decimal address",
            "create with port of a database",
        ),
        "webhook addresses",
    ),
    "create with letter that folds to s": "webhook names",
    "create with same event twice": "repeated events",
    "create with budget event": "budget events",
    "test nowhere": "failed tests",
    "put webhook": "unknown paths",
}


def patch(name: str, path: str, body: Any = None) -> Call:
    return Call(name, "PATCH", path, body)


def delete(name: str, path: str) -> Call:
    return Call(name, "DELETE", path, {})


def creating(receiver: str) -> list[Call]:
    full = {"name": "hook", "url": receiver, "events": [CREATED], "description": "d", "secret": "s", "status": "ACTIVE"}
    found = ["webhook", "webhook_id"]
    plain = {"name": "n", "url": receiver, "events": [CREATED]}
    without = {name: {key: value for key, value in plain.items() if key != name} for name in plain}
    return [
        get("list none", HOOKS),
        post("create webhook", HOOKS, full, save={"hook": found}),
        post("create second webhook", HOOKS, {**plain, "events": [CREATED, TAGGED]}, save={"second": found}),
        post("create disabled webhook", HOOKS, {**plain, "status": "DISABLED"}, save={"third": found}),
        *reading(),
        post("create with numbers", HOOKS, {**plain, "status": 2, "events": [{"entity": 2, "action": 1}]}),
        post("create with a taken name", HOOKS, full),
        post("create with empty description and secret", HOOKS, {**plain, "description": "", "secret": ""}),
        *(post(f"create without {name}", HOOKS, without[name]) for name in plain),
        post("create with empty name", HOOKS, {**plain, "name": ""}),
        post("create with blank name", HOOKS, {**plain, "name": "  "}),
        post("create with long name", HOOKS, {**plain, "name": "a" * 64}),
        post("create with longest name", HOOKS, {**plain, "name": "a" * 63}),
        post("create with newline in name", HOOKS, {**plain, "name": "a\n"}),
        post("create with letter that folds to s", HOOKS, {**plain, "name": "\u017f"}),
        post("create with number as name", HOOKS, {**plain, "name": 5}),
        post("create with empty url", HOOKS, {**plain, "url": ""}),
        post("create with blank url", HOOKS, {**plain, "url": "   "}),
        post("create with url without scheme", HOOKS, {**plain, "url": "example.com/x"}),
        post("create with ftp url", HOOKS, {**plain, "url": "ftp://example.com"}),
        post("create with half an address", HOOKS, {**plain, "url": "http://[invalid"}),
        post("create without host", HOOKS, {**plain, "url": "https:///x"}),
        post("create with password", HOOKS, {**plain, "url": "https://u:p@example.com/"}),
        post("create with fragment", HOOKS, {**plain, "url": "https://example.com/#x"}),
        post("create with decimal address", HOOKS, {**plain, "url": "https://2130706433/"}),
        post("create with port of a database", HOOKS, {**plain, "url": "https://example.com:6379/"}),
        post("create with number as url", HOOKS, {**plain, "url": 5}),
        post("create with no events", HOOKS, {**plain, "events": []}),
        post("create with text as events", HOOKS, {**plain, "events": "x"}),
        post("create with text as event", HOOKS, {**plain, "events": ["x"]}),
        post("create with empty event", HOOKS, {**plain, "events": [{}]}),
        post("create with event without action", HOOKS, {**plain, "events": [{"entity": "PROMPT"}]}),
        post("create with unknown entity", HOOKS, {**plain, "events": [{**CREATED, "entity": "X"}]}),
        post("create with unknown action", HOOKS, {**plain, "events": [{**CREATED, "action": "X"}]}),
        post("create with impossible event", HOOKS, {**plain, "events": [{**CREATED, "action": "SET"}]}),
        post("create with same event twice", HOOKS, {**plain, "events": [CREATED, CREATED]}),
        post("create with unknown status", HOOKS, {**plain, "status": "X"}),
        post("create with budget event", HOOKS, {**plain, "events": [{"entity": 10, "action": 5}]}),
    ]


def reading() -> list[Call]:
    return [
        get("get webhook", ONE),
        get("get webhook with two events", f"{HOOKS}/$second"),
        get("get unknown webhook", f"{HOOKS}/nonexistent"),
        get("list first page", HOOKS, max_results=2),
        get("list with 0", HOOKS, max_results=0),
        get("list too many", HOOKS, max_results=1001),
        get("list fewer than one", HOOKS, max_results=-1),
        get("list a word", HOOKS, max_results="x"),
        get("list with bad token", HOOKS, page_token="x"),
        get("list with empty token", HOOKS, page_token=""),
    ]


def changing(receiver: str) -> list[Call]:
    every = {"name": "new", "url": receiver + "2", "events": [CREATED, TAGGED], "description": "e", "secret": "t"}
    return [
        patch("change name", ONE, {"name": "renamed"}),
        patch("change everything", ONE, {**every, "status": "DISABLED"}),
        patch("change nothing", ONE, {}),
        patch("change to nothing", ONE, {"name": "", "url": "", "events": []}),
        patch("empty description", ONE, {"description": ""}),
        patch("empty secret", ONE, {"secret": ""}),
        patch("change to bad name", ONE, {"name": "-"}),
        patch("change to bad url", ONE, {"url": "ftp://x"}),
        patch("change to blank url", ONE, {"url": "  "}),
        patch("change to impossible event", ONE, {"events": [{**CREATED, "action": "DELETED"}]}),
        patch("change to unknown status", ONE, {"status": "X"}),
        patch("change status to null", ONE, {"status": None, "name": None}),
        patch("change name to number", ONE, {"name": 5}),
        patch("change unknown webhook", f"{HOOKS}/nonexistent", {"name": "x"}),
        patch("change unknown webhook to bad name", f"{HOOKS}/nonexistent", {"name": "-"}),
        patch("change with another id in the body", ONE, {"webhook_id": "other", "name": "same"}),
        get("get changed webhook", ONE),
    ]


def testing(receiver: str) -> list[Call]:
    return [
        patch("point it to the receiver", ONE, {"url": receiver, "events": [CREATED]}),
        post("test", f"{ONE}/test", {}),
        post("test with event", f"{ONE}/test", {"event": TAGGED}),
        post("test with impossible event", f"{ONE}/test", {"event": {**TAGGED, "action": "CREATED"}}),
        post("test with empty event", f"{ONE}/test", {"event": {}}),
        post("test with text as event", f"{ONE}/test", {"event": "x"}),
        post("test unknown webhook", f"{HOOKS}/nonexistent/test", {}),
        patch("point it to nothing", ONE, {"url": receiver + "/missing"}),
        post("test what is missing", f"{ONE}/test", {}),
        patch("point it nowhere", ONE, {"url": "http://127.0.0.1:1025/"}),
        post("test nowhere", f"{ONE}/test", {}),
        delete("delete webhook", ONE),
        delete("delete webhook again", ONE),
        delete("delete unknown webhook", f"{HOOKS}/nonexistent"),
        get("get deleted webhook", ONE),
        patch("change deleted webhook", ONE, {"name": "x"}),
        post("test deleted webhook", f"{ONE}/test", {}),
        Call("put webhook", "PUT", ONE, {}),
    ]


def calls(receiver: str) -> list[Call]:
    """The story, with `receiver` as the address of who is told."""
    return [*creating(receiver), *changing(receiver), *testing(receiver)]


def normal(answer: Answer) -> Answer:
    """Without times and ids."""
    return Answer(answer.status, dict(_fields(answer.body)) if isinstance(answer.body, dict) else answer.body)


def _fields(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in body.items():
        if key in ("creation_timestamp", "last_updated_timestamp"):
            yield key, "$time"
        elif isinstance(value, dict):
            yield key, dict(_fields(value))
        elif isinstance(value, list):
            yield key, [dict(_fields(one)) for one in value]
        elif isinstance(value, str):
            yield key, re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\$(hook|second|third)", "$id", value)
        else:
            yield key, value
