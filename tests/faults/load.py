"""Writers that log to a server from threads of their own, and remember what it acknowledged."""

import http.client
import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Self

from tests.faults.ledger import Batch, Ledger, Point
from tests.support.wire import ANSWER_SECONDS_MAX, Client

SHARED = [f"shared{number}" for number in range(40)]
KEYS = [f"m{number}" for number in range(6)]
_PAUSE = 0.05
_VALUES = (math.nan, math.inf, -math.inf, -0.0, 0.0, 1e308)


class Writer:
    """Makes batches for runs that it may share with others. Its steps and its names are its own, so each batch is."""

    def __init__(self, number: int, writers: int, ledger: Ledger, run_ids: Sequence[str]) -> None:
        self.ledger = ledger
        self.run_ids = run_ids
        self._number = number
        self._writers = writers
        self._random = random.Random(number)
        self._turn = 0
        self._unanswered: list[Batch] = []

    def next(self) -> Batch:
        """A new batch, or one that got no answer: a client repeats those, now or after others."""
        if self._unanswered and self._random.random() < 0.3:
            return self._unanswered.pop(self._random.randrange(len(self._unanswered)))
        self._turn += 1
        batch = Batch(self._random.choice(self.run_ids))
        kind = self._random.choice(["metric", "metric", "metrics", "metrics", "param", "tag", "all"])
        if kind in ("metric", "metrics", "all"):
            batch.points = self._points(1 if kind == "metric" else self._random.choice([2, 6, 40]))
        if kind in ("param", "all"):
            batch.params = {f"p{self._number}-{self._turn}": str(self._turn)}
            # Every writer makes these, in an order of its own.
            batch.params |= dict.fromkeys(self._random.sample(SHARED, 2), "1")
        if kind in ("tag", "all"):
            batch.tags = {f"t{self._number}": str(self._turn)}
        self.ledger.sent(batch)
        return batch

    def unanswered(self, batch: Batch) -> None:
        """Nobody knows what became of it. A tag is not sent again, since it could come after a newer value."""
        if not batch.tags:
            self._unanswered.append(batch)

    def _points(self, count: int) -> list[Point]:
        points = []
        for number in range(count):
            step = (self._turn * 40 + number) * self._writers + self._number
            value = self._random.choice(_VALUES) if self._random.random() < 0.05 else self._random.gauss(0, 1)
            points.append(Point(self._random.choice(KEYS), value, self._random.randrange(10**12), step))
        return points


Accepts = Callable[[int, str], bool]
"""Whether an answer other than 200, as status and Retry-After, may be."""


def never(_status: int, _retry_after: str) -> bool:
    return False


def asks_to_wait(status: int, retry_after: str) -> bool:
    """What a server that cannot answer now has to say."""
    return status == 503 and retry_after.isdecimal()


def asks_to_wait_or_breaks_off(status: int, retry_after: str) -> bool:
    """As `asks_to_wait`. Where the head of a long answer is out it can only be broken off, which counts as status 0."""
    return status == 0 or asks_to_wait(status, retry_after)


class _Threads:
    """Threads that send requests until the block is left; what they were answered and must not be is raised there."""

    def __init__(self, count: int, accepts: Accepts) -> None:
        self.answers: Counter[int] = Counter()
        self.unexpected: list[str] = []
        self._accepts = accepts
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert self.unexpected == []

    def wait_for(self, more: int, status: int = 200) -> None:
        """Return when so many more answers of this status have come."""
        enough = self.answers[status] + more
        end = time.monotonic() + ANSWER_SECONDS_MAX
        while self.answers[status] < enough:
            assert time.monotonic() < end, f"{status} is not answered: {self.answers} {self.unexpected}"
            time.sleep(0.005)

    def _work(self, number: int) -> None:
        raise NotImplementedError

    def _note(self, path: str, status: int, body: bytes, retry_after: str) -> None:
        self.answers[status] += 1
        if status != 200:
            if not self._accepts(status, retry_after):
                self.unexpected.append(f"{path}: {status}, Retry-After {retry_after!r}, {body.decode()}")
            self._stop.wait(_PAUSE)


class Load(_Threads):
    """Every writer writes in a thread of its own. Writer number n uses the n-th of `urls`, and over again."""

    def __init__(self, urls: Sequence[str], writers: Sequence[Writer], accepts: Accepts = never) -> None:
        super().__init__(len(writers), accepts)
        self._urls = urls
        self._writers = writers

    def _work(self, number: int) -> None:
        writer = self._writers[number]
        client = Client(self._urls[number % len(self._urls)])
        while not self._stop.is_set():
            batch = writer.next()
            path, body = batch.request()
            try:
                status, text, retry_after = client.post(f"/runs/{path}", body)
            except (OSError, http.client.HTTPException):
                writer.unanswered(batch)
                self._stop.wait(_PAUSE)
                continue
            if status == 200:
                writer.ledger.answered(batch)
            else:
                writer.unanswered(batch)
            self._note(path, status, text, retry_after)
        client.close()


class Reading(_Threads):
    """So many threads that read a run, its history and a search of runs, over and over."""

    def __init__(self, url: str, run_id: str, count: int, accepts: Accepts = never) -> None:
        super().__init__(count, accepts)
        self._url = url
        self._paths = [
            f"/runs/get?run_id={run_id}",
            f"/metrics/get-history?run_id={run_id}&metric_key={KEYS[0]}",
            "/experiments/get?experiment_id=0",
        ]

    def _work(self, number: int) -> None:
        client = Client(self._url)
        while not self._stop.is_set():
            for path in self._paths:
                try:
                    self._note(path, *client.get(path))
                except (OSError, http.client.HTTPException) as error:
                    self._note(path, 0, repr(error).encode(), "")
            search = {"experiment_ids": ["0"], "filter": f"metrics.{KEYS[0]} > -1e9", "max_results": 10}
            self._note("/runs/search", *client.post("/runs/search", search))
        client.close()


def writers_for(run_ids: Sequence[str], count: int, ledger: Ledger) -> list[Writer]:
    """So many writers, all of which write to all of the runs."""
    return [Writer(number, count, ledger, run_ids) for number in range(count)]


def make_runs(url: str, count: int) -> list[str]:
    """The ids of new runs of the default experiment."""
    client = Client(url)
    made = [client.post("/runs/create", {"experiment_id": "0"}) for _ in range(count)]
    client.close()
    return [json.loads(body)["run"]["info"]["run_id"] for _, body, _ in made]
