"""The store: one database, many readers, one writer."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from minleaf_server.db import migrate
from minleaf_server.db.columns import Columns
from minleaf_server.db.compactor import Compactor, left_over
from minleaf_server.db.dialect import Dialect, dialect_of
from minleaf_server.db.reader import Reader
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write.compaction import compact
from minleaf_server.db.write.experiments import ensure_default
from minleaf_server.db.writer import Writer
from minleaf_server.errors import SetupError

T = TypeVar("T")

__all__ = ["Connection", "Store"]

SEARCH_MEMORY = 256 * 2**20
"""Bytes for the columns of runs, unless another number is given."""


class Store:
    """What the use cases read and write through. `artifact_root` is where default artifact locations start."""

    def __init__(self, reader: Reader, writer: Writer, dialect: Dialect, artifact_root: str, columns: Columns) -> None:
        self._reader = reader
        self._writer = writer
        self._compactor = Compactor(writer.submit, reader.run)
        writer.on_segments = self._compactor.stored
        self.dialect = dialect
        self.artifact_root = artifact_root
        self.columns = columns

    @classmethod
    def open(cls, uri: str, artifact_root: str = "mlflow-artifacts:/", search_memory: int = SEARCH_MEMORY) -> "Store":
        """Connect, bring the schema up to date and make the default experiment where it never was.

        `uri` is SQLAlchemy's (`sqlite:///file.db`, `postgresql://…`). Searches may keep `search_memory` bytes. Raises
        SetupError with one clear line when the address is wrong, the database does not answer, or its schema is newer
        or not Minleaf's.
        """
        try:
            url = make_url(uri)
        except ArgumentError:
            raise SetupError(
                "The backend store URI cannot be read. It looks like sqlite:///minleaf.db or postgresql://user@host/db."
            ) from None
        dialect = dialect_of(url)
        shown = url.render_as_string(hide_password=True)
        reading, writing = dialect.engines(url)
        try:
            migrate.upgrade(writing)
            with writing.connect() as conn, conn.begin():
                ensure_default(conn, dialect, artifact_root)
        except BaseException as error:
            reading.dispose()
            writing.dispose()
            if not isinstance(error, SQLAlchemyError):
                raise
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise SetupError(f"The database {shown} cannot be opened: {reason}") from error
        columns = Columns(dialect, search_memory)
        return cls(Reader(reading, dialect), Writer(writing, dialect), dialect, artifact_root, columns)

    async def read(self, job: Callable[[Connection], T]) -> T:
        """The result of the job in one snapshot. Its time must not grow with what is stored, see `long_read`.

        Raises Unavailable where the database does not answer in time, or where too many are waiting for it.
        """
        return await self._reader.read(job)

    async def long_read(self, job: Callable[[Connection], T], resumed: bool = False) -> T:
        """As `read`, for searches and whatever else may take long. Such reads wait for each other, no `read` for them.

        A `resumed` one goes on with an answer that has begun, so it is never refused because others wait.
        """
        return await self._reader.long_read(job, resumed)

    async def write(self, job: Callable[[Transaction], T], runs: Sequence[str] = ()) -> T:
        """The result of the job once it is committed. `runs` are the ids of the runs that it may change.

        The job may be run more than once, so it must do nothing but read and write through its transaction.
        Raises what the job raised, or Unavailable or Exhausted; then nothing of it is stored.
        """
        return await self._writer.submit_here(job, runs)

    def write_now(self, job: Callable[[Transaction], T]) -> T:
        """As `write`, for what a server does before it serves: it waits in this thread."""
        return self._writer.submit(job).result()

    def compact(self, told: Callable[[str], None] = lambda _uuid: None) -> int:
        """Compact every run that has segments worth it, and wait. Returns how many runs; `told` hears of each."""
        done = 0
        for uuid in left_over(self._reader.run):
            while self._writer.submit(partial(compact, uuid=uuid), (uuid,)).result():
                pass
            told(uuid)
            done += 1
        return done

    async def ping(self) -> None:
        """Raises Unavailable where the database does not answer."""
        await self.read(lambda conn: conn.execute(select(1)).scalar_one())

    def close(self) -> None:
        """Finish what is queued and close every connection."""
        self._compactor.close()
        self._writer.close()
        self._reader.close()
