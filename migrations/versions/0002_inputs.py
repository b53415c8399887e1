"""Datasets, inputs and outputs of runs.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
