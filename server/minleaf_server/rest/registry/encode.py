"""The registry's entities as the replies show them."""

from msgspec import UNSET

from minleaf_server.entities.registry import ModelVersion, RegisteredModel
from minleaf_server.rest.encode import tags
from minleaf_server.rest.registry import replies


def registered_model(found: RegisteredModel) -> replies.RegisteredModel:
    """As in MLflow an empty description is left out."""
    aliases = [replies.RegisteredModelAlias(alias, str(version)) for alias, version in found.aliases.items()]
    return replies.RegisteredModel(
        found.name,
        found.creation_time,
        found.last_updated_time,
        found.description or UNSET,
        model_versions(found.latest) or UNSET,
        tags(found.tags) or UNSET,
        aliases or UNSET,
    )


def model_version(found: ModelVersion) -> replies.ModelVersion:
    """As in MLflow an empty description is shown and only a missing one is left out. A version is always READY."""
    return replies.ModelVersion(
        name=found.name,
        version=str(found.version),
        creation_timestamp=found.creation_time,
        last_updated_timestamp=found.last_updated_time,
        current_stage=found.stage.label,
        source=found.source,
        run_id=found.run_id,
        run_link=found.run_link,
        description=UNSET if found.description is None else found.description,
        tags=tags(found.tags) or UNSET,
        aliases=list(found.aliases) or UNSET,
    )


def model_versions(found: list[ModelVersion] | tuple[ModelVersion, ...]) -> list[replies.ModelVersion]:
    """Several versions."""
    return [model_version(one) for one in found]
