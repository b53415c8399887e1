"""Reads: each is a function of a connection, run in a worker thread, in one snapshot that cannot write.

Short reads have threads of their own, so that a run is found and a login checked while all other threads search.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from minleaf_server.db.dialect import LONG_READERS, SHORT_READERS, Dialect
from minleaf_server.db.lane import Lane
from minleaf_server.errors import Unavailable

T = TypeVar("T")
Read = Callable[[Connection], Any]


class Reader:
    """Two lanes of threads, each with a connection of its own."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._short = Lane("short-reader", SHORT_READERS, lambda: _Session(engine, dialect))
        self._long = Lane("long-reader", LONG_READERS, lambda: _Session(engine, dialect))

    async def read(self, job: Callable[[Connection], T]) -> T:
        """The result of a read whose time does not grow with what is stored. Raises Unavailable."""
        return cast(T, await self._short.submit(job))

    async def long_read(self, job: Callable[[Connection], T], resumed: bool = False) -> T:
        """The result of any other read; see Lane.submit for `resumed`. Raises Unavailable."""
        return cast(T, await self._long.submit(job, resumed))

    def run(self, job: Callable[[Connection], T]) -> T:
        """Run it now, in this thread. Raises Unavailable."""
        session = _Session(self._engine, self._dialect)
        try:
            return session(job)
        finally:
            session.close()

    def close(self) -> None:
        """Wait for the reads under way, then close their connections."""
        self._short.close()
        self._long.close()
        self._engine.dispose()


class _Session:
    """One thread's connection, which is kept from read to read: to ask the pool would take as long as a short read."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._conn: Connection | None = None

    def __call__(self, job: Callable[[Connection], T]) -> T:
        """Run it in a snapshot. Raises Unavailable where the database does not answer in time."""
        try:
            if self._conn is not None:
                try:
                    return self._read(self._conn, job)
                except DBAPIError as error:
                    if not error.connection_invalidated:
                        raise
                    self.close()  # The database was away since the last read, so another connection may do.
            self._conn = self._engine.connect()
            return self._read(self._conn, job)
        except (DBAPIError, InterfaceError) as error:
            if error.connection_invalidated:
                self.close()
            known = self._dialect.error(error)
            if known is None:
                raise
            raise known from error
        except PoolTimeout as error:
            raise Unavailable("The database of the server does not answer now.") from error

    def close(self) -> None:
        """Give the connection back."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def _read(self, conn: Connection, job: Callable[[Connection], T]) -> T:
        driver = self._engine.dialect.loaded_dbapi
        with conn.begin():
            done = self._dialect.deadline(conn)
            try:
                return job(conn)
            except driver.Error as error:
                # Of a statement that went past SQLAlchemy: its error is as any other.
                raise self._as_any_other(conn, error) from error
            finally:
                done()

    def _as_any_other(self, conn: Connection, error: Exception) -> DBAPIError:
        dialect = self._engine.dialect
        gone = dialect.is_disconnect(error, conn.connection.driver_connection, None)  # type: ignore[arg-type]
        wrapped = DBAPIError.instance(
            None, None, error, dialect.loaded_dbapi.Error, connection_invalidated=gone, dialect=dialect
        )
        if gone:
            conn.invalidate(error)
        return cast(DBAPIError, wrapped)
