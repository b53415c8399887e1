"""The active run in threads, asyncio tasks and forked processes."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import minleaf
from minleaf.entities import Experiment

# What happens here does not depend on the database, so one is enough.
pytestmark = pytest.mark.parametrize("shared_server", ["sqlite"], indirect=True, scope="module")


def metrics_of(run_id: str) -> dict[str, float]:
    return minleaf.get_run(run_id).data.metrics


def active_id() -> str | None:
    run = minleaf.active_run()
    return None if run is None else run.info.run_id


def test_threads_have_runs_of_their_own(experiment: Experiment) -> None:
    barrier = threading.Barrier(4)

    def train(number: int) -> str:
        with minleaf.start_run() as run:
            barrier.wait()
            minleaf.log_metric(f"m{number}", number)
            barrier.wait()
            assert active_id() == run.info.run_id
        return run.info.run_id

    with minleaf.start_run() as outer, ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(train, range(4)))
        assert active_id() == outer.info.run_id
    assert [metrics_of(run_id) for run_id in ids] == [{f"m{number}": float(number)} for number in range(4)]
    assert metrics_of(outer.info.run_id) == {}


def test_asyncio_tasks_do_not_mix(experiment: Experiment) -> None:
    async def train(number: int, everyone: asyncio.Barrier) -> str:
        with minleaf.start_run(nested=True) as run:
            await everyone.wait()
            minleaf.log_metric(f"m{number}", number)
            await everyone.wait()
            assert active_id() == run.info.run_id
        return run.info.run_id

    async def main() -> list[str]:
        everyone = asyncio.Barrier(3)
        return await asyncio.gather(*(train(number, everyone) for number in range(3)))

    with minleaf.start_run() as outer:
        ids = asyncio.run(main())
        assert active_id() == outer.info.run_id
    for number, run_id in enumerate(ids):
        assert metrics_of(run_id) == {f"m{number}": float(number)}
        assert minleaf.get_run(run_id).data.tags["mlflow.parentRunId"] == outer.info.run_id


def test_a_run_ended_in_a_helper_thread_is_ended_everywhere(experiment: Experiment) -> None:
    async def main() -> None:
        run = minleaf.start_run()
        await asyncio.to_thread(minleaf.log_metric, "m", 1.0)
        await asyncio.to_thread(minleaf.end_run)
        assert minleaf.active_run() is None
        assert metrics_of(run.info.run_id) == {"m": 1.0}

    asyncio.run(main())


def test_one_run_from_many_threads_by_its_id(experiment: Experiment) -> None:
    with minleaf.start_run() as run, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda step: minleaf.log_metric("m", step, step=step, run_id=run.info.run_id), range(100)))
    history = minleaf.MinleafClient().get_metric_history(run.info.run_id, "m")
    assert sorted(point.step for point in history) == list(range(100))


def test_a_forked_child_has_its_own_connection_and_no_active_run(experiment: Experiment) -> None:
    with minleaf.start_run() as run:
        minleaf.log_metric("before", 1.0)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                inherited = active_id()
                minleaf.log_metric("child", 1.0, run_id=run.info.run_id)
                os.write(writer, repr(inherited).encode())
            finally:
                os._exit(0)
        os.close(writer)
        for step in range(20):
            minleaf.log_metric("after", step, step=step)
        with os.fdopen(reader) as answer:
            assert answer.read() == "None"
        os.waitpid(child, 0)
        assert active_id() == run.info.run_id
    assert metrics_of(run.info.run_id) == {"before": 1.0, "child": 1.0, "after": 19.0}
    assert minleaf.get_run(run.info.run_id).info.status == "FINISHED"
