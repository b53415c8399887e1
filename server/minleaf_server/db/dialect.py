"""Everything in which SQLite and Postgres differ, so that nothing else asks which of the two it talks to."""

import sqlite3
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, NullPool, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from minleaf_server.db import sqlite_functions
from minleaf_server.db.driver import Driver
from minleaf_server.db.sqlite_driver import SQLiteDriver
from minleaf_server.errors import Exhausted, MinleafError, SetupError, Unavailable

READ_SECONDS_MAX = 10
LOAD_SECONDS_MAX = 60
"""For reading what later reads will find in memory, so that it is not begun again and again in vain."""
SHORT_READERS = 3
LONG_READERS = 5
# A connection for each thread, and one for compaction.
READERS = SHORT_READERS + LONG_READERS + 1
_BUSY_SECONDS = 30
_CONNECT_SECONDS = 5
# Any numbers will do, as long as every version of Minleaf uses the same.
_SCHEMA_LOCK = 7305520
_KEY_LOCK = 7305521


class Dialect(Protocol):
    """What a database must offer to be Minleaf's."""

    name: str

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """An insert that can say ON CONFLICT."""
        ...

    def engines(self, url: URL) -> tuple[Engine, Engine]:
        """A pooled engine whose transactions are read-only snapshots, and one for the single writing connection."""
        ...

    def probe(self, url: URL) -> Engine:
        """An engine for one look at a database that may not be ours: connecting changes nothing."""
        ...

    def require_all_text(self, conn: Connection) -> None:
        """Raises SetupError for a database whose encoding cannot hold every text."""
        ...

    def lock_schema(self, conn: Connection, seconds: int) -> None:
        """Keep other servers from migrating until the transaction ends; wait so long for one that is at it."""
        ...

    def is_lock_timeout(self, error: DBAPIError) -> bool:
        """Whether something else held a lock for too long."""
        ...

    def sql(self, statement: str) -> str:
        """A statement with `?` placeholders as the driver wants it."""
        ...

    def lock_runs(self, statement: str) -> str:
        """The select of runs, locking its rows in their order where writers may be several."""
        ...

    def lock_keys(self, conn: Connection) -> None:
        """Called before new keys are made, so that two writers do not wait for each other's."""
        ...

    changed_runs: str
    """The runs that may have changed since another snapshot: a statement with that one's mark and an experiment.

    Its rows are the mark of this snapshot, two numbers by which a later snapshot sorts behind an earlier one, and id,
    uuid, lifecycle and `seq` of a run, NULL in the only row where there is none.
    """

    def driver(self, conn: Connection) -> Driver:
        """The driver of the writing connection."""
        ...

    def deadline(self, conn: Connection) -> Callable[[], None]:
        """Stop reads of this connection after READ_SECONDS_MAX; call the result when the read is over."""
        ...

    def prolong(self, conn: Connection) -> None:
        """Let the read under way take LOAD_SECONDS_MAX from now on."""
        ...

    def error(self, error: DBAPIError) -> MinleafError | None:
        """What to tell the caller when this happens in good code, or None for a mistake of ours."""
        ...

    def is_transient(self, error: DBAPIError) -> bool:
        """Whether the same transaction, run again, may pass: a deadlock, a serialization failure."""
        ...


