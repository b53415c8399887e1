"""Reads: each is a function of a connection, run in a worker thread, in one snapshot that cannot write."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from minleaf_server.db.dialect import READERS, Dialect
from minleaf_server.errors import Unavailable

T = TypeVar("T")


class Reader:
    """A pool of connections and as many threads."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self._engine = engine
        self._dialect = dialect
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    def submit(self, run: Callable[[Connection], T]) -> "Future[T]":
        """Run it soon in another thread. The future holds Unavailable where the database does not answer in time."""
        return self._threads.submit(self.run, run)

    def run(self, run: Callable[[Connection], T]) -> T:
        """Run it now, in this thread."""
        try:
            with self._engine.connect() as conn, conn.begin():
                done = self._dialect.deadline(conn)
                try:
                    return run(conn)
                finally:
                    done()
        except (DBAPIError, InterfaceError) as error:
            known = self._dialect.error(error)
            if known is None:
                raise
            raise known from error
        except PoolTimeout as error:
            raise Unavailable("The database of the server does not answer now.") from error

    def close(self) -> None:
        """Wait for the reads under way, then close their connections."""
        self._threads.shutdown()
        self._engine.dispose()
