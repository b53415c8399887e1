"""Migrations on both databases: the schema they make, what is refused, and servers that start at once."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text

from minleaf_server import resources
from minleaf_server.db import migrate
from minleaf_server.db.dialect import dialect_of
from minleaf_server.db.tables import metadata
from minleaf_server.errors import SetupError
from tests.support.postgres import Cluster

COLUMNS = """
    SELECT c.relname, c.relkind, c.reloptions, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           l.collname, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'minleaf_version%'
    ORDER BY c.relname, a.attname"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'minleaf_version' ORDER BY 1"
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'minleaf_version' ORDER BY 1, 2"""


@pytest.fixture
def engine(database_uri: str) -> Iterator[Engine]:
    """The writing engine on an empty database."""
    reading, writing = dialect_of(make_url(database_uri)).engines(make_url(database_uri))
    yield writing
    writing.dispose()
    reading.dispose()


def schema(conn: Connection) -> list[tuple[object, ...]]:
    """Everything that the database itself knows about its tables, but for Alembic's own."""
    if conn.dialect.name == "sqlite":
        rows = conn.execute(text("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%minleaf_version%'"))
        return sorted((kind, name, re.sub(r"\s+", " ", sql or "")) for kind, name, sql in rows)
    return [tuple(map(str, row)) for sql in (COLUMNS, INDEXES, CONSTRAINTS) for row in conn.execute(text(sql))]


def test_migrated_schema_is_that_of_the_tables(engine: Engine) -> None:
    with engine.connect() as conn, conn.begin() as transaction:
        metadata.create_all(conn)
        expected = schema(conn)
        transaction.rollback()
    assert migrate.upgrade(engine) is True
    with engine.connect() as conn:
        assert schema(conn) == expected
    assert len(expected) > 15


def test_second_upgrade_does_nothing_and_does_not_import_alembic(engine: Engine) -> None:
    assert migrate.current(engine) is None
    assert migrate.upgrade(engine) is True
    assert migrate.current(engine) == migrate.HEAD
    assert migrate.upgrade(engine) is False
    program = (
        "import sys; from sqlalchemy import make_url; from minleaf_server.db import migrate, dialect\n"
        f"url = make_url({engine.url.render_as_string(hide_password=False)!r})\n"
        "assert migrate.upgrade(dialect.dialect_of(url).engines(url)[1]) is False\n"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_head_is_the_newest_file() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(resources.folder("migrations"))).get_heads() == [migrate.HEAD]


def test_versions_import_nothing_of_ours() -> None:
    for file in (resources.folder("migrations") / "versions").glob("*.py"):
        assert not re.search(r"^\s*(import|from) minleaf", file.read_text(), re.MULTILINE), file.name


def test_newer_schema_is_refused_and_kept(engine: Engine) -> None:
    migrate.upgrade(engine)
    with engine.begin() as conn:
        conn.execute(text("UPDATE minleaf_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match=r"'9999'.*newer Minleaf"):
        migrate.upgrade(engine)
    assert migrate.current(engine) == "9999"


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (("alembic_version", "experiments", "runs", "metrics"), "a database of MLflow"),
        (("customers",), r"tables that are not Minleaf's \(customers\)"),
    ],
)
def test_other_tables_are_refused_and_kept(engine: Engine, tables: tuple[str, ...], message: str) -> None:
    with engine.begin() as conn:
        for table in tables:
            conn.execute(text(f"CREATE TABLE {table} (a INTEGER)"))
        before = schema(conn)
    with pytest.raises(SetupError, match=message):
        migrate.upgrade(engine)
    with engine.connect() as conn:
        assert schema(conn) == before


def test_file_of_mlflow_keeps_every_byte(tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "mlflow.db"
    with sqlite3.connect(file) as conn:
        for table in ("alembic_version", "experiments", "runs"):
            conn.execute(f"CREATE TABLE {table} (a INTEGER)")
    conn.close()
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    url = make_url(f"sqlite:///{file}")
    with pytest.raises(SetupError, match="a database of MLflow"):
        migrate.upgrade(dialect_of(url).engines(url)[1])
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_failed_upgrade_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(conn: Connection) -> None:
        metadata.create_all(conn)
        raise RuntimeError("half way")

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "_run_alembic", fail)
        with pytest.raises(RuntimeError):
            migrate.upgrade(engine)
    with engine.connect() as conn:
        assert schema(conn) == []
    assert migrate.upgrade(engine) is True


def test_servers_that_start_at_once_migrate_once(database_uri: str) -> None:
    program = (
        "import sys; from sqlalchemy import make_url; from minleaf_server.db import migrate, dialect\n"
        f"url = make_url({database_uri!r})\n"
        "engine = dialect.dialect_of(url).engines(url)[1]\n"
        "sys.stdin.read(1); print(migrate.upgrade(engine))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    assert sorted(process.communicate()[0] for process in processes) == ["False\n", "False\n", "True\n"]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_database_that_cannot_hold_all_text(postgres: Cluster, encoding: str) -> None:
    address = postgres.uri.replace("postgresql://", "postgresql+psycopg://")
    name = f"encoded_{encoding.lower()}"
    admin = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    options = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with admin.connect() as conn:
        conn.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        conn.execute(text(f"CREATE DATABASE {name} {options}"))
    url = make_url(address.replace("/postgres?", f"/{name}?"))
    with pytest.raises(SetupError, match=f"encoded in {encoding}.*UTF8"):
        migrate.upgrade(dialect_of(url).engines(url)[1])
