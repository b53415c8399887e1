"""Users and permissions.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

string = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
row_id: sa.types.TypeEngine[int] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        sa.Column("id", row_id, primary_key=True),
        sa.Column("name", string, nullable=False, unique=True),
        sa.Column("password_hash", string, nullable=False),
        sa.Column("is_admin", sa.SmallInteger, nullable=False),
        sa.Column("creation_time", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "permission",
        sa.Column("account_id", sa.BigInteger, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("kind", sa.SmallInteger, primary_key=True),
        sa.Column("resource", string, primary_key=True),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("permission_by_resource", "permission", ["kind", "resource"])
    op.create_table(
        "auth_change",
        sa.Column("area", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
