"""Threads that read: how many, what waits for what, and what happens when too much does."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from minleaf_server.db import lane
from minleaf_server.db.lane import Lane
from minleaf_server.errors import Unavailable


class Step:
    """A job that takes as long as a test wants."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.started = threading.Event()
        self.may_end = threading.Event()


class Walker:
    """Does one step after another, and keeps a list of those begun."""

    def __init__(self, begun: list[str], closed: list["Walker"]) -> None:
        self._begun = begun
        self._closed = closed

    def __call__(self, job: Step, /) -> str:
        self._begun.append(job.name)
        job.started.set()
        assert job.may_end.wait(60)
        if job.name == "bad":
            raise ValueError(job.name)
        return job.name

    def close(self) -> None:
        self._closed.append(self)


class Way:
    """A lane of two threads."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.made: list[Walker] = []
        self.closed: list[Walker] = []
        self.lane = Lane("test", 2, self._walker)

    def _walker(self) -> Walker:
        self.made.append(Walker(self.begun, self.closed))
        return self.made[-1]

    async def busy(self) -> list[Step]:
        """Two steps that keep both threads busy."""
        steps = [Step("first"), Step("second")]
        for step in steps:
            self.lane.submit(step)
            await asyncio.to_thread(step.started.wait, 60)
        return steps


@pytest.fixture
async def way() -> AsyncIterator[Way]:
    made = Way()
    yield made
    await asyncio.to_thread(made.lane.close)


def done(name: str) -> Step:
    step = Step(name)
    step.may_end.set()
    return step


async def test_results_and_errors_come_back(way: Way) -> None:
    assert await way.lane.submit(done("a")) == "a"
    with pytest.raises(ValueError, match="bad"):
        await way.lane.submit(done("bad"))
    assert await way.lane.submit(done("b")) == "b"


async def test_one_thread_is_enough_for_one_after_the_other(way: Way) -> None:
    for name in "abcdef":
        assert await way.lane.submit(done(name)) == name
        await asyncio.sleep(0.02)  # It counts as idle a moment after it has answered.
    assert len(way.made) == 1


async def test_what_waits_is_done_in_order_by_as_many_threads_as_there_may_be(way: Way) -> None:
    steps = await way.busy()
    waiting = [way.lane.submit(done(name)) for name in "abcdefgh"]
    assert way.begun == ["first", "second"]
    steps[0].may_end.set()
    assert await asyncio.gather(*waiting) == list("abcdefgh")
    assert way.begun == ["first", "second", *"abcdefgh"]
    assert len(way.made) == 2
    steps[1].may_end.set()


async def test_too_many_are_refused_and_the_others_answered(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "WAITING_MAX", 3)
    steps = await way.busy()
    waiting = [way.lane.submit(done(name)) for name in "abc"]
    with pytest.raises(Unavailable, match="wait for the database already") as refused:
        way.lane.submit(done("d"))
    assert refused.value.retry_after_seconds > 0
    for step in steps:
        step.may_end.set()
    assert await asyncio.gather(*waiting) == ["a", "b", "c"]
    assert await way.lane.submit(done("d")) == "d"


async def test_what_has_waited_too_long_is_not_begun(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "WAIT_SECONDS_MAX", -1)
    late = way.lane.submit(done("late"))
    with pytest.raises(Unavailable, match="busy"):
        await late
    assert way.begun == []


async def test_what_nobody_waits_for_any_more_is_not_begun(way: Way) -> None:
    steps = await way.busy()
    gone, kept = way.lane.submit(done("gone")), way.lane.submit(done("kept"))
    gone.cancel()
    for step in steps:
        step.may_end.set()
    assert await kept == "kept"
    assert "gone" not in way.begun


async def test_the_end_waits_for_what_was_queued(way: Way) -> None:
    steps = await way.busy()
    waiting = [way.lane.submit(done(name)) for name in "abc"]
    ending = asyncio.create_task(asyncio.to_thread(way.lane.close))
    for step in steps:
        step.may_end.set()
    await ending
    assert await asyncio.gather(*waiting) == ["a", "b", "c"]
    assert sorted(map(id, way.closed)) == sorted(map(id, way.made))
    with pytest.raises(Unavailable, match="shutting down"):
        way.lane.submit(done("d"))
