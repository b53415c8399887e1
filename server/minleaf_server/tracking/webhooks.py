"""Use cases of webhooks."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minleaf_server.db.read import webhooks as read
from minleaf_server.db.store import Store
from minleaf_server.db.write import webhooks as write
from minleaf_server.entities import Page, token
from minleaf_server.entities.limits import INT64_MAX
from minleaf_server.entities.webhook import Webhook, WebhookChange, WebhookEvent, validate_webhook
from minleaf_server.errors import InvalidParameter
from minleaf_server.tracking.events import body_of
from minleaf_server.tracking.services import Services
from minleaf_server.webhooks.outcome import Outcome
from minleaf_server.webhooks.subscriptions import Target

PAGE_MAX = 1000
PAGE_DEFAULT = 100


async def create(services: Services, given: WebhookChange) -> Webhook:
    """A new webhook; its name, address and events must be given.

    Raises InvalidParameter, and InvalidState where the server has no key for a secret.
    """
    prepared = _prepared(services, given)
    made = await services.store.write(lambda tx: write.create(tx, prepared))
    services.courier.subscriptions.forget()
    return made


async def get(store: Store, webhook_id: str) -> Webhook:
    """Raises NotFound, also for a deleted one."""
    return await store.read(lambda conn: read.by_uuid(conn, webhook_id))


async def find(store: Store, max_results: int, page_token: str | None) -> Page[Webhook]:
    """The webhooks, the newest first. 0 stands for the default of 100. Raises InvalidParameter."""
    limit = max_results or PAGE_DEFAULT
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidParameter(f"max_results must be between 1 and {PAGE_MAX}.")
    after = _place(page_token) if page_token else None
    return await store.read(lambda conn: read.page(conn, limit, after))


async def change(services: Services, webhook_id: str, given: WebhookChange) -> Webhook:
    """The webhook with what is given changed. Raises NotFound, InvalidParameter, InvalidState as `create`."""
    await get(services.store, webhook_id)
    prepared = _prepared(services, given)
    changed = await services.store.write(lambda tx: write.change(tx, webhook_id, prepared))
    services.courier.subscriptions.forget()
    return changed


async def delete(services: Services, webhook_id: str) -> None:
    """It is told of nothing from now on. Raises NotFound."""
    await services.store.write(lambda tx: write.delete(tx, webhook_id))
    services.courier.subscriptions.forget()


async def test(services: Services, webhook_id: str, event: WebhookEvent | None) -> Outcome:
    """Call the webhook once, with an example of the event or of its first one, and wait for the answer.

    Raises NotFound, Unavailable where too much is waiting.
    """
    found = await get(services.store, webhook_id)
    chosen = event or found.events[0]
    target = Target(found.id, found.url, found.secret)
    done = services.courier.call(target, str(chosen), body_of(chosen, EXAMPLES[str(chosen)]))
    return await asyncio.wrap_future(done)


def _prepared(services: Services, given: WebhookChange) -> WebhookChange:
    """What is given, checked and with its secret encrypted."""
    validate_webhook(given)
    if given.url is not None:
        services.courier.rule.destination(given.url)
    return replace(given, secret=services.courier.vault.encrypt(given.secret)) if given.secret else given


def _place(page_token: str) -> read.Place:
    place: read.Place = token.decode(page_token, tuple[int, int])
    if not all(0 <= number <= INT64_MAX for number in place):
        raise token.invalid()
    return place


_TAGS = {"example_key": "example_value"}
_MODEL = {"name": "example_model", "version": "1"}
_PROMPT = {"name": "example_prompt", "version": "1"}

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "registered_model.created": {
        "name": "example_model",
        "tags": _TAGS,
        "description": "An example registered model",
    },
    "model_version.created": {
        **_MODEL,
        "source": "models:/123",
        "run_id": "abcd1234abcd5678",
        "tags": _TAGS,
        "description": "An example model version",
    },
    "model_version_tag.set": {**_MODEL, "key": "example_key", "value": "example_value"},
    "model_version_tag.deleted": {**_MODEL, "key": "example_key"},
    "model_version_alias.created": {"name": "example_model", "alias": "example_alias", "version": "1"},
    "model_version_alias.deleted": {"name": "example_model", "alias": "example_alias"},
    "prompt.created": {"name": "example_prompt", "tags": _TAGS, "description": "An example prompt"},
    "prompt_version.created": {
        **_PROMPT,
        "template": "Hello {{name}}!",
        "tags": _TAGS,
        "description": "An example prompt version",
    },
    "prompt_tag.set": {"name": "example_prompt", "key": "example_key", "value": "example_value"},
    "prompt_tag.deleted": {"name": "example_prompt", "key": "example_key"},
    "prompt_version_tag.set": {**_PROMPT, "key": "example_key", "value": "example_value"},
    "prompt_version_tag.deleted": {**_PROMPT, "key": "example_key"},
    "prompt_alias.created": {"name": "example_prompt", "alias": "example_alias", "version": "1"},
    "prompt_alias.deleted": {"name": "example_prompt", "alias": "example_alias"},
}
"""What a test sends: MLflow's examples."""
