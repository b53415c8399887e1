"""Use cases of registered models and prompts, their tags and aliases. Webhooks are told after the change is stored."""

from collections.abc import Sequence

from minleaf_server.db.read import registry as read
from minleaf_server.db.store import Connection, Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import auth as grants
from minleaf_server.db.write import registry as write
from minleaf_server.entities.permission import Resource
from minleaf_server.entities.registry import IS_PROMPT_TAG, PROMPT_TYPE_TAG, ModelVersion, RegisteredModel, is_prompt
from minleaf_server.entities.registry_rules import (
    LATEST,
    parse_stage,
    validate_alias,
    validate_description,
    validate_model_name,
    validate_new_alias,
    validate_registry_tag,
)
from minleaf_server.entities.validation import validate_key
from minleaf_server.errors import NotFound
from minleaf_server.tracking import permissions
from minleaf_server.tracking.events import fire
from minleaf_server.tracking.services import Services


async def create(
    services: Services, name: str, tags: Sequence[tuple[str, str]] = (), description: str = ""
) -> RegisteredModel:
    """A new registered model, or a prompt where a tag says so. Of a tag given twice the last value stands.

    Raises InvalidParameter for a bad name, tag or description, AlreadyExists where the name is taken.
    """
    validate_model_name(name)
    validate_description(description)
    for key, value in tags:
        validate_registry_tag(key, value)
    by_key = dict(tags)
    who = permissions.caller()

    def job(tx: Transaction) -> RegisteredModel:
        # The registry's lock first, then the row of `auth_change`, as `rename` and `delete` do: two servers that took
        # them the other way round would wait for each other.
        made = write.create(tx, name, description, by_key)
        permissions.own(tx, who, Resource.REGISTERED_MODEL, name)
        return made

    made = await services.store.write(job)
    permissions.noted(who)
    if is_prompt(by_key):
        shown = {key: value for key, value in by_key.items() if key not in (IS_PROMPT_TAG, PROMPT_TYPE_TAG)}
        await fire(services, "prompt", "created", {"name": name, "tags": shown, "description": description})
    else:
        payload = {"name": name, "tags": by_key, "description": description}
        await fire(services, "registered_model", "created", payload)
    return made


async def get(store: Store, name: str) -> RegisteredModel:
    """The registered model with the latest version of each stage. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    return await store.read(lambda conn: read.load_model(conn, read.model_row(conn, name).id))


async def describe(store: Store, name: str, description: str) -> RegisteredModel:
    """Set the description. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    validate_description(description)
    return await store.write(lambda tx: write.describe(tx, name, description))


async def rename(store: Store, name: str, new_name: str) -> RegisteredModel:
    """Raises NotFound, InvalidParameter for a bad name, AlreadyExists for a taken one."""
    validate_model_name(new_name, "new_name")
    validate_model_name(name)

    def job(tx: Transaction) -> RegisteredModel:
        renamed = write.rename(tx, name, new_name)
        if name != new_name:
            grants.rename(tx, Resource.REGISTERED_MODEL, name, new_name)
        return renamed

    renamed = await store.write(job)
    permissions.noted(permissions.caller())
    return renamed


async def delete(store: Store, name: str) -> None:
    """Remove the model with all its versions. There is no way back, as in MLflow. Raises NotFound."""
    validate_model_name(name)

    def job(tx: Transaction) -> None:
        write.remove(tx, name)
        grants.forget(tx, Resource.REGISTERED_MODEL, name)

    await store.write(job)
    permissions.noted(permissions.caller())


async def latest_versions(store: Store, name: str, stages: Sequence[str] = ()) -> list[ModelVersion]:
    """The highest version of each of the stages, of every stage if none is given. Raises NotFound, InvalidParameter."""
    validate_model_name(name)

    def job(conn: Connection) -> list[ModelVersion]:
        model_id = read.model_row(conn, name).id
        wanted = {parse_stage(stage) for stage in stages}
        latest = read.latest_versions(conn, [model_id]).get(model_id, [])
        return [version for version in latest if not wanted or version.stage in wanted]

    return await store.read(job)


async def set_tag(services: Services, name: str, key: str, value: str) -> None:
    """Set one tag over what was there. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    validate_registry_tag(key, value)
    prompt = await services.store.write(lambda tx: write.set_tag(tx, name, key, value))
    if prompt:
        await fire(services, "prompt_tag", "set", {"name": name, "key": key, "value": value})


async def delete_tag(services: Services, name: str, key: str) -> None:
    """Remove one tag; it need not be there. Raises NotFound for the model."""
    validate_model_name(name)
    validate_key("tag", key, "")
    prompt = await services.store.write(lambda tx: write.delete_tag(tx, name, key))
    if prompt:
        await fire(services, "prompt_tag", "deleted", {"name": name, "key": key})


async def set_alias(services: Services, name: str, alias: str, version: int) -> None:
    """Let the alias point to the version, wherever it pointed before. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    validate_new_alias(alias)
    prompt = await services.store.write(lambda tx: write.set_alias(tx, name, alias, version))
    payload = {"name": name, "alias": alias, "version": str(version)}
    await fire(services, _alias_entity(prompt), "created", payload)


async def delete_alias(services: Services, name: str, alias: str) -> None:
    """Remove the alias; it need not be there. Raises NotFound for the model, InvalidParameter."""
    validate_model_name(name)
    validate_alias(alias)
    prompt = await services.store.write(lambda tx: write.delete_alias(tx, name, alias))
    await fire(services, _alias_entity(prompt), "deleted", {"name": name, "alias": alias})


async def version_by_alias(store: Store, name: str, alias: str) -> ModelVersion:
    """The version that the alias points to; `latest` is the highest. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    validate_alias(alias)

    def job(conn: Connection) -> ModelVersion:
        model_id = read.model_row(conn, name).id
        if alias.lower() != LATEST:
            return read.load_version(conn, read.aliased_version_id(conn, model_id, alias))
        newest = read.newest_version_id(conn, model_id)
        if newest is None:
            raise NotFound(f"Latest version not found for model {name}.")
        return read.load_version(conn, newest)

    return await store.read(job)


def _alias_entity(prompt: bool) -> str:
    return "prompt_alias" if prompt else "model_version_alias"
