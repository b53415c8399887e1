"""Users and permissions.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
