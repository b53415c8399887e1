"""Use cases of datasets, and of what runs read and make."""

from collections.abc import Sequence

from minleaf_server.db.read import inputs as read
from minleaf_server.db.store import Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import inputs as write
from minleaf_server.db.write.runs import active_run
from minleaf_server.entities import Dataset, DatasetInput, DatasetSummary, ModelOutput
from minleaf_server.entities.dataset_rules import (
    validate_dataset,
    validate_input_count,
    validate_input_tags,
    validate_model_ids,
    validate_outputs,
)
from minleaf_server.errors import InvalidParameter

MAX_EXPERIMENTS_PER_SEARCH = 20

Tags = Sequence[tuple[str, str]]


async def log_inputs(
    store: Store, run_id: str, *, datasets: Sequence[tuple[Dataset, Tags]] = (), models: Sequence[str] = ()
) -> None:
    """Note what the run read: datasets, each with its tags, and logged models by id. All of it or nothing.

    Doing it again changes nothing, also where the tags, the source, the schema or the profile are others now: as in
    MLflow the first word stands. Raises NotFound, InvalidParameter for a bad value and for a deleted run.
    """
    validate_input_count("datasets", len(datasets))
    validate_input_count("models", len(models))
    for index, (dataset, tags) in enumerate(datasets):
        validate_dataset(dataset, f"datasets[{index}].dataset")
        validate_input_tags(tags, f"datasets[{index}].tags")
    validate_model_ids(models, "models")
    inputs = [DatasetInput(dataset, dict(tags)) for dataset, tags in datasets]

    def log(tx: Transaction) -> None:
        row = active_run(tx, run_id)
        write.log_datasets(tx, row, inputs)
        write.log_used_models(tx, row, models)

    await store.write(log, (run_id,))


async def log_outputs(store: Store, run_id: str, models: Sequence[ModelOutput]) -> None:
    """Note what models the run made, each at one step. Doing it again changes nothing.

    Raises NotFound, InvalidParameter for a bad value, a deleted run, and a model that the run made at another step.
    """
    validate_outputs(models, "models")
    await store.write(lambda tx: write.log_made_models(tx, active_run(tx, run_id), models), (run_id,))


async def search_datasets(store: Store, experiment_ids: Sequence[int]) -> list[DatasetSummary]:
    """The datasets of these experiments, once for each context in which runs used them, at most 1,000.

    Datasets of deleted runs and experiments too, as in MLflow. An unknown experiment has none.
    """
    if not experiment_ids:
        return []
    return await store.long_read(lambda conn: read.summaries(conn, experiment_ids))


def validate_searched_experiments(count: int) -> None:
    """Raises InvalidParameter with MLflow's texts where a search of datasets names no experiment, or over 20."""
    if not count:
        raise InvalidParameter("SearchDatasets request must specify at least one experiment_id.")
    if count > MAX_EXPERIMENTS_PER_SEARCH:
        raise InvalidParameter(
            f"SearchDatasets request cannot specify more than {MAX_EXPERIMENTS_PER_SEARCH} experiment_ids. "
            f"Received {count} experiment_ids."
        )
