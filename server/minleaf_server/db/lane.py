"""Threads that take work from one queue, in the order in which it came, and hand the results to an event loop."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from minleaf_server.errors import Unavailable

WAITING_MAX = 256
WAIT_SECONDS_MAX = 30
"""Whoever asked has mostly gone by then and asks again: to answer would keep those waiting who are still there."""

Job = TypeVar("Job")
Taken = TypeVar("Taken", contravariant=True)


class Worker(Protocol[Taken]):
    """What a thread does with the jobs; it is called by one thread only."""

    def __call__(self, job: Taken, /) -> Any: ...

    def close(self) -> None:
        """Called when the thread ends."""
        ...


class _Waiting(Generic[Job]):
    __slots__ = ("end", "future", "job", "loop")

    def __init__(self, job: Job, loop: asyncio.AbstractEventLoop, end: float) -> None:
        self.job = job
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.end = end


class Lane(Generic[Job]):
    """At most so many threads, each begun when all others are busy. `worker` makes what each of them works with."""

    def __init__(self, name: str, threads: int, worker: Callable[[], Worker[Job]]) -> None:
        self._name = name
        self._threads_max = threads
        self._worker = worker
        self._queue: SimpleQueue[_Waiting[Job] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, job: Job, resumed: bool = False) -> "asyncio.Future[Any]":
        """Called in an event loop. The future holds Unavailable where nobody came to the job in WAIT_SECONDS_MAX.

        Raises Unavailable where WAITING_MAX jobs are waiting. Neither limit is for a `resumed` job, which goes on with
        an answer that has begun: that could only be broken off.
        """
        waiting = _Waiting(job, asyncio.get_running_loop(), inf if resumed else time.monotonic() + WAIT_SECONDS_MAX)
        with self._lock:
            if self._closed:
                raise Unavailable("The server is shutting down.")
            if self._queue.qsize() >= WAITING_MAX and not resumed:
                raise Unavailable(f"{WAITING_MAX} requests wait for the database already. Ask again in a moment.", 2)
            self._queue.put(waiting)
            if self._idle:
                self._idle -= 1
            elif len(self._threads) < self._threads_max:
                name = f"{self._name}-{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._threads[-1].start()
        return waiting.future

    def close(self) -> None:
        """Finish what is queued, then end the threads."""
        with self._lock:
            self._closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        worker = self._worker()
        try:
            while (waiting := self._queue.get()) is not None:
                self._settle(worker, waiting)
                del waiting  # with its result, which may be large
                with self._lock:
                    # Where more is queued, this thread takes it: it is not idle, and nobody counts on it.
                    self._idle += self._queue.empty()
        finally:
            worker.close()

    def _settle(self, worker: Worker[Job], waiting: _Waiting[Job]) -> None:
        result, error = None, None
        if waiting.future.cancelled():
            return
        try:
            if time.monotonic() > waiting.end:
                raise Unavailable(f"The server was busy with other requests for {WAIT_SECONDS_MAX} seconds.", 2)
            result = worker(waiting.job)
        except Exception as found:
            error = found
        with suppress(RuntimeError):  # Where the loop is closed nobody waits any more.
            waiting.loop.call_soon_threadsafe(_deliver, waiting.future, result, error)


def _deliver(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
