"""What runs read and make, and the datasets of experiments."""

from msgspec import UNSET

from minleaf_server import entities
from minleaf_server.entities.validation import validate_run_id
from minleaf_server.rest import choices
from minleaf_server.rest.inputs import messages, replies
from minleaf_server.rest.replies import Empty
from minleaf_server.tracking import inputs
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access


@access(Access.LOG, On.RUN)
async def log_inputs(services: Services, message: messages.LogInputs) -> Empty:
    """Note the datasets and logged models that a run read. What is noted already stays as it is."""
    validate_run_id(message.run_id)
    await inputs.log_inputs(
        services.store,
        message.run_id,
        datasets=[(_dataset(each.dataset), [(tag.key, tag.value) for tag in each.tags]) for each in message.datasets],
        models=[model.model_id for model in message.models],
    )
    return Empty()


def _dataset(new: messages.NewDataset) -> entities.Dataset:
    return entities.Dataset(new.name, new.digest, new.source_type, new.source, new.schema, new.profile)


@access(Access.LOG, On.RUN)
async def log_outputs(services: Services, message: messages.LogOutputs) -> Empty:
    """Note the logged models that a run made, each with its step. The same again changes nothing."""
    made = [entities.ModelOutput(model.model_id, model.step) for model in message.models]
    await inputs.log_outputs(services.store, message.run_id, made)
    return Empty()


@access(Access.READ, On.EXPERIMENT)
async def search_datasets(services: Services, message: messages.SearchDatasets) -> replies.DatasetSummaries:
    """The datasets that runs of 1 to 20 experiments used, once for each context. At most 1,000."""
    inputs.validate_searched_experiments(len(message.experiment_ids))
    found = await inputs.search_datasets(services.store, choices.experiment_ids(message.experiment_ids))
    summaries = [
        replies.DatasetSummary(
            str(each.experiment_id), each.name, each.digest, UNSET if each.context is None else each.context
        )
        for each in found
    ]
    return replies.DatasetSummaries(summaries or UNSET)
