"""Bringing a database to the schema of this version, and refusing one that is newer or not Minleaf's.

The version is one row in the database, so that a start that has nothing to migrate does not import Alembic.
"""

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from minleaf_server import resources
from minleaf_server.db.dialect import dialect_of
from minleaf_server.errors import SetupError

HEAD = "0008"
"""The newest revision in migrations/versions."""

VERSION_TABLE = "minleaf_version"

_LOCK_SECONDS = 60


def current(engine: Engine) -> str | None:
    """Return the revision of the database, or None where it is empty.

    Reads only, on a connection of its own: connecting through `engine` may already set up the file for Minleaf.
    Raises SetupError for a database that is not Minleaf's or that cannot hold all text.
    """
    dialect = dialect_of(engine.url)
    with dialect.probe(engine.url).connect() as conn:
        dialect.require_all_text(conn)
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
    dialect = dialect_of(engine.url)
    try:
        with engine.begin() as conn:
            dialect.lock_schema(conn, _LOCK_SECONDS)
            # Another server may have done it while this one waited.
            due = is_due(_revision(conn))
            if due:
                _run_alembic(conn)
            return due
    except DBAPIError as error:
        if dialect.is_lock_timeout(error):
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


def _foreign(tables: set[str]) -> str:
    if {"alembic_version", "experiments", "runs"} <= tables:
        owner = "This is a database of MLflow"
    else:
        owner = f"This database holds tables that are not Minleaf's ({', '.join(sorted(tables)[:3])})"
    return f"{owner}. Minleaf does not touch it: give --backend-store-uri the address of an empty database."


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
