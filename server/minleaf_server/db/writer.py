"""The one writer of a process: a thread that runs queued jobs in groups, one transaction a group.

A group makes full durability cheap: one commit, one sync, answers for all. A job is a function of a Transaction and
may be run again, so it must do nothing but read and write through it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from minleaf_server.db.dialect import Dialect
from minleaf_server.db.transaction import Memory, Transaction
from minleaf_server.errors import MinleafError, Unavailable

T = TypeVar("T")
log = logging.getLogger(__name__)

GROUP_MAX = 256
QUEUE_MAX = 10_000
TRANSIENT_RETRIES = 3


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is what to do; `runs` are the ids of the runs that it may change, locked in order before any job runs."""

    run: Callable[[Transaction], Any]
    runs: Sequence[str]
    future: "Future[Any]"


class Writer:
    """Owns the writing connection. `submit` may be called from any thread.

    `on_segments` is told, after each commit, how many segments each run got.
    """

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self.on_segments: Callable[[dict[str, int]], None] | None = None
        self._engine = engine
        self._dialect = dialect
        self._memory = Memory()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[Transaction], T], runs: Sequence[str] = ()) -> "Future[T]":
        """Queue a job. The future is done when its transaction is committed, or holds the error of the job.

        Raises Unavailable when the queue is full or the writer is closed.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise Unavailable("The server is shutting down: nothing of this request was stored.")
            if self._queue.qsize() >= QUEUE_MAX:
                raise Unavailable(
                    "More writes are waiting than the database takes: nothing of this request was stored."
                )
            self._queue.put(Job(run, runs, future))
        return future

    def close(self) -> None:
        """Finish what is queued, then stop and close the connection."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()
        self._engine.dispose()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            group = [job, *self._queued(GROUP_MAX - 1)]
            self._settle(group)

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
        # A caller that has gone away cancels its future; from here on it cannot.
        group = [job for job in group if job.future.set_running_or_notify_cancel()]
        try:
            outcomes = self._commit(group)
        except Exception as error:
            outcomes = [self._shown(error)] * len(group)
        for job, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)

    def _commit(self, group: list[Job]) -> list[Any]:
        for attempt in range(TRANSIENT_RETRIES + 1):
            try:
                try:
                    return self._transact(group, isolate=False)
                except Exception as error:
                    if isinstance(error, DBAPIError) and error.connection_invalidated:
                        raise
                    # One job failed. Its neighbours must not: run them again, each behind its own savepoint.
                    return self._transact(group, isolate=True)
            except DBAPIError as error:
                if not self._dialect.is_transient(error) or attempt == TRANSIENT_RETRIES:
                    raise
        raise AssertionError("unreachable")

    def _transact(self, group: list[Job], isolate: bool) -> list[Any]:
        with self._engine.connect() as conn:
            transaction = Transaction(conn, self._dialect, self._memory)
            try:
                with conn.begin():
                    transaction.lock_runs([run for job in group for run in job.runs])
                    outcomes = [self._isolated(transaction, job) if isolate else job.run(transaction) for job in group]
                    transaction.finish()
            except BaseException:
                transaction.rolled_back()
                raise
            transaction.committed()
            if transaction.segments and self.on_segments is not None:
                self.on_segments(transaction.segments)
            return outcomes

    def _isolated(self, transaction: Transaction, job: Job) -> Any:
        try:
            with transaction.savepoint():
                return job.run(transaction)
        except DBAPIError as error:
            if self._dialect.is_transient(error) or error.connection_invalidated:
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
