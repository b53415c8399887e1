"""Webhooks.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
