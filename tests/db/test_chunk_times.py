"""The migration that gives chunks their first and last time works out both for those that are there already."""

from collections.abc import Iterator

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, make_url, text

from minleaf_server import resources
from minleaf_server.db import migrate
from minleaf_server.db.dialect import dialect_of
from minleaf_server.points.codec import encode_chunk
from minleaf_server.points.series import Series

TIMES = [[5, 9, 7], [2**63 - 1, -(2**63), 0], [4], list(range(1_000, 0, -1))]


@pytest.fixture
def engine(database_uri: str) -> Iterator[Engine]:
    """The writing engine on a database of the schema before."""
    reading, writing = dialect_of(make_url(database_uri)).engines(make_url(database_uri))
    config = Config()
    config.set_main_option("script_location", str(resources.folder("migrations")))
    config.attributes["version_table"] = migrate.VERSION_TABLE
    with writing.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "0007")
    yield writing
    writing.dispose()
    reading.dispose()


def rows(conn: Connection) -> list[tuple[object, ...]]:
    query = "SELECT run_id, key_id, seq, n, first_step, last_step, data FROM chunk ORDER BY seq"
    return [tuple(row) for row in conn.execute(text(query))]


def test_the_times_of_old_chunks_are_filled_in(engine: Engine) -> None:
    insert = text("INSERT INTO chunk VALUES (:run_id, :key_id, :seq, :n, :first, :last, :data)")
    blobs = [encode_chunk(Series(np.arange(len(t)), np.array(t), np.ones(len(t)))) for t in TIMES]
    values = [
        {"run_id": 1, "key_id": 2, "seq": seq, "n": len(TIMES[seq % 4]), "first": 0, "last": 0, "data": blobs[seq % 4]}
        for seq in range(404)
    ]
    # Damage is told where the points are read; the server starts all the same.
    values.append(values[0] | {"seq": 404, "data": b"\x01\x02damaged"})
    with engine.begin() as conn:
        conn.execute(insert, values)
        before = rows(conn)
    assert migrate.upgrade(engine) is True
    with engine.connect() as conn:
        assert rows(conn) == before
        found = conn.execute(text("SELECT first_timestamp, last_timestamp FROM chunk ORDER BY seq")).all()
    ends = [(min(times), max(times)) for times in TIMES]
    assert list(map(tuple, found)) == ends * 101 + [(-(2**63), 2**63 - 1)]
