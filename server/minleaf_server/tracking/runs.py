"""Use cases of runs: their life, and logging to them."""

from collections.abc import Sequence
from uuid import uuid4

from minleaf_server.db.read import runs as read
from minleaf_server.db.store import Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import logged_models, points
from minleaf_server.db.write import runs as write
from minleaf_server.entities import NO_POINTS, Lifecycle, Point, PointColumns, RunInfo, RunStatus, SummarizedRun
from minleaf_server.entities.logged_model import ModelPoint
from minleaf_server.entities.logged_model_rules import validate_dataset
from minleaf_server.entities.names import random_run_name
from minleaf_server.entities.validation import (
    validate_batch,
    validate_metric,
    validate_param,
    validate_run_name,
    validate_tag,
    validate_user,
)
from minleaf_server.errors import InvalidParameter


async def create(
    store: Store,
    experiment_id: int,
    *,
    name: str | None = None,
    user: str = "unknown",
    start_time: int | None = None,
    tags: Sequence[tuple[str, str]] = (),
) -> SummarizedRun:
    """A new run, RUNNING. Without a name, here or in the tag `mlflow.runName`, it gets one of our making.

    Of a tag given twice the last value stands. Raises NotFound for the experiment, InvalidParameter for a bad value, a
    deleted experiment, or a name that the tag contradicts.
    """
    by_key = dict(tags)
    for index, (key, value) in enumerate(tags):
        validate_tag(key, value, f"tags[{index}]")
    name = _agreed_name(name, by_key.get(write.RUN_NAME_TAG))
    validate_run_name(name)
    validate_user(user)
    by_key[write.RUN_NAME_TAG] = name
    # The id is made here and not by the job, which may run twice.
    new = write.NewRun(uuid4().hex, experiment_id, name, user, start_time, tuple(by_key.items()))
    info = await store.write(lambda tx: write.create(tx, new))
    return SummarizedRun(info, {}, {}, dict(sorted(by_key.items())))


async def get(store: Store, run_id: str) -> SummarizedRun:
    """The run with its data, inputs and outputs; deleted ones too. Raises NotFound. Seven queries at most."""
    return await store.read(lambda conn: read.load_summarized(conn, read.row_ids(conn, [run_id]), inputs=True)[0])


async def get_many(store: Store, run_ids: Sequence[str]) -> list[SummarizedRun]:
    """The runs in the order asked, without inputs and outputs. Raises NotFound for the first that does not exist.

    Five queries.
    """
    return await store.read(lambda conn: read.load_summarized(conn, read.row_ids(conn, run_ids)))


async def infos(store: Store, run_ids: Sequence[str]) -> dict[str, RunInfo]:
    """The runs by id without their data, in two queries. Raises NotFound for the first that does not exist."""
    found = await store.read(lambda conn: read.load_infos(conn, read.row_ids(conn, run_ids)))
    return {info.id: info for info in found.values()}


async def update(
    store: Store,
    run_id: str,
    *,
    status: RunStatus | None = None,
    end_time: int | None = None,
    name: str | None = None,
) -> RunInfo:
    """Change what is given. An empty name changes nothing, as in MLflow. Raises NotFound, InvalidParameter."""
    if name:
        validate_run_name(name)
        validate_tag(write.RUN_NAME_TAG, name)
    return await store.write(lambda tx: write.change(tx, run_id, status, end_time, name), (run_id,))


async def delete(store: Store, run_id: str) -> None:
    """Mark the run as deleted. Raises NotFound."""
    await store.write(lambda tx: write.set_lifecycle(tx, run_id, Lifecycle.DELETED), (run_id,))


async def restore(store: Store, run_id: str) -> None:
    """Undo `delete`. Raises NotFound."""
    await store.write(lambda tx: write.set_lifecycle(tx, run_id, Lifecycle.ACTIVE), (run_id,))


async def log_batch(
    store: Store,
    run_id: str,
    *,
    metrics: PointColumns = NO_POINTS,
    params: Sequence[tuple[str, str]] = (),
    tags: Sequence[tuple[str, str]] = (),
    of_models: Sequence[ModelPoint] = (),
) -> None:
    """Log all of it or, where anything is wrong, nothing. Points the run already has are passed over.

    `of_models` are those of `metrics` that are about a logged model too. Raises NotFound for the run or a model,
    InvalidParameter for a bad entry, for a deleted run and for a param that would change.
    """
    validate_batch(metrics, params, tags)
    for one in of_models:
        validate_dataset(one)
    tags_by_key = dict(tags)

    def log(tx: Transaction) -> None:
        row = write.active_run(tx, run_id)
        changed = write.log_params(tx, row, params)
        if changed:
            listed = [{"key": p.key, "old_value": p.old_value, "new_value": p.new_value} for p in changed]
            raise InvalidParameter(
                f"Changing param values is not allowed. Params were already logged='{listed}' for run ID='{run_id}'."
            )
        points.append(tx, row, metrics)
        if of_models:
            logged_models.log_points(tx, row, of_models)
        write.set_tags(tx, row, tags_by_key)

    await store.write(log, (run_id,))


async def log_metric(store: Store, run_id: str, point: Point, of_model: ModelPoint | None = None) -> None:
    """Log one point, which is `of_model` too. The same point again changes nothing. Raises as `log_batch` does."""
    validate_metric(point)
    if of_model is not None:
        validate_dataset(of_model)
    key, value, timestamp, step = point
    column = PointColumns((key,), (value,), (timestamp,), (step,))

    def log(tx: Transaction) -> None:
        row = write.active_run(tx, run_id)
        points.append(tx, row, column)
        if of_model is not None:
            logged_models.log_points(tx, row, [of_model])

    await store.write(log, (run_id,))


async def log_param(store: Store, run_id: str, key: str, value: str) -> None:
    """Log one param; the same value again is fine. Raises NotFound, InvalidParameter where the value would change."""
    validate_param(key, value)

    def log(tx: Transaction) -> None:
        for param in write.log_params(tx, write.active_run(tx, run_id), [(key, value)]):
            raise InvalidParameter(
                f"Changing param values is not allowed. Param with key='{key}' was already logged with "
                f"value='{param.old_value}' for run ID='{run_id}'. Attempted logging new value '{value}'."
            )

    await store.write(log, (run_id,))


async def set_tag(store: Store, run_id: str, key: str, value: str) -> None:
    """Set one tag over what was there. Raises NotFound, InvalidParameter."""
    validate_tag(key, value)
    await store.write(lambda tx: write.set_tags(tx, write.active_run(tx, run_id), {key: value}), (run_id,))


async def delete_tag(store: Store, run_id: str, key: str) -> None:
    """Raises NotFound for the run or the tag, InvalidParameter for a deleted run."""
    await store.write(lambda tx: write.delete_tag(tx, write.active_run(tx, run_id), key), (run_id,))


def _agreed_name(name: str | None, tag: str | None) -> str:
    if name and tag and name != tag:
        raise InvalidParameter(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name='{name}', mlflow.runName='{tag}')."
        )
    return name or tag or random_run_name()
