"""The one writer of a process: a thread that runs queued jobs in groups, one transaction a group.

A group makes full durability cheap: one commit, one sync, answers for all. A job is a function of a Transaction and
may be run again, so it must do nothing but read and write through it.

Where the connection is lost before anything of the last message was sent, nothing is committed, and the group is run
again on a new connection. Once the message that ends with COMMIT is under way nobody can tell, so the callers are told
that the database does not answer; the clients repeat what they sent, and points, params and tags are stored once.

Clients that log one request after the other would fall into two halves, one of which is answered while the other is
committed, and so need two commits where one would do. Where jobs wait already, the writer therefore gives those who
were just answered the time that the last group took to come again, and never more than GATHER_SECONDS_MAX.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from minleaf_server.db.dialect import Dialect
from minleaf_server.db.driver import Driver, errors_of
from minleaf_server.db.memory import Memory
from minleaf_server.db.transaction import Transaction
from minleaf_server.errors import MinleafError, Unavailable

T = TypeVar("T")
log = logging.getLogger(__name__)

GROUP_MAX = 256
QUEUE_MAX = 10_000
RETRIES = 3
GATHER_SECONDS_MAX = 0.002


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is what to do; `runs` are the ids of the runs that it may change, locked in order before any job runs.

    `loop` is where the future lives, or None for one that a thread waits for.
    """

    run: Callable[[Transaction], Any]
    runs: Sequence[str]
    future: "Future[Any] | asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop | None


