"""The endpoints under `registered-models/`."""

from minleaf_server.entities.registry_rules import parse_version
from minleaf_server.rest import choices
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.rest.registry import encode, messages, replies
from minleaf_server.rest.replies import Empty
from minleaf_server.tracking import registered_models, registry_search
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access


@access(Access.EDIT)
async def create(services: Services, message: messages.CreateRegisteredModel) -> replies.OneRegisteredModel:
    """Create a registered model, or a prompt: that is one with the tag `mlflow.prompt.is_prompt`."""
    tags = [(tag.key, tag.value) for tag in message.tags]
    made = await registered_models.create(services, message.name, tags, message.description)
    return replies.OneRegisteredModel(encode.registered_model(made))


@access(Access.READ, On.REGISTERED_MODEL)
async def get(services: Services, message: messages.RegisteredModelName) -> replies.OneRegisteredModel:
    """Get a registered model with the latest version of each stage."""
    return replies.OneRegisteredModel(
        encode.registered_model(await registered_models.get(services.store, message.name))
    )


@access(Access.EDIT, On.REGISTERED_MODEL)
async def update(services: Services, message: messages.UpdateRegisteredModel) -> replies.OneRegisteredModel:
    """Set the description of a registered model."""
    changed = await registered_models.describe(services.store, message.name, message.description)
    return replies.OneRegisteredModel(encode.registered_model(changed))


@access(Access.MANAGE, On.REGISTERED_MODEL)
async def rename(services: Services, message: messages.RenameRegisteredModel) -> replies.OneRegisteredModel:
    """Rename a registered model. Its versions, tags and aliases stay with it."""
    changed = await registered_models.rename(services.store, message.name, message.new_name)
    return replies.OneRegisteredModel(encode.registered_model(changed))


@access(Access.MANAGE, On.REGISTERED_MODEL)
async def delete(services: Services, message: messages.RegisteredModelName) -> Empty:
    """Remove a registered model with all its versions."""
    await registered_models.delete(services.store, message.name)
    return Empty()


@access(Access.READ)
async def find(services: Services, message: messages.SearchRegisteredModels) -> replies.RegisteredModels:
    """Search registered models, at most 1,000 a page. Prompts are found only where the filter asks for them."""
    query = registry_search.RegistryQuery(
        message.filter, tuple(message.order_by), message.max_results, message.page_token or None
    )
    page = await registry_search.models(services.store, query)
    found = [encode.registered_model(one) for one in page.items]
    return replies.RegisteredModels(choices.or_unset(found), choices.or_unset(page.next_token))


@access(Access.READ, On.REGISTERED_MODEL)
async def get_latest_versions(services: Services, message: messages.GetLatestVersions) -> replies.LatestVersions:
    """Get the latest version of each of the stages, of every stage if none is given."""
    found = await registered_models.latest_versions(services.store, message.name, message.stages)
    return replies.LatestVersions(choices.or_unset(encode.model_versions(found)))


@access(Access.EDIT, On.REGISTERED_MODEL)
async def set_tag(services: Services, message: messages.SetRegisteredModelTag) -> Empty:
    """Set a tag of a registered model. A tag that is there gets the new value."""
    await registered_models.set_tag(services, message.name, message.key, message.value)
    return Empty()


@access(Access.EDIT, On.REGISTERED_MODEL)
async def delete_tag(services: Services, message: messages.DeleteRegisteredModelTag) -> Empty:
    """Remove a tag of a registered model. It need not be there."""
    await registered_models.delete_tag(services, message.name, message.key)
    return Empty()


@access(Access.EDIT, On.REGISTERED_MODEL)
async def set_alias(services: Services, message: messages.SetRegisteredModelAlias) -> Empty:
    """Let an alias point to a version, wherever it pointed before."""
    await registered_models.set_alias(services, message.name, message.alias, parse_version(message.version))
    return Empty()


@access(Access.EDIT, On.REGISTERED_MODEL)
async def delete_alias(services: Services, message: messages.RegisteredModelAliasName) -> Empty:
    """Remove an alias. It need not be there."""
    await registered_models.delete_alias(services, message.name, message.alias)
    return Empty()


@access(Access.READ, On.REGISTERED_MODEL)
async def get_by_alias(services: Services, message: messages.RegisteredModelAliasName) -> replies.OneModelVersion:
    """Get the version that an alias points to. `latest` is the one with the highest number."""
    found = await registered_models.version_by_alias(services.store, message.name, message.alias)
    return replies.OneModelVersion(encode.model_version(found))


ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/registered-models/create", create),
    Endpoint("GET", "/2.0/mlflow/registered-models/get", get),
    Endpoint("PATCH", "/2.0/mlflow/registered-models/update", update),
    Endpoint("POST", "/2.0/mlflow/registered-models/rename", rename),
    Endpoint("DELETE", "/2.0/mlflow/registered-models/delete", delete),
    Endpoint("GET", "/2.0/mlflow/registered-models/search", find),
    Endpoint("GET", "/2.0/mlflow/registered-models/get-latest-versions", get_latest_versions),
    Endpoint("POST", "/2.0/mlflow/registered-models/get-latest-versions", get_latest_versions),
    Endpoint("POST", "/2.0/mlflow/registered-models/set-tag", set_tag),
    Endpoint("DELETE", "/2.0/mlflow/registered-models/delete-tag", delete_tag),
    Endpoint("POST", "/2.0/mlflow/registered-models/alias", set_alias),
    Endpoint("DELETE", "/2.0/mlflow/registered-models/alias", delete_alias),
    Endpoint("GET", "/2.0/mlflow/registered-models/alias", get_by_alias),
)
