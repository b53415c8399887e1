"""What happens in the registry, told to the webhooks that ask for it."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from minleaf_server.db.read import webhooks as read
from minleaf_server.entities.webhook import WebhookEvent
from minleaf_server.tracking.services import Services
from minleaf_server.webhooks.subscriptions import Target

log = logging.getLogger(__name__)


async def fire(services: Services, entity: str, action: str, payload: Mapping[str, Any]) -> None:
    """Tell every active webhook that asks for (`entity`, `action`), such as ("model_version", "created").

    Called after the change is committed. Returns at once and never raises: a webhook cannot fail a request.
    """
    event = WebhookEvent(entity, action)
    try:
        if targets := await _targets(services, event):
            services.courier.send(targets, str(event), body_of(event, payload))
    except Exception as error:
        log.error("webhooks were not told", exc_info=error, extra={"fields": {"event": str(event)}})


async def _targets(services: Services, event: WebhookEvent) -> tuple[Target, ...]:
    remembered = services.courier.subscriptions
    found = remembered.get(str(event))
    if found is None:
        changes = remembered.changes
        webhooks = await services.store.read(lambda conn: read.subscribers(conn, event))
        found = tuple(Target(one.id, one.url, one.secret) for one in webhooks)
        remembered.put(str(event), found, changes)
    return found


def body_of(event: WebhookEvent, payload: Mapping[str, Any]) -> bytes:
    """The body of a delivery, in MLflow's shape."""
    time = datetime.now(UTC).isoformat()
    body = {"entity": event.entity, "action": event.action, "timestamp": time, "data": dict(payload)}
    return json.dumps(body).encode("ascii")