class SQLite:
    """One file, one process, one writing connection. Durable: WAL with a sync before each answer."""

    name = "sqlite"
    # Changes are numbered in the order in which they are committed. The plus keeps SQLite from reading all runs of the
    # experiment by another index.
    changed_runs = """
        SELECT now.seq, now.seq, 0, run.id, run.uuid, run.lifecycle, run.seq
        FROM (SELECT coalesce(max(seq), 0) AS seq FROM run) AS now
        LEFT JOIN run ON run.seq > ? AND +run.experiment_id = ?"""

    def insert(self, table: Table) -> sqlite.Insert:
        return sqlite.insert(table)

    def engines(self, url: URL) -> tuple[Engine, Engine]:
        reader = create_engine(url, pool_size=READERS, max_overflow=0, connect_args={"check_same_thread": False})
        writer = create_engine(url, pool_size=1, max_overflow=0, connect_args={"check_same_thread": False})
        event.listen(reader, "connect", _on_connect(read_only=True))
        event.listen(writer, "connect", _on_connect(read_only=False))
        event.listen(reader, "begin", lambda conn: conn.exec_driver_sql("BEGIN"))
        event.listen(writer, "begin", _begin_immediate)
        return reader, writer

    def probe(self, url: URL) -> Engine:
        return create_engine(url, poolclass=NullPool)

    def require_all_text(self, conn: Connection) -> None:
        pass

    def lock_schema(self, conn: Connection, seconds: int) -> None:
        pass  # A writing transaction holds the only lock there is.

    def is_lock_timeout(self, error: DBAPIError) -> bool:
        return "database is locked" in str(error.orig)

    def sql(self, statement: str) -> str:
        return statement

    def lock_runs(self, statement: str) -> str:
        return statement

    def lock_keys(self, conn: Connection) -> None:
        pass

    def driver(self, conn: Connection) -> Driver:
        return SQLiteDriver(conn.connection.driver_connection)  # type: ignore[arg-type]

    def deadline(self, conn: Connection) -> Callable[[], None]:
        driver: sqlite3.Connection = conn.connection.driver_connection  # type: ignore[assignment]
        _stop_after(driver, READ_SECONDS_MAX)
        return lambda: driver.set_progress_handler(None, 0)

    def prolong(self, conn: Connection) -> None:
        _stop_after(conn.connection.driver_connection, LOAD_SECONDS_MAX)  # type: ignore[arg-type]

    def error(self, error: DBAPIError) -> MinleafError | None:
        reason = str(error.orig)
        if "interrupted" in reason:
            return _too_slow()
        if "disk is full" in reason:
            return Exhausted("The disk of the server is full: nothing of this request was stored.")
        if "readonly" in reason or "read-only" in reason:
            return Unavailable("The database of the server is read-only now: nothing of this request was stored.")
        if "malformed" in reason or "not a database" in reason:
            return Unavailable("The database file of the server is damaged. Its operator has to restore a backup.", 60)
        if isinstance(error.orig, sqlite3.OperationalError) and "no such" not in reason and "syntax" not in reason:
            return Unavailable("The database of the server does not answer now.")
        return None

    def is_transient(self, error: DBAPIError) -> bool:
        return False


