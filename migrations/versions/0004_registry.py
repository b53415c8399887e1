"""The model registry.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
