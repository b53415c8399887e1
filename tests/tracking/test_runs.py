"""Runs: their life, and what logging to them keeps and refuses."""

import asyncio
import math

import pytest

from minleaf_server.db.store import Store
from minleaf_server.entities import Lifecycle, Point, PointColumns, RunStatus
from minleaf_server.errors import InvalidParameter, NotFound
from minleaf_server.tracking import experiments, runs
from tests.support.points import history


async def new_run(store: Store) -> str:
    return (await runs.create(store, 0)).info.id


async def test_a_run_without_a_name_gets_one_and_the_tag(store: Store) -> None:
    run = await runs.create(store, 0, user="ana", start_time=5, tags=[("a", "1"), ("a", "2")])
    assert run.info.name == run.tags["mlflow.runName"] != ""
    assert run.tags["a"] == "2"
    assert run == await runs.get(store, run.info.id)
    assert run.info.artifact_uri == f"mlflow-artifacts:/0/{run.info.id}/artifacts"


async def test_the_name_and_its_tag_stay_one(store: Store) -> None:
    run_id = await new_run(store)
    await runs.set_tag(store, run_id, "mlflow.runName", "from the tag")
    assert (await runs.get(store, run_id)).info.name == "from the tag"
    info = await runs.update(store, run_id, name="from the update")
    assert info.name == "from the update"
    assert (await runs.get(store, run_id)).tags["mlflow.runName"] == "from the update"
    assert (await runs.update(store, run_id, name="")).name == "from the update"


async def test_a_name_that_the_tag_contradicts_is_refused(store: Store) -> None:
    with pytest.raises(InvalidParameter, match=r"run_name='a', mlflow\.runName='b'"):
        await runs.create(store, 0, name="a", tags=[("mlflow.runName", "b")])


async def test_renaming_leaves_the_status_alone(store: Store) -> None:
    run_id = await new_run(store)
    await runs.update(store, run_id, status=RunStatus.FAILED, end_time=9)
    info = await runs.update(store, run_id, name="x")
    assert (info.status, info.end_time) == (RunStatus.FAILED, 9)


async def test_a_param_is_written_once(store: Store) -> None:
    run_id = await new_run(store)
    await runs.log_param(store, run_id, "batch_size", "4")
    await runs.log_param(store, run_id, "batch_size", "4")
    with pytest.raises(InvalidParameter, match=r"value='4'.*new value '8'"):
        await runs.log_param(store, run_id, "batch_size", "8")
    with pytest.raises(InvalidParameter, match="'old_value': '4', 'new_value': '8'"):
        await runs.log_batch(store, run_id, params=[("batch_size", "8"), ("other", "1")])
    assert (await runs.get(store, run_id)).params == {"batch_size": "4"}


async def test_a_batch_with_a_refused_param_stores_nothing(store: Store) -> None:
    run_id = await new_run(store)
    await runs.log_param(store, run_id, "p", "1")
    before = await runs.get(store, run_id)
    with pytest.raises(InvalidParameter):
        await runs.log_batch(
            store, run_id, metrics=PointColumns.of([Point("m", 1.0, 1, 1)]), params=[("p", "2")], tags=[("t", "1")]
        )
    assert await runs.get(store, run_id) == before


async def test_a_refused_request_does_not_fail_those_beside_it(store: Store) -> None:
    run_id = await new_run(store)
    await runs.log_param(store, run_id, "p", "0")

    async def log(number: int) -> None:
        params = [("p", "changed")] if number % 3 == 0 else [(f"p{number}", "1")]
        await runs.log_batch(
            store, run_id, metrics=PointColumns.of([Point("m", float(number), number, number)]), params=params
        )

    outcomes = await asyncio.gather(*(log(number) for number in range(60)), return_exceptions=True)
    refused = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, InvalidParameter)]
    assert refused == list(range(0, 60, 3))
    run = await runs.get(store, run_id)
    assert set(run.params) == {"p"} | {f"p{n}" for n in range(60) if n % 3}
    found = await history(store, run_id, "m")
    assert [point.step for point in found.items] == [n for n in range(60) if n % 3]