class Postgres:
    """One database behind any number of replicas, each with its own writing connection."""

    name = "postgresql"
    # All transactions before the mark had ended when the snapshot was taken. The rows of a database that was restored
    # from another server may have numbers that are still to come.
    changed_runs = """
        SELECT now.mark, now.latest, -now.running, run.id, run.uuid, run.lifecycle, run.seq
        FROM (
            SELECT pg_snapshot_xmin(snapshot)::text::bigint AS mark, pg_snapshot_xmax(snapshot)::text::bigint AS latest,
                   (SELECT count(*) FROM pg_snapshot_xip(snapshot)) AS running
            FROM pg_current_snapshot() AS snapshot
        ) AS now
        LEFT JOIN run ON run.xid >= ? AND run.experiment_id = ? AND run.xid < now.latest"""

    def insert(self, table: Table) -> postgresql.Insert:
        return postgresql.insert(table)

    def engines(self, url: URL) -> tuple[Engine, Engine]:
        url = url.set(drivername="postgresql+psycopg")
        reading = f"-c statement_timeout={READ_SECONDS_MAX}s -c default_transaction_read_only=on"
        reader = create_engine(
            url,
            pool_size=READERS,
            max_overflow=0,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            connect_args={"connect_timeout": _CONNECT_SECONDS, "options": reading},
        )
        writing = f"-c lock_timeout={_BUSY_SECONDS}s -c idle_in_transaction_session_timeout={_BUSY_SECONDS}s"
        writer = create_engine(
            url,
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args={"connect_timeout": _CONNECT_SECONDS, "options": writing, "prepare_threshold": 2},
        )
        return reader, writer

    def probe(self, url: URL) -> Engine:
        # Without an encoding the driver gives bytes where the database has none, and SQLAlchemy stumbles over them.
        options = {"connect_timeout": _CONNECT_SECONDS, "client_encoding": "utf8"}
        return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=NullPool, connect_args=options)

    def require_all_text(self, conn: Connection) -> None:
        encoding = conn.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            raise SetupError(
                f"The database is encoded in {encoding}, which cannot hold every name and value. Give an empty one, "
                "made with: CREATE DATABASE minleaf ENCODING 'UTF8' TEMPLATE template0"
            )

    def lock_schema(self, conn: Connection, seconds: int) -> None:
        conn.execute(text(f"SET LOCAL lock_timeout = '{seconds}s'"))
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SCHEMA_LOCK})

    def is_lock_timeout(self, error: DBAPIError) -> bool:
        return getattr(error.orig, "sqlstate", None) == "55P03"

    def sql(self, statement: str) -> str:
        return _percent_style(statement)

    def lock_runs(self, statement: str) -> str:
        return statement + " FOR NO KEY UPDATE"

    def lock_keys(self, conn: Connection) -> None:
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _KEY_LOCK})

    def driver(self, conn: Connection) -> Driver:
        from minleaf_server.db.postgres_driver import PostgresDriver

        return PostgresDriver(conn.connection.driver_connection)  # type: ignore[arg-type]

    def deadline(self, conn: Connection) -> Callable[[], None]:
        return lambda: None  # statement_timeout of the connection

    def prolong(self, conn: Connection) -> None:
        conn.exec_driver_sql(f"SET LOCAL statement_timeout = '{LOAD_SECONDS_MAX}s'")

    def error(self, error: DBAPIError) -> MinleafError | None:
        state = getattr(error.orig, "sqlstate", None)
        if state == "57014":
            return _too_slow()
        if state in ("53100", "53400"):
            return Exhausted("The disk of the database is full: nothing of this request was stored.")
        if state is None:
            is_gone = isinstance(error, OperationalError | InterfaceError)
        else:  # 08: connection, 53: resources, 57: shut down, 40, 55: locks, 25: a standby
            is_gone = state[:2] in ("08", "53", "57", "40", "55", "25")
        if is_gone:
            return Unavailable("The database of the server does not answer now.")
        return None

    def is_transient(self, error: DBAPIError) -> bool:
        return getattr(error.orig, "sqlstate", None) in ("40001", "40P01")


def dialect_of(url: URL) -> Dialect:
    """The dialect for a database address. Raises SetupError for one that Minleaf does not speak."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        return SQLite()
    if backend in ("postgresql", "postgres"):
        try:
            url.set(drivername="postgresql+psycopg").get_dialect().import_dbapi()
        except (NoSuchModuleError, ImportError) as error:
            hint = 'Postgres needs its driver: pip install "minleaf[server,postgres]"'
            raise SetupError(hint) from error
        return Postgres()
    raise SetupError(f"Minleaf stores in SQLite (sqlite:///file.db) or Postgres (postgresql://…), not in {backend!r}.")


def _begin_immediate(conn: Connection) -> None:
    driver: sqlite3.Connection = conn.connection.driver_connection  # type: ignore[assignment]
    if not driver.in_transaction:  # else `db.driver` has begun it
        driver.execute("BEGIN IMMEDIATE")


def _stop_after(driver: sqlite3.Connection, seconds: float) -> None:
    end = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > end, 20_000)


def _on_connect(read_only: bool) -> Callable[[Any, ConnectionPoolEntry], None]:
    def connected(driver: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver would begin transactions by itself, and not for a read.
        driver.isolation_level = None
        pragmas = {
            "busy_timeout": _BUSY_SECONDS * 1000,
            "foreign_keys": "ON",
            "synchronous": "FULL",
            "secure_delete": "OFF",
            "temp_store": "MEMORY",
            # Kibibytes. The system caches the file too; each connection has a cache that one long history fills.
            "cache_size": -8_000 if read_only else -32_000,
            "query_only": "ON" if read_only else "OFF",
        }
        for name, value in pragmas.items():
            driver.execute(f"PRAGMA {name}={value}")
        if not read_only:
            driver.execute("PRAGMA journal_mode=WAL")
        sqlite_functions.register(driver)

    return connected


@lru_cache(maxsize=1024)
def _percent_style(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")


def _too_slow() -> Unavailable:
    return Unavailable(f"The query took longer than {READ_SECONDS_MAX} seconds. Narrow it with a filter.", 5)
