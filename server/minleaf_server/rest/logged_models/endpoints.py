"""The endpoints under `logged-models`, and `runs/log-model`."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import UnsetType

from minleaf_server.entities.logged_model import DatasetFilter, ModelOrder, ModelStatus
from minleaf_server.entities.validation import invalid_value, missing_value, parse_experiment_id
from minleaf_server.errors import InvalidParameter
from minleaf_server.rest import choices
from minleaf_server.rest.decode import SEE_DOCS
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.rest.logged_models import messages, replies
from minleaf_server.rest.logged_models.history import entry_of
from minleaf_server.rest.logged_models.mlflow_filter import check_filter
from minleaf_server.rest.messages import NewParam, NewTag
from minleaf_server.rest.replies import Empty
from minleaf_server.tracking import logged_model_search, logged_models
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access

_STATUSES = {
    name: status for status, text in replies.STATUS_NAMES.items() for name in (text, status.value, str(status.value))
}
_DEFAULT_RESULTS = 100
"""Of a search that asks for 0. One that does not say gets 50, as in MLflow."""

Entry = TypeVar("Entry", NewParam, NewTag)


@access(Access.LOG, On.EXPERIMENT)
async def create(services: Services, message: messages.CreateLoggedModel) -> replies.OneLoggedModel:
    """Create a logged model. Without a name it is given one."""
    made = await logged_models.create(
        services.store,
        parse_experiment_id(message.experiment_id),
        name=choices.or_none(message.name),
        model_type=message.model_type,
        source_run_id=message.source_run_id,
        params=_pairs(message.params),
        tags=_pairs(message.tags),
    )
    return replies.OneLoggedModel(replies.logged_model(made))


@access(Access.READ, On.LOGGED_MODEL)
async def get(services: Services, message: messages.GetLoggedModel) -> replies.OneLoggedModel:
    """Get a logged model with its params, tags and metrics."""
    deleted = message.allow_deleted.lower() == "true"
    found = await logged_models.get(services.store, message.model_id, deleted=deleted)
    return replies.OneLoggedModel(replies.logged_model(found))


@access(Access.LOG, On.LOGGED_MODEL)
async def finalize(services: Services, message: messages.FinalizeLoggedModel) -> replies.OneLoggedModel:
    """Set the status of a logged model, usually once its files are uploaded."""
    found = await logged_models.finalize(services.store, message.model_id, _status(message.status))
    return replies.OneLoggedModel(replies.logged_model(found))


def _status(name: str | int) -> ModelStatus:
    if name not in _STATUSES:
        raise invalid_value("status", name, f"It must be one of {', '.join(replies.STATUS_NAMES.values())}.")
    return _STATUSES[name]


@access(Access.MANAGE, On.LOGGED_MODEL)
async def delete(services: Services, message: messages.LoggedModelId) -> Empty:
    """Mark a logged model as deleted. Nothing of it is removed."""
    await logged_models.delete(services.store, message.model_id)
    return Empty()


@access(Access.READ, On.EXPERIMENT)
async def find(services: Services, message: messages.SearchLoggedModels) -> replies.LoggedModels:
    """Search the logged models of some experiments. With datasets, only metrics about one of them count."""
    if isinstance(message.experiment_ids, UnsetType):
        raise InvalidParameter(str(missing_value("experiment_ids")) + SEE_DOCS)
    check_filter(message.filter)
    query = logged_model_search.ModelQuery(
        choices.experiment_ids(message.experiment_ids),
        message.filter,
        tuple(DatasetFilter(one.dataset_name, one.dataset_digest) for one in message.datasets),
        tuple(_order(one) for one in message.order_by),
        message.max_results or _DEFAULT_RESULTS,
        message.page_token or None,
    )
    page = await logged_model_search.logged_models(services.store, query)
    models = [replies.logged_model(one) for one in page.items]
    return replies.LoggedModels(choices.or_unset(models), choices.or_unset(page.next_token))


def _order(order: messages.LoggedModelOrder) -> ModelOrder:
    return ModelOrder(order.field_name, order.ascending, DatasetFilter(order.dataset_name, order.dataset_digest))


@access(Access.LOG, On.LOGGED_MODEL)
async def log_params(services: Services, message: messages.LogLoggedModelParams) -> Empty:
    """Add params to a logged model. A value cannot be changed; the same value again changes nothing."""
    await logged_models.log_params(services.store, message.model_id, _pairs(message.params))
    return Empty()


@access(Access.LOG, On.LOGGED_MODEL)
async def set_tags(services: Services, message: messages.SetLoggedModelTags) -> Empty:
    """Set tags of a logged model. A tag that is there gets the new value."""
    await logged_models.set_tags(services.store, message.model_id, _pairs(message.tags))
    return Empty()


@access(Access.LOG, On.LOGGED_MODEL)
async def delete_tag(services: Services, message: messages.DeleteLoggedModelTag) -> Empty:
    """Remove a tag of a logged model."""
    await logged_models.delete_tag(services.store, message.model_id, message.key)
    return Empty()


@access(Access.LOG, On.RUN)
async def log_model(services: Services, message: messages.LogModel) -> Empty:
    """Note in a tag of a run that it logged a model, as clients before MLflow 3 do."""
    await logged_models.record(services.store, message.run_id, entry_of(message.model_json))
    return Empty()


def _pairs(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    return [(entry.key, entry.value) for entry in entries]


ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/logged-models", create),
    Endpoint("POST", "/2.0/mlflow/logged-models/search", find),
    Endpoint("GET", "/2.0/mlflow/logged-models/{model_id}", get),
    Endpoint("PATCH", "/2.0/mlflow/logged-models/{model_id}", finalize),
    Endpoint("DELETE", "/2.0/mlflow/logged-models/{model_id}", delete),
    Endpoint("POST", "/2.0/mlflow/logged-models/{model_id}/params", log_params),
    Endpoint("PATCH", "/2.0/mlflow/logged-models/{model_id}/tags", set_tags),
    Endpoint("DELETE", "/2.0/mlflow/logged-models/{model_id}/tags/{key}", delete_tag),
    Endpoint("POST", "/2.0/mlflow/runs/log-model", log_model),
)
