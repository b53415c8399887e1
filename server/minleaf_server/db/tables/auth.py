"""Users and permissions.

A permission names its resource by a text, because MLflow grants permissions on what does not exist yet: an experiment
by its id, a registered model by its name, a scorer by `<experiment id>/<name>`. Whoever makes a resource drops what
was granted under its name before, and whoever deletes or renames it takes its permissions along.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table

from minleaf_server.db.tables.base import RowId, String, metadata

account = Table(
    "account",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    # Empty where no password opens the account.
    Column("password_hash", String, nullable=False),
    Column("is_admin", SmallInteger, nullable=False),
    Column("creation_time", BigInteger, nullable=False),
)

permission = Table(
    "permission",
    metadata,
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True),
    Column("kind", SmallInteger, primary_key=True),
    Column("resource", String, primary_key=True),
    Column("level", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index("permission_by_resource", permission.c.kind, permission.c.resource)

# How often the users (area 1) and the permissions (area 2) have changed: other processes drop what they remember.
auth_change = Table(
    "auth_change",
    metadata,
    Column("area", SmallInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
