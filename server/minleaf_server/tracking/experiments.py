"""Use cases of experiments."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from minleaf_server.db.read import experiments as read
from minleaf_server.db.store import Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import experiments as write
from minleaf_server.entities import Experiment, ExperimentOverview, Lifecycle
from minleaf_server.entities.permission import Resource
from minleaf_server.entities.validation import (
    validate_artifact_location,
    validate_experiment_name,
    validate_experiment_tag,
)
from minleaf_server.errors import PermissionDenied
from minleaf_server.tracking import permissions
from minleaf_server.uri import resolved


async def create(
    store: Store,
    name: str,
    artifact_location: str | None = None,
    tags: Mapping[str, str] | None = None,
    *,
    allowed: Sequence[str] = (),
) -> Experiment:
    """A new experiment. Its artifacts go below the store's root unless `artifact_location` says otherwise.

    That must lie under the root or one of the `allowed` prefixes, or be a plain relative name, which as in MLflow
    means a place below the folder that the server was started in. Raises InvalidParameter for a bad name, location or
    tag, AlreadyExists also where a deleted experiment has the name.
    """
    validate_experiment_name(name)
    if artifact_location:
        validate_artifact_location(artifact_location, store.artifact_root, allowed)
        artifact_location = resolved(artifact_location, Path.cwd())
    tags = dict(tags or {})
    for index, (key, value) in enumerate(tags.items()):
        validate_experiment_tag(key, value, f"tags[{index}]")
    location = artifact_location or None
    who = permissions.caller()
    if location and who is not None and not who.user.is_admin:
        raise PermissionDenied(
            "Permission denied. Only an administrator may choose where the artifacts of an experiment are kept: the "
            "place could be that of another experiment."
        )

    def job(tx: Transaction) -> Experiment:
        made = write.create(tx, name, location, store.artifact_root, tags)
        permissions.own(tx, who, Resource.EXPERIMENT, str(made.id))
        return made

    made = await store.write(job)
    permissions.noted(who)
    return made


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
    """The active experiments that the caller may read, those with the latest activity first. Three queries."""
    readable = await permissions.readable(Resource.EXPERIMENT)
    return [one for one in await store.long_read(read.overview) if str(one.experiment.id) in readable]
