"""The endpoints under `experiments/`."""

from minleaf_server.entities.validation import parse_experiment_id
from minleaf_server.rest import choices, encode, messages, replies
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.tracking import experiments, search
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access


@access(Access.EDIT)
async def create(services: Services, message: messages.CreateExperiment) -> replies.CreatedExperiment:
    """Create an experiment."""
    tags = {tag.key: tag.value for tag in message.tags}
    made = await experiments.create(
        services.store,
        message.name,
        message.artifact_location or None,
        tags,
        allowed=services.artifacts.prefixes(),
    )
    return replies.CreatedExperiment(str(made.id))


@access(Access.READ, On.EXPERIMENT)
async def get(services: Services, message: messages.ExperimentId) -> replies.OneExperiment:
    """Get an experiment by its id, deleted ones included."""
    found = await experiments.get(services.store, parse_experiment_id(message.experiment_id))
    return replies.OneExperiment(encode.experiment(found))


@access(Access.READ, On.EXPERIMENT)
async def get_by_name(services: Services, message: messages.GetExperimentByName) -> replies.OneExperiment:
    """Get an experiment by its name, deleted ones included."""
    return replies.OneExperiment(
        encode.experiment(await experiments.get_by_name(services.store, message.experiment_name))
    )


@access(Access.READ)
async def find(services: Services, message: messages.SearchExperiments) -> replies.Experiments:
    """Search experiments. `max_results` is required, as in MLflow, and at most 50,000."""
    page = await search.experiments(
        services.store,
        filter=message.filter,
        order_by=tuple(message.order_by),
        view=choices.view(message.view_type, "view_type"),
        max_results=message.max_results,
        page_token=message.page_token or None,
    )
    return replies.Experiments(
        choices.or_unset([encode.experiment(one) for one in page.items]), choices.or_unset(page.next_token)
    )


@access(Access.EDIT, On.EXPERIMENT)
async def update(services: Services, message: messages.UpdateExperiment) -> replies.Empty:
    """Rename an experiment."""
    await experiments.rename(services.store, parse_experiment_id(message.experiment_id), message.new_name)
    return replies.Empty()


@access(Access.MANAGE, On.EXPERIMENT)
async def delete(services: Services, message: messages.ExperimentId) -> replies.Empty:
    """Mark an experiment and its runs as deleted. Nothing of them is removed."""
    await experiments.delete(services.store, parse_experiment_id(message.experiment_id))
    return replies.Empty()


@access(Access.MANAGE, On.EXPERIMENT)
async def restore(services: Services, message: messages.ExperimentId) -> replies.Empty:
    """Bring a deleted experiment and its runs back."""
    await experiments.restore(services.store, parse_experiment_id(message.experiment_id))
    return replies.Empty()


@access(Access.EDIT, On.EXPERIMENT)
async def set_tag(services: Services, message: messages.SetExperimentTag) -> replies.Empty:
    """Set a tag of an experiment. A tag that is there gets the new value."""
    await experiments.set_tag(services.store, parse_experiment_id(message.experiment_id), message.key, message.value)
    return replies.Empty()


@access(Access.EDIT, On.EXPERIMENT)
async def delete_tag(services: Services, message: messages.DeleteExperimentTag) -> replies.Empty:
    """Remove a tag of an experiment."""
    await experiments.delete_tag(services.store, parse_experiment_id(message.experiment_id), message.key)
    return replies.Empty()


ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/experiments/create", create),
    Endpoint("GET", "/2.0/mlflow/experiments/get", get),
    Endpoint("GET", "/2.0/mlflow/experiments/get-by-name", get_by_name),
    Endpoint("POST", "/2.0/mlflow/experiments/search", find),
    Endpoint("GET", "/2.0/mlflow/experiments/search", find),
    Endpoint("POST", "/2.0/mlflow/experiments/update", update),
    Endpoint("POST", "/2.0/mlflow/experiments/delete", delete),
    Endpoint("POST", "/2.0/mlflow/experiments/restore", restore),
    Endpoint("POST", "/2.0/mlflow/experiments/set-experiment-tag", set_tag),
    Endpoint("POST", "/2.0/mlflow/experiments/delete-experiment-tag", delete_tag),
)
