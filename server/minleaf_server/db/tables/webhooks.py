"""Webhooks and the events they ask for."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, Table

from minleaf_server.db.tables.base import RowId, String, metadata

webhook = Table(
    "webhook",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("uuid", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("url", String, nullable=False),
    Column("description", String, nullable=False),
    Column("status", SmallInteger, nullable=False),
    # Encrypted; NULL where there is none, and once the webhook is deleted.
    Column("secret", String),
    Column("creation_time", BigInteger, nullable=False),
    Column("last_update_time", BigInteger, nullable=False),
    Column("deleted_time", BigInteger),
)
Index("webhook_by_creation", webhook.c.deleted_time, webhook.c.creation_time.desc(), webhook.c.id.desc())

webhook_event = Table(
    "webhook_event",
    metadata,
    Column("webhook_id", BigInteger, ForeignKey("webhook.id"), primary_key=True),
    # The place in the list that the webhook was made with: its first event is the one that a test sends.
    Column("position", Integer, primary_key=True),
    # Such as model_version.created.
    Column("event", String, nullable=False),
    sqlite_with_rowid=False,
)
Index("webhook_event_by_event", webhook_event.c.event, webhook_event.c.webhook_id)
