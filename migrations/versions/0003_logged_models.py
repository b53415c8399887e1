"""Logged models.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
