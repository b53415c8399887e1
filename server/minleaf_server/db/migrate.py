"""Bringing a database to the schema of this version, and refusing one that is newer or not Minleaf's.

The version is one row in the database, so that a start that has nothing to migrate does not import Alembic.
"""

from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from minleaf_server import resources
from minleaf_server.errors import SetupError

HEAD = "0001"
"""The newest revision in migrations/versions."""

VERSION_TABLE = "minleaf_version"

# Any number will do, as long as every version of Minleaf uses the same.
_LOCK = 7305520
_LOCK_SECONDS = 60
_CONNECT_SECONDS = 5


def current(engine: Engine) -> str | None:
    """Return the revision of the database, or None where it is empty.

    Reads only, on a connection of its own: connecting through `engine` may already set up the file for Minleaf.
    Raises SetupError for a database that is not Minleaf's or that cannot hold all text.
    """
    postgres = engine.dialect.name == "postgresql"
    # Without an encoding the driver gives bytes where the database has none, and SQLAlchemy stumbles over them.
    options = {"connect_timeout": _CONNECT_SECONDS, "client_encoding": "utf8"} if postgres else {}
    probe = create_engine(engine.url, poolclass=NullPool, connect_args=options)
    with probe.connect() as conn:
        if postgres:
            _require_utf8(conn)
        return _revision(conn)


def is_due(revision: str | None) -> bool:
    """Return whether a database of this revision has to be migrated. Raises SetupError for a newer or unknown one."""
    if revision == HEAD:
        return False
    if revision is not None and revision not in _known_revisions():
        raise SetupError(
            f"The database has schema version {revision!r}, which this version of Minleaf ({resources.version()}, "
            f"schema {HEAD}) does not know: a newer Minleaf has upgraded it. Install that version; nothing was changed."
        )
    return True


def upgrade(engine: Engine) -> bool:
    """Bring the database to HEAD where that is due. Returns whether anything was done.

    All in one transaction. On Postgres one server migrates while others that start at the same moment wait for it.
    Raises SetupError for a newer schema, for a database that is not Minleaf's, and where another server holds the lock.
    """
    if not is_due(current(engine)):
        return False
    try:
        with engine.begin() as conn:
            _lock(conn)
            # Another server may have done it while this one waited.
            due = is_due(_revision(conn))
            if due:
                _run_alembic(conn)
            return due
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "55P03":
            raise SetupError(
                f"The database has to be migrated, but another connection has held a lock on it for {_LOCK_SECONDS} "
                "seconds. Stop what uses it, or wait until the other server has migrated; nothing was changed."
            ) from error
        raise


def _revision(conn: Connection) -> str | None:
    tables = set(inspect(conn).get_table_names())
    if VERSION_TABLE in tables:
        revision = conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
        return None if revision is None else str(revision)
    if tables:
        raise SetupError(_foreign(tables))
    return None


def _require_utf8(conn: Connection) -> None:
    encoding = conn.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise SetupError(
            f"The database is encoded in {encoding}, which cannot hold every name and value. Give an empty one that "
            "is made with: CREATE DATABASE minleaf ENCODING 'UTF8' TEMPLATE template0"
        )


def _foreign(tables: set[str]) -> str:
    if {"alembic_version", "experiments", "runs"} <= tables:
        owner = "This is a database of MLflow"
    else:
        owner = f"This database holds tables that are not Minleaf's ({', '.join(sorted(tables)[:3])})"
    return f"{owner}. Minleaf does not touch it: give --backend-store-uri the address of an empty database."


def _lock(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(resources.folder("migrations"))).walk_revisions()}


def _run_alembic(conn: Connection) -> None:
    # Alembic takes a fifth of a second to import, and most starts have nothing to migrate.
    from alembic import command
    from alembic.config import Config

    config = Config()
    # The path may hold a percent sign, which the option would read as an interpolation.
    config.set_main_option("script_location", str(resources.folder("migrations")).replace("%", "%%"))
    config.attributes["connection"] = conn
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, "head")
