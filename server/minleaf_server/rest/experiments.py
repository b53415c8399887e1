"""The endpoints under `experiments/`."""

from minleaf_server.db.store import Store
from minleaf_server.entities.validation import parse_experiment_id
from minleaf_server.rest import choices, encode, messages, replies
from minleaf_server.tracking import experiments, search
from minleaf_server.web.policy import Access, access


@access(Access.EDIT)
async def create(store: Store, message: messages.CreateExperiment) -> replies.CreatedExperiment:
    """Create an experiment."""
    tags = {tag.key: tag.value for tag in message.tags}
    made = await experiments.create(store, message.name, message.artifact_location or None, tags)
    return replies.CreatedExperiment(str(made.id))


@access(Access.READ)
async def get(store: Store, message: messages.ExperimentId) -> replies.OneExperiment:
    """Get an experiment by its id, deleted ones included."""
    found = await experiments.get(store, parse_experiment_id(message.experiment_id))
    return replies.OneExperiment(encode.experiment(found))


@access(Access.READ)
async def get_by_name(store: Store, message: messages.GetExperimentByName) -> replies.OneExperiment:
    """Get an experiment by its name, deleted ones included."""
    return replies.OneExperiment(encode.experiment(await experiments.get_by_name(store, message.experiment_name)))


@access(Access.READ)
async def find(store: Store, message: messages.SearchExperiments) -> replies.Experiments:
    """Search experiments. `max_results` is required, as in MLflow, and at most 50,000."""
    page = await search.experiments(
        store,
        filter=message.filter,
        order_by=tuple(message.order_by),
        view=choices.view(message.view_type, "view_type"),
        max_results=message.max_results,
        page_token=message.page_token or None,
    )
    return replies.Experiments(
        choices.or_unset([encode.experiment(one) for one in page.items]), choices.or_unset(page.next_token)
    )


@access(Access.EDIT)
async def update(store: Store, message: messages.UpdateExperiment) -> replies.Empty:
    """Rename an experiment."""
    await experiments.rename(store, parse_experiment_id(message.experiment_id), message.new_name)
    return replies.Empty()


@access(Access.MANAGE)
async def delete(store: Store, message: messages.ExperimentId) -> replies.Empty:
    """Mark an experiment and its runs as deleted. Nothing of them is removed."""
    await experiments.delete(store, parse_experiment_id(message.experiment_id))
    return replies.Empty()


@access(Access.MANAGE)
async def restore(store: Store, message: messages.ExperimentId) -> replies.Empty:
    """Bring a deleted experiment and its runs back."""
    await experiments.restore(store, parse_experiment_id(message.experiment_id))
    return replies.Empty()


@access(Access.EDIT)
async def set_tag(store: Store, message: messages.SetExperimentTag) -> replies.Empty:
    """Set a tag of an experiment. A tag that is there gets the new value."""
    await experiments.set_tag(store, parse_experiment_id(message.experiment_id), message.key, message.value)
    return replies.Empty()


@access(Access.EDIT)
async def delete_tag(store: Store, message: messages.DeleteExperimentTag) -> replies.Empty:
    """Remove a tag of an experiment."""
    await experiments.delete_tag(store, parse_experiment_id(message.experiment_id), message.key)
    return replies.Empty()
