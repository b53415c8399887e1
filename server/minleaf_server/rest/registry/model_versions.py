"""The endpoints under `model-versions/`."""

from minleaf_server.entities.registry_rules import parse_version
from minleaf_server.rest import choices
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.rest.registry import encode, messages, replies
from minleaf_server.rest.replies import Empty
from minleaf_server.tracking import model_versions, registry_search
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access


@access(Access.EDIT, On.REGISTERED_MODEL)
async def create(services: Services, message: messages.CreateModelVersion) -> replies.OneModelVersion:
    """Create the next version of a registered model or prompt.

    `source` is where its artifacts lie: in the run or logged model that is named, in another version
    (`models:/name/1`), or in a store that clients open themselves.
    """
    asked = model_versions.VersionRequest(
        message.name,
        message.source,
        choices.or_none(message.run_id),
        choices.or_none(message.model_id),
        message.run_link,
        message.description,
        [(tag.key, tag.value) for tag in message.tags],
    )
    return replies.OneModelVersion(encode.model_version(await model_versions.create(services, asked)))


@access(Access.READ, On.REGISTERED_MODEL)
async def get(services: Services, message: messages.ModelVersionNumber) -> replies.OneModelVersion:
    """Get a version."""
    found = await model_versions.get(services.store, message.name, parse_version(message.version))
    return replies.OneModelVersion(encode.model_version(found))


@access(Access.EDIT, On.REGISTERED_MODEL)
async def update(services: Services, message: messages.UpdateModelVersion) -> replies.OneModelVersion:
    """Set the description of a version; without one it has none."""
    description = choices.or_none(message.description)
    changed = await model_versions.describe(services.store, message.name, parse_version(message.version), description)
    return replies.OneModelVersion(encode.model_version(changed))


@access(Access.EDIT, On.REGISTERED_MODEL)
async def transition_stage(
    services: Services, message: messages.TransitionModelVersionStage
) -> replies.OneModelVersion:
    """Move a version to a stage. The versions that are in it may be archived, for Staging and Production."""
    changed = await model_versions.transition(
        services.store,
        message.name,
        parse_version(message.version),
        message.stage,
        message.archive_existing_versions,
    )
    return replies.OneModelVersion(encode.model_version(changed))


@access(Access.MANAGE, On.REGISTERED_MODEL)
async def delete(services: Services, message: messages.ModelVersionNumber) -> Empty:
    """Remove a version with its tags and aliases. Its number is not used again."""
    await model_versions.delete(services.store, message.name, parse_version(message.version))
    return Empty()


@access(Access.READ, On.REGISTERED_MODEL)
async def get_download_uri(services: Services, message: messages.ModelVersionNumber) -> replies.DownloadUri:
    """Get the address of a version's artifacts."""
    found = await model_versions.get(services.store, message.name, parse_version(message.version))
    return replies.DownloadUri(found.storage_location)


@access(Access.READ)
async def find(services: Services, message: messages.SearchModelVersions) -> replies.ModelVersions:
    """Search versions, at most 200,000 a page. Those of prompts are found only where the filter asks for them."""
    query = registry_search.RegistryQuery(
        message.filter, tuple(message.order_by), message.max_results, message.page_token or None
    )
    page = await registry_search.versions(services.store, query)
    found = encode.model_versions(list(page.items))
    return replies.ModelVersions(choices.or_unset(found), choices.or_unset(page.next_token))


@access(Access.EDIT, On.REGISTERED_MODEL)
async def set_tag(services: Services, message: messages.SetModelVersionTag) -> Empty:
    """Set a tag of a version. A tag that is there gets the new value."""
    version = parse_version(message.version)
    await model_versions.set_tag(services, message.name, version, message.key, message.value)
    return Empty()


@access(Access.EDIT, On.REGISTERED_MODEL)
async def delete_tag(services: Services, message: messages.DeleteModelVersionTag) -> Empty:
    """Remove a tag of a version. It need not be there."""
    await model_versions.delete_tag(services, message.name, parse_version(message.version), message.key)
    return Empty()


ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/model-versions/create", create),
    Endpoint("GET", "/2.0/mlflow/model-versions/get", get),
    Endpoint("PATCH", "/2.0/mlflow/model-versions/update", update),
    Endpoint("POST", "/2.0/mlflow/model-versions/transition-stage", transition_stage),
    Endpoint("DELETE", "/2.0/mlflow/model-versions/delete", delete),
    Endpoint("GET", "/2.0/mlflow/model-versions/get-download-uri", get_download_uri),
    Endpoint("GET", "/2.0/mlflow/model-versions/search", find),
    Endpoint("POST", "/2.0/mlflow/model-versions/set-tag", set_tag),
    Endpoint("DELETE", "/2.0/mlflow/model-versions/delete-tag", delete_tag),
)
