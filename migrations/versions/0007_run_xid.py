"""The transaction that last changed a run, on Postgres: by it a server finds what changed since it last looked.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column with its index, which takes the place of that by `seq`. SQLite stays as it is."""
    if op.get_bind().dialect.name == "sqlite":
        return
    # In two steps, because what is worked out for each row would rewrite the table.
    op.add_column("run", sa.Column("xid", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.alter_column("run", "xid", server_default=sa.text("pg_current_xact_id()::text::bigint"))
    op.drop_index("run_by_seq", "run")
    op.create_index("run_by_xid", "run", ["experiment_id", "xid"])
