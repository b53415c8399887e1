"""Reads of webhooks. A deleted one is not there."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, tuple_

from minleaf_server.db.integers import one_of
from minleaf_server.db.tables.webhooks import webhook, webhook_event
from minleaf_server.entities import Page, token
from minleaf_server.entities.webhook import Webhook, WebhookEvent, WebhookStatus
from minleaf_server.errors import NotFound

Place = tuple[int, int]
"""Where a page ends: the creation time and the row of its last webhook."""

_THERE = webhook.c.deleted_time.is_(None)


def by_uuid(conn: Connection, uuid: str) -> Webhook:
    """Raises NotFound."""
    found = conn.execute(select(webhook).where(_THERE, webhook.c.uuid == uuid)).all()
    if not found:
        raise missing(uuid)
    return _with_events(conn, found)[0]


def row_id(conn: Connection, uuid: str) -> int:
    """The row of a webhook. Raises NotFound."""
    found: int | None = conn.execute(select(webhook.c.id).where(_THERE, webhook.c.uuid == uuid)).scalar()
    if found is None:
        raise missing(uuid)
    return found


def page(conn: Connection, limit: int, after: Place | None) -> Page[Webhook]:
    """The newest first; `after` continues behind an earlier page."""
    query = select(webhook).where(_THERE)
    if after is not None:
        query = query.where(tuple_(webhook.c.creation_time, webhook.c.id) < after)
    rows = conn.execute(query.order_by(webhook.c.creation_time.desc(), webhook.c.id.desc()).limit(limit + 1)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    next_token = None if last is None else token.encode((last.creation_time, last.id))
    return Page(_with_events(conn, rows[:limit]), next_token)


def subscribers(conn: Connection, event: WebhookEvent) -> list[Webhook]:
    """The active webhooks that ask for the event, the oldest first."""
    asking = select(webhook_event.c.webhook_id).where(webhook_event.c.event == str(event))
    active = select(webhook).where(_THERE, webhook.c.id.in_(asking), webhook.c.status == WebhookStatus.ACTIVE)
    return _with_events(conn, conn.execute(active.order_by(webhook.c.id)).all())


def missing(uuid: str) -> NotFound:
    """The error for a webhook that is not there."""
    return NotFound(f"Webhook with ID {uuid} not found.")


def _with_events(conn: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Webhook]:
    if not rows:
        return []
    asked = select(webhook_event).where(one_of(webhook_event.c.webhook_id, [row.id for row in rows]))
    events: dict[int, list[WebhookEvent]] = {}
    for row in conn.execute(asked.order_by(webhook_event.c.webhook_id, webhook_event.c.position)):
        events.setdefault(row.webhook_id, []).append(WebhookEvent.parse(row.event))
    return [
        Webhook(
            row.uuid,
            row.name,
            row.url,
            tuple(events[row.id]),
            row.description,
            WebhookStatus(row.status),
            row.creation_time,
            row.last_update_time,
            row.secret,
        )
        for row in rows
    ]