async def test_a_repeated_batch_adds_nothing(store: Store) -> None:
    run_id = await new_run(store)
    batch = [Point("m", value, 1, step) for step, value in enumerate((1.0, math.nan, math.inf, -0.0))]
    for _ in range(3):
        await runs.log_batch(store, run_id, metrics=PointColumns.of(batch))
    await runs.log_batch(store, run_id, metrics=PointColumns.of([batch[0], Point("m", 7.0, 1, 0), batch[0]]))
    summary = (await runs.get(store, run_id)).metrics["m"]
    assert (summary.count, summary.nan_count) == (5, 1)
    assert len((await history(store, run_id, "m")).items) == 5


async def test_zero_and_minus_zero_are_two_points(store: Store) -> None:
    run_id = await new_run(store)
    await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 0.0, 1, 1), Point("m", -0.0, 1, 1)]))
    assert (await runs.get(store, run_id)).metrics["m"].count == 2


async def test_points_of_a_refused_group_are_not_taken_for_stored(store: Store) -> None:
    """A repetition check inside a transaction that is undone must leave no memory of the undone points."""
    run_id = await new_run(store)
    await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 1.0, 5, 5)]), params=[("p", "1")])
    late = [Point("m", 2.0, 1, 1)]

    async def good() -> None:
        await runs.log_batch(store, run_id, metrics=PointColumns.of(late))

    async def bad() -> None:
        again = [Point("m", 3.0, 2, 2), Point("m", 2.0, 1, 1)]
        await runs.log_batch(store, run_id, metrics=PointColumns.of(again), params=[("p", "2")])

    await asyncio.gather(bad(), bad(), good(), bad(), return_exceptions=True)
    await runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 3.0, 2, 2)]))
    assert [p.value for p in (await history(store, run_id, "m")).items] == [2.0, 3.0, 1.0]


async def test_a_deleted_run_can_be_read_but_not_written(store: Store) -> None:
    run_id = await new_run(store)
    await runs.delete(store, run_id)
    assert (await runs.get(store, run_id)).info.lifecycle is Lifecycle.DELETED
    message = f"The run {run_id} must be in the 'active' state. Current state is deleted."
    for refused in (
        runs.log_batch(store, run_id, metrics=PointColumns.of([Point("m", 1.0, 1, 1)])),
        runs.log_param(store, run_id, "p", "1"),
        runs.set_tag(store, run_id, "t", "1"),
        runs.delete_tag(store, run_id, "mlflow.runName"),
        runs.update(store, run_id, name="x"),
    ):
        with pytest.raises(InvalidParameter) as error:
            await refused
        assert error.value.message == message
    await runs.restore(store, run_id)
    await runs.set_tag(store, run_id, "t", "1")


async def test_a_run_that_is_not_there(store: Store) -> None:
    for refused in (
        runs.get(store, "nope"),
        runs.delete(store, "nope"),
        runs.log_batch(store, "nope"),
        history(store, "nope", "m"),
    ):
        with pytest.raises(NotFound, match="Run with id=nope not found"):
            await refused


async def test_a_tag_is_deleted_once(store: Store) -> None:
    run_id = await new_run(store)
    await runs.set_tag(store, run_id, "t", "")
    assert (await runs.get(store, run_id)).tags["t"] == ""
    await runs.delete_tag(store, run_id, "t")
    with pytest.raises(NotFound, match=f"No tag with name: t in run with id {run_id}"):
        await runs.delete_tag(store, run_id, "t")


async def test_no_run_starts_in_a_deleted_or_missing_experiment(store: Store) -> None:
    made = await experiments.create(store, "gone")
    await experiments.delete(store, made.id)
    with pytest.raises(InvalidParameter, match=f"The experiment {made.id} must be in the 'active' state"):
        await runs.create(store, made.id)
    with pytest.raises(NotFound, match="No Experiment with id=99 exists"):
        await runs.create(store, 99)
