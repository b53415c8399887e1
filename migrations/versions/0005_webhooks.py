"""Webhooks.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

string = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
row_id: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "webhook",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("uuid", string, nullable=False, unique=True),
        sa.Column("name", string, nullable=False),
        sa.Column("url", string, nullable=False),
        sa.Column("description", string, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("secret", string),
        sa.Column("creation_time", sa.BigInteger, nullable=False),
        sa.Column("last_update_time", sa.BigInteger, nullable=False),
        sa.Column("deleted_time", sa.BigInteger),
    )
    op.create_index(
        "webhook_by_creation", "webhook", ["deleted_time", sa.text("creation_time DESC"), sa.text("id DESC")]
    )
    op.create_table(
        "webhook_event",
        sa.Column("webhook_id", sa.BigInteger, sa.ForeignKey("webhook.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("event", string, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("webhook_event_by_event", "webhook_event", ["event", "webhook_id"])
