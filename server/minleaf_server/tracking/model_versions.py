"""Use cases of model versions and prompt versions, and their tags. Webhooks are told after the change is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minleaf_server.db.read import registry as read
from minleaf_server.db.store import Connection, Store
from minleaf_server.db.transaction import Transaction
from minleaf_server.db.write import registry as write_models
from minleaf_server.db.write import registry_versions as write
from minleaf_server.entities.registry import IS_PROMPT_TAG, PROMPT_TEXT_TAG, PROMPT_TYPE_TAG, ModelVersion, is_prompt
from minleaf_server.entities.registry_rules import (
    parse_stage,
    validate_description,
    validate_model_name,
    validate_registry_tag,
    validate_run_link,
    validate_source,
)
from minleaf_server.entities.validation import validate_key, validate_text
from minleaf_server.errors import InvalidParameter
from minleaf_server.tracking import model_sources
from minleaf_server.tracking.events import fire
from minleaf_server.tracking.model_sources import Origin
from minleaf_server.tracking.services import Services


@dataclass(frozen=True, slots=True)
class VersionRequest:
    """What a new version is asked to be. `run_id` and `model_id` are None where the request leaves them out."""

    name: str
    source: str
    run_id: str | None = None
    model_id: str | None = None
    run_link: str = ""
    description: str = ""
    tags: Sequence[tuple[str, str]] = ()


async def create(services: Services, asked: VersionRequest) -> ModelVersion:
    """The next version of a registered model or prompt. Of a tag given twice the last value stands.

    Raises NotFound for the model, InvalidParameter for a bad value and for a source that may not be one.
    """
    tags = dict(asked.tags)
    _validate(asked)
    validate_source(asked.source, services.settings.model_version_sources)
    root = services.store.artifact_root

    def job(tx: Transaction) -> ModelVersion:
        write_models.lock(tx)
        origin = Origin(asked.source, asked.run_id, asked.model_id)
        prompt = is_prompt(tags)
        origin = model_sources.of_prompt(origin) if prompt else model_sources.resolve(tx.conn, origin, root)
        made = write.create(tx, asked.name, _new(asked, origin, tags))
        if origin.model_id and not prompt:
            write.link_logged_model(tx, origin.model_id, made)
        return made

    made = await services.store.write(job)
    await _tell_created(services, made)
    return made


async def get(store: Store, name: str, version: int) -> ModelVersion:
    """One version. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    return await store.read(lambda conn: read.load_version(conn, read.version_id(conn, name, version)))


async def artifact_uri(store: Store, name: str, version: int) -> str:
    """Where the artifacts of the version lie; of `runs:/…` in the artifacts of that run. Raises NotFound."""
    validate_model_name(name)

    def job(conn: Connection) -> str:
        found = read.load_version(conn, read.version_id(conn, name, version))
        return model_sources.location(conn, found.storage_location)

    return await store.read(job)


async def describe(store: Store, name: str, version: int, description: str | None) -> ModelVersion:
    """Set the description; None takes it away, as in MLflow. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    if description:
        validate_description(description)
    return await store.write(lambda tx: write.describe(tx, name, version, description))


async def transition(
    store: Store, name: str, version: int, stage_name: str, archive_existing: bool = False
) -> ModelVersion:
    """Move the version to a stage, and archive the versions that are in it if asked. Raises NotFound, InvalidParameter.

    Only versions in Staging and Production make room for another.
    """
    stage = parse_stage(stage_name)
    if archive_existing and not stage.is_active:
        raise InvalidParameter(
            "Model version transition cannot archive existing model versions because "
            f"'{stage_name}' is not an Active stage. Valid stages are ['Staging', 'Production']"
        )
    validate_model_name(name)
    return await store.write(lambda tx: write.transition(tx, name, version, stage, archive_existing))


async def delete(store: Store, name: str, version: int) -> None:
    """Remove the version with its tags and aliases. Raises NotFound."""
    validate_model_name(name)
    await store.write(lambda tx: write.remove(tx, name, version))


async def set_tag(services: Services, name: str, version: int, key: str, value: str) -> None:
    """Set one tag over what was there. Raises NotFound, InvalidParameter."""
    validate_model_name(name)
    validate_registry_tag(key, value)
    prompt = await services.store.write(lambda tx: write.set_tag(tx, name, version, key, value))
    payload = {"name": name, "version": str(version), "key": key, "value": value}
    await fire(services, _tag_entity(prompt), "set", payload)


async def delete_tag(services: Services, name: str, version: int, key: str) -> None:
    """Remove one tag; it need not be there. Raises NotFound for the version, InvalidParameter."""
    validate_model_name(name)
    validate_key("tag", key, "")
    prompt = await services.store.write(lambda tx: write.delete_tag(tx, name, version, key))
    await fire(services, _tag_entity(prompt), "deleted", {"name": name, "version": str(version), "key": key})


def _validate(asked: VersionRequest) -> None:
    validate_model_name(asked.name)
    validate_description(asked.description)
    validate_run_link(asked.run_link)
    for name, text in (("run_id", asked.run_id), ("model_id", asked.model_id)):
        validate_text(text or "", name)
    for key, value in asked.tags:
        validate_registry_tag(key, value)


def _new(asked: VersionRequest, origin: Origin, tags: Mapping[str, str]) -> write.NewVersion:
    return write.NewVersion(
        asked.description,
        origin.source,
        origin.storage_location,
        origin.run_id or "",
        asked.run_link,
        origin.model_id or "",
        tags,
    )


async def _tell_created(services: Services, made: ModelVersion) -> None:
    about = {"name": made.name, "version": str(made.version)}
    if is_prompt(made.tags):
        hidden = (IS_PROMPT_TAG, PROMPT_TYPE_TAG, PROMPT_TEXT_TAG)
        shown = {key: value for key, value in made.tags.items() if key not in hidden}
        text = made.tags.get(PROMPT_TEXT_TAG)
        payload = {**about, "template": text, "tags": shown, "description": made.description or None}
        await fire(services, "prompt_version", "created", payload)
        return
    origin = {"source": made.source, "run_id": made.run_id or None}
    payload = {**about, **origin, "tags": made.tags, "description": made.description or None}
    await fire(services, "model_version", "created", payload)


def _tag_entity(prompt: bool) -> str:
    return "prompt_version_tag" if prompt else "model_version_tag"