class Writer:
    """Owns the writing connection.

    `on_segments` is told, after each commit, how many segments each run got.
    """

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self.on_segments: Callable[[dict[str, int]], None] | None = None
        self._engine = engine
        self._dialect = dialect
        self._memory = Memory()
        self._connection: tuple[Connection, Driver] | None = None
        self._is_committing = False
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._awaited = 0
        self._gathered = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[Transaction], T], runs: Sequence[str] = ()) -> "Future[T]":
        """Queue a job, from any thread. The future is done when its transaction is committed, or holds its error.

        Raises Unavailable when the queue is full or the writer is closed.
        """
        future: Future[T] = Future()
        self._put(Job(run, runs, future, None))
        return future

    def submit_here(self, run: Callable[[Transaction], T], runs: Sequence[str] = ()) -> "asyncio.Future[T]":
        """As `submit`, in a coroutine. The futures of a group are done in one turn of the event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(Job(run, runs, future, loop))
        return future

    def close(self) -> None:
        """Finish what is queued, then stop and close the connection."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
                self._gathered.set()
        self._thread.join()
        self._engine.dispose()

    def _put(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise Unavailable("The server is shutting down: nothing of this request was stored.")
            if self._queue.qsize() >= QUEUE_MAX:
                raise Unavailable(
                    "More writes are waiting than the database takes: nothing of this request was stored."
                )
            self._queue.put(job)
            if self._awaited and self._queue.qsize() >= self._awaited:
                self._gathered.set()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            group = [job, *self._queued(GROUP_MAX - 1)]
            begin = time.monotonic()
            self._settle(group)
            self._gather(len(group), time.monotonic() - begin)
        if self._connection is not None:
            self._connection[0].close()

    def _gather(self, answered: int, seconds: float) -> None:
        """Wait so long for as many as were just answered, if others wait already."""
        with self._lock:
            waiting = self._queue.qsize()
            if not 0 < waiting < GROUP_MAX or self._closed:
                return
            self._awaited = min(waiting + answered, GROUP_MAX)
            self._gathered.clear()
        self._gathered.wait(min(seconds, GATHER_SECONDS_MAX))
        self._awaited = 0

    def _queued(self, limit: int) -> list[Job]:
        jobs: list[Job] = []
        while len(jobs) < limit:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:  # closing: leave the mark for the loop
                self._queue.put(None)
                break
            jobs.append(job)
        return jobs

    def _settle(self, group: list[Job]) -> None:
        """Give every future of the group its result or its error."""
        group = [job for job in group if _is_wanted(job)]
        try:
            outcomes = self._commit(group) if group else []
        except Exception as error:
            outcomes = [self._shown(error)] * len(group)
        of_loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for job, outcome in zip(group, outcomes, strict=True):
            if isinstance(job.future, asyncio.Future) and job.loop is not None:
                of_loops.setdefault(job.loop, []).append((job.future, outcome))
            else:
                _end(job.future, outcome)
        for loop, settled in of_loops.items():
            try:
                loop.call_soon_threadsafe(_end_all, settled)
            except RuntimeError:
                log.debug("nobody waits for the answer any more: the event loop is closed")

    def _commit(self, group: list[Job]) -> list[Any]:
        for attempt in range(RETRIES + 1):
            try:
                try:
                    return self._transact(group, isolate=False)
                except Exception as error:
                    if isinstance(error, DBAPIError) and self._is_of_all(error):
                        raise
                    # One job failed. Its neighbours must not: run them again, each behind its own savepoint.
                    return self._transact(group, isolate=True)
            except DBAPIError as error:
                if not self._may_pass_again(error) or attempt == RETRIES:
                    raise
        raise AssertionError("unreachable")

    def _is_of_all(self, error: DBAPIError) -> bool:
        """Whether no job is to blame: there is no connection, or another writer was in the way."""
        is_away = error.connection_invalidated or self._connection is None
        return is_away or self._dialect.is_transient(error)

    def _may_pass_again(self, error: DBAPIError) -> bool:
        is_lost_early = error.connection_invalidated and not self._is_committing
        return is_lost_early or self._dialect.is_transient(error)

    def _transact(self, group: list[Job], isolate: bool) -> list[Any]:
        self._is_committing = False
        conn, driver = self._connected()
        transaction = Transaction(conn, driver, self._dialect, self._memory)
        try:
            with errors_of(conn, driver):
                transaction.begin()
                transaction.lock_runs([run for job in group for run in job.runs])
                one = self._isolated if isolate else self._together
                outcomes = [one(transaction, job) for job in group]
                self._is_committing = True
                transaction.commit()
        except BaseException:
            with suppress(DBAPIError):  # What it was rolled back for says more.
                transaction.roll_back()
            raise
        if transaction.segments and self.on_segments is not None:
            self.on_segments(transaction.segments)
        return outcomes

    def _connected(self) -> tuple[Connection, Driver]:
        """The connection, a new one where the old one was lost."""
        if self._connection is not None and self._connection[0].invalidated:
            lost, self._connection = self._connection[0], None
            lost.close()
        if self._connection is None:
            conn = self._engine.connect()
            self._connection = (conn, self._dialect.driver(conn))
        return self._connection

    def _together(self, transaction: Transaction, job: Job) -> Any:
        """What the job returns, or its error where it raised before it changed anything."""
        steps = transaction.steps
        try:
            return job.run(transaction)
        except MinleafError as error:
            if transaction.steps != steps:
                raise
            return error

    def _isolated(self, transaction: Transaction, job: Job) -> Any:
        try:
            with transaction.savepoint(job.runs):
                return job.run(transaction)
        except DBAPIError as error:
            if self._is_of_all(error):
                raise
            return self._shown(error)
        except Exception as error:
            return self._shown(error)

    def _shown(self, error: Exception) -> Exception:
        if isinstance(error, MinleafError):
            return error
        if isinstance(error, DBAPIError) and (known := self._dialect.error(error)) is not None:
            log.warning("write refused by the database", exc_info=error)
            return known
        log.error("a write failed", exc_info=error)
        return error


def _is_wanted(job: Job) -> bool:
    """Whether the caller still waits. A thread's future cannot be cancelled from here on."""
    if isinstance(job.future, Future):
        return job.future.set_running_or_notify_cancel()
    return not job.future.cancelled()


def _end_all(settled: "list[tuple[asyncio.Future[Any], Any]]") -> None:
    for future, outcome in settled:
        if not future.cancelled():
            _end(future, outcome)


def _end(future: "Future[Any] | asyncio.Future[Any]", outcome: Any) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
