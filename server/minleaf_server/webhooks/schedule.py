"""Deliveries that wait: each is handed out when it is due, the earliest first. Bounded, so that memory is."""

import heapq
import threading
import time
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Schedule(Generic[Item]):
    """Takes items from any thread and hands each to one of the threads that ask. `limit` and `limit_bytes` bound it."""

    def __init__(self, limit: int, limit_bytes: int) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._heap: list[tuple[float, int, int, Item]] = []
        self._bytes = 0
        self._count = 0
        self._idle = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def wants_a_thread(self) -> bool:
        """Whether more items wait than threads ask for them."""
        with self._changed:
            return len(self._heap) > self._idle

    def put(self, item: Item, size: int, delay: float = 0.0) -> bool:
        """Hand the item out `delay` seconds from now. False, and nothing is kept, where there is no room or no more."""
        with self._changed:
            if self._closed or len(self._heap) >= self._limit or self._bytes + size > self._limit_bytes:
                return False
            self._count += 1
            self._bytes += size
            heapq.heappush(self._heap, (time.monotonic() + delay, self._count, size, item))
            self._changed.notify()
            return True

    def get(self) -> Item | None:
        """The next item, once it is due; None when the schedule is closed and nothing more is due."""
        with self._changed:
            self._idle += 1
            try:
                while not self._heap or self._heap[0][0] > time.monotonic():
                    if self._closed:
                        return None
                    self._changed.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
            finally:
                self._idle -= 1
            _, _, size, item = heapq.heappop(self._heap)
            self._bytes -= size
            return item

    def close(self) -> list[Item]:
        """Take nothing more. What is due is still handed out; the result is what would have had to wait."""
        with self._changed:
            self._closed = True
            now = time.monotonic()
            waiting = [entry for entry in self._heap if entry[0] > now]
            self._heap = [entry for entry in self._heap if entry[0] <= now]
            heapq.heapify(self._heap)
            self._changed.notify_all()
            return [entry[3] for entry in waiting]

    def drain(self) -> list[Item]:
        """Take out everything that is left."""
        with self._changed:
            left, self._heap = [entry[3] for entry in self._heap], []
            return left
