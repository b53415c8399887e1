"""Experiments: names, tags, deletion with their runs."""

import pytest

from minleaf_server.db.store import Store
from minleaf_server.entities import Lifecycle
from minleaf_server.errors import AlreadyExists, InvalidParameter, InvalidState, NotFound
from minleaf_server.tracking import experiments, runs


async def test_a_new_store_has_the_default_experiment(store: Store) -> None:
    default = await experiments.get(store, 0)
    assert (default.name, default.artifact_location) == ("Default", "mlflow-artifacts:/0")


async def test_a_deleted_default_stays_deleted(store: Store, database_uri: str) -> None:
    await experiments.delete(store, 0)
    again = Store.open(database_uri)
    assert (await experiments.get(again, 0)).lifecycle is Lifecycle.DELETED
    again.close()


async def test_a_name_is_taken_even_when_its_experiment_is_deleted(store: Store) -> None:
    made = await experiments.create(store, "sweep", tags={"team": "trees"})
    assert await experiments.get_by_name(store, "sweep") == made
    with pytest.raises(AlreadyExists, match=r"Experiment\(name=sweep\) already exists"):
        await experiments.create(store, "sweep")
    await experiments.delete(store, made.id)
    with pytest.raises(AlreadyExists, match="restore it"):
        await experiments.create(store, "sweep")
    assert (await experiments.get_by_name(store, "sweep")).lifecycle is Lifecycle.DELETED


async def test_deleting_an_experiment_takes_its_runs_along(store: Store) -> None:
    made = await experiments.create(store, "sweep")
    run = await runs.create(store, made.id)
    await experiments.delete(store, made.id)
    assert (await runs.get(store, run.info.id)).info.lifecycle is Lifecycle.DELETED
    await experiments.restore(store, made.id)
    assert (await runs.get(store, run.info.id)).info.lifecycle is Lifecycle.ACTIVE
    with pytest.raises(NotFound):
        await experiments.restore(store, made.id)


async def test_renaming(store: Store) -> None:
    made = await experiments.create(store, "a")
    await experiments.create(store, "b")
    await experiments.rename(store, made.id, "c")
    assert (await experiments.get(store, made.id)).name == "c"
    await experiments.rename(store, made.id, "c")
    with pytest.raises(AlreadyExists):
        await experiments.rename(store, made.id, "b")
    await experiments.delete(store, made.id)
    with pytest.raises(InvalidState, match="Cannot rename a non-active experiment"):
        await experiments.rename(store, made.id, "d")


async def test_tags(store: Store) -> None:
    made = await experiments.create(store, "a")
    await experiments.set_tag(store, made.id, "k", "1")
    await experiments.set_tag(store, made.id, "k", "2")
    assert (await experiments.get(store, made.id)).tags == {"k": "2"}
    await experiments.delete_tag(store, made.id, "k")
    with pytest.raises(NotFound, match="No tag with name: k"):
        await experiments.delete_tag(store, made.id, "k")
    await experiments.delete(store, made.id)
    with pytest.raises(InvalidParameter, match="must be in the 'active' state"):
        await experiments.set_tag(store, made.id, "k", "1")


async def test_overview_counts_active_runs(store: Store) -> None:
    made = await experiments.create(store, "sweep")
    first = await runs.create(store, made.id, start_time=10)
    await runs.create(store, made.id, start_time=2**42)
    await runs.delete(store, first.info.id)
    row, other = await experiments.overview(store)
    assert (row.experiment.name, row.run_count, row.last_start_time) == ("sweep", 1, 2**42)
    assert (other.experiment.name, other.run_count, other.last_start_time) == ("Default", 0, None)
