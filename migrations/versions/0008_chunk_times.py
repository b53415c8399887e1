"""The first and last time of every chunk, so that a page of a history reads the chunks of its time only.

Imports nothing of Minleaf, so that it stays what it was when the tables in the code move on.
"""

import numpy as np
import sqlalchemy as sa
import zstandard
from alembic import op

revision = "0008"
down_revision = "0007"

_ROWS_AT_ONCE = 100


def upgrade() -> None:
    """Add the columns and fill them in."""
    conn = op.get_bind()
    if conn.dialect.name == "sqlite":
        # SQLite would put the columns behind the data, where reading them means reading the data.
        op.execute("ALTER TABLE chunk RENAME TO old_chunk")
        _create_chunk()
        _move(conn)
        op.execute("DROP TABLE old_chunk")
        return
    op.add_column("chunk", sa.Column("first_timestamp", sa.BigInteger))
    op.add_column("chunk", sa.Column("last_timestamp", sa.BigInteger))
    _fill(conn)
    op.alter_column("chunk", "first_timestamp", nullable=False)
    op.alter_column("chunk", "last_timestamp", nullable=False)


def _create_chunk() -> None:
    op.create_table(
        "chunk",
        sa.Column("run_id", sa.BigInteger, primary_key=True),
        sa.Column("key_id", sa.BigInteger, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("first_step", sa.BigInteger, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("first_timestamp", sa.BigInteger, nullable=False),
        sa.Column("last_timestamp", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def _move(conn: sa.Connection) -> None:
    insert = "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    rows = conn.exec_driver_sql("SELECT run_id, key_id, seq, n, first_step, last_step, data FROM old_chunk")
    for page in rows.partitions(_ROWS_AT_ONCE):
        conn.exec_driver_sql(insert, [(*row[:6], *_times(row.data), row.data) for row in page])


def _fill(conn: sa.Connection) -> None:
    keys = ["run_id", "key_id", "seq"]
    here = " AND ".join(f"{key} = %s" for key in keys)
    update = f"UPDATE chunk SET first_timestamp = %s, last_timestamp = %s WHERE {here}"
    page = f"SELECT {', '.join(keys)}, data FROM chunk WHERE first_timestamp IS NULL LIMIT {_ROWS_AT_ONCE}"
    while rows := conn.exec_driver_sql(page).all():
        conn.exec_driver_sql(update, [(*_times(row.data), *row[:3]) for row in rows])


def _times(data: bytes) -> tuple[int, int]:
    """The least and the greatest time in a chunk of version 1, encoding 2; of bytes that are none, any time at all."""
    try:
        planes = np.frombuffer(zstandard.ZstdDecompressor().decompress(data[2:]), dtype=np.uint8).reshape(3, 8, -1)
    except (zstandard.ZstdError, ValueError):
        return -(2**63), 2**63 - 1
    times = np.cumsum(np.ascontiguousarray(planes[1].T).view("<i8")[:, 0])
    return int(times.min()), int(times.max())
