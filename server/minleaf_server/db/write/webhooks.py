"""Writes of webhooks."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, update
from sqlalchemy import select as select_from

from minleaf_server.db.read import webhooks as read
from minleaf_server.db.tables.webhooks import webhook, webhook_event
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write.experiments import now_ms
from minleaf_server.entities.webhook import Webhook, WebhookChange, WebhookEvent, WebhookStatus


def create(tx: Transaction, given: WebhookChange) -> Webhook:
    """A new webhook. Its name, address and events are given; its secret is encrypted."""
    now = now_ms()
    values = {
        "uuid": str(uuid4()),
        "name": given.name,
        "url": given.url,
        "description": given.description or "",
        "status": given.status or WebhookStatus.ACTIVE,
        "secret": given.secret or None,
        "creation_time": now,
        "last_update_time": now,
    }
    identity: int = tx.conn.execute(insert(webhook).values(values).returning(webhook.c.id)).scalar_one()
    _ask_for(tx, identity, given.events or ())
    return read.by_uuid(tx.conn, str(values["uuid"]))


def change(tx: Transaction, uuid: str, given: WebhookChange) -> Webhook:
    """The webhook with what is given changed; its secret is encrypted, or empty to take it away. Raises NotFound."""
    identity = read.row_id(tx.conn, uuid)
    fields = {"name": given.name, "url": given.url, "description": given.description, "status": given.status}
    values: dict[str, object] = {name: value for name, value in fields.items() if value is not None}
    if given.secret is not None:
        values["secret"] = given.secret or None
    # A change can be told from the one before it, however quickly it follows.
    before = select_from(webhook.c.last_update_time).where(webhook.c.id == identity)
    values["last_update_time"] = max(now_ms(), tx.conn.execute(before).scalar_one() + 1)
    tx.conn.execute(update(webhook).where(webhook.c.id == identity).values(values))
    if given.events is not None:
        tx.conn.execute(delete_from(webhook_event).where(webhook_event.c.webhook_id == identity))
        _ask_for(tx, identity, given.events)
    return read.by_uuid(tx.conn, uuid)


def delete(tx: Transaction, uuid: str) -> None:
    """Mark the webhook as deleted and forget its secret. Raises NotFound."""
    now = now_ms()
    gone = {"deleted_time": now, "last_update_time": now, "secret": None}
    tx.conn.execute(update(webhook).where(webhook.c.id == read.row_id(tx.conn, uuid)).values(gone))


def _ask_for(tx: Transaction, identity: int, events: Sequence[WebhookEvent]) -> None:
    rows = [{"webhook_id": identity, "position": place, "event": str(event)} for place, event in enumerate(events)]
    tx.conn.execute(insert(webhook_event), rows)
