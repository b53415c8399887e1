"""Plain runs, logged as a client would."""

from minleaf_server.db.store import Store
from minleaf_server.entities import Dataset, Point, PointColumns, RunStatus
from minleaf_server.entities.dataset import CONTEXT_TAG
from minleaf_server.tracking import inputs, runs
from tests.filters.oracle import OracleRun


async def insert(store: Store, run: OracleRun) -> None:
    """Log the run; takes over the id and the values that the server gives."""
    made = await runs.create(
        store, run.experiment_id, name=run.name, user=run.user, start_time=run.start, tags=list(run.tags.items())
    )
    run.id, run.artifact_uri, run.start = made.info.id, made.info.artifact_uri, made.info.start_time
    points = [Point(key, value, 0, step) for key, series in run.metrics.items() for step, value in series]
    await runs.log_batch(store, run.id, metrics=PointColumns.of(points), params=list(run.params.items()))
    if run.datasets:
        await inputs.log_inputs(store, run.id, datasets=[logged_dataset(*dataset) for dataset in run.datasets])
    await runs.update(store, run.id, status=RunStatus[run.status], end_time=run.end, name=None)
    if run.deleted:
        await runs.delete(store, run.id)


def logged_dataset(name: str, digest: str, context: str | None) -> tuple[Dataset, list[tuple[str, str]]]:
    """A dataset with its tags, of which one is its context."""
    tags = [] if context is None else [(CONTEXT_TAG, context)]
    return Dataset(name, digest, "local", "source"), [*tags, ("other", "train")]
