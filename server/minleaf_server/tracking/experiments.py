"""Use cases of experiments."""

from collections.abc import Mapping

from minleaf_server.db.read import experiments as read
from minleaf_server.db.store import Store
from minleaf_server.db.write import experiments as write
from minleaf_server.entities import Experiment, ExperimentOverview, Lifecycle
from minleaf_server.entities.validation import (
    validate_artifact_location,
    validate_experiment_name,
    validate_experiment_tag,
)


async def create(
    store: Store, name: str, artifact_location: str | None = None, tags: Mapping[str, str] | None = None
) -> Experiment:
    """A new experiment. Its artifacts go below the store's root unless `artifact_location` says otherwise.

    Raises InvalidParameter for a bad name, location or tag, AlreadyExists also where a deleted experiment has the name.
    """
    validate_experiment_name(name)
    if artifact_location:
        validate_artifact_location(artifact_location, store.artifact_root)
    tags = dict(tags or {})
    for index, (key, value) in enumerate(tags.items()):
        validate_experiment_tag(key, value, f"tags[{index}]")
    location = artifact_location or None
    return await store.write(lambda tx: write.create(tx, name, location, store.artifact_root, tags))


async def get(store: Store, experiment_id: int) -> Experiment:
    """Deleted ones too. Raises NotFound."""
    return await store.read(lambda conn: read.by_id(conn, experiment_id))


async def get_by_name(store: Store, name: str) -> Experiment:
    """Deleted ones too, as MLflow. Raises NotFound."""
    return await store.read(lambda conn: read.by_name(conn, name))


async def rename(store: Store, experiment_id: int, name: str) -> None:
    """Raises InvalidParameter, NotFound, InvalidState for a deleted experiment, AlreadyExists."""
    validate_experiment_name(name)
    await store.write(lambda tx: write.rename(tx, experiment_id, name))


async def delete(store: Store, experiment_id: int) -> None:
    """Mark the experiment and all its runs as deleted. Raises NotFound, also where it is deleted already."""
    await store.write(lambda tx: write.set_lifecycle(tx, experiment_id, Lifecycle.DELETED))


async def restore(store: Store, experiment_id: int) -> None:
    """Undo `delete`, for the runs too. Raises NotFound, also where it is not deleted."""
    await store.write(lambda tx: write.set_lifecycle(tx, experiment_id, Lifecycle.ACTIVE))


async def set_tag(store: Store, experiment_id: int, key: str, value: str) -> None:
    """Raises InvalidParameter, also for a deleted experiment, NotFound."""
    validate_experiment_tag(key, value)
    await store.write(lambda tx: write.set_tag(tx, experiment_id, key, value))


async def delete_tag(store: Store, experiment_id: int, key: str) -> None:
    """Raises NotFound for the experiment or the tag, InvalidParameter for a deleted experiment."""
    await store.write(lambda tx: write.delete_tag(tx, experiment_id, key))


async def overview(store: Store) -> list[ExperimentOverview]:
    """The active experiments, those with the latest activity first. Three queries."""
    return await store.read(read.overview)
