"""The answers of the model registry. A field that is UNSET is left out, as MLflow leaves out what is not set."""

from msgspec import UNSET, Struct, UnsetType

from minleaf_server.rest.replies import Milliseconds, NextPage, Tag


class ModelVersion(Struct):
    name: str
    version: str
    creation_timestamp: Milliseconds
    last_updated_timestamp: Milliseconds
    current_stage: str
    source: str
    run_id: str
    run_link: str
    status: str = "READY"
    description: str | UnsetType = UNSET
    tags: list[Tag] | UnsetType = UNSET
    aliases: list[str] | UnsetType = UNSET


class RegisteredModelAlias(Struct):
    alias: str
    version: str


class RegisteredModel(Struct):
    name: str
    creation_timestamp: Milliseconds
    last_updated_timestamp: Milliseconds
    description: str | UnsetType = UNSET
    latest_versions: list[ModelVersion] | UnsetType = UNSET
    tags: list[Tag] | UnsetType = UNSET
    aliases: list[RegisteredModelAlias] | UnsetType = UNSET


class OneRegisteredModel(Struct):
    registered_model: RegisteredModel


class RegisteredModels(Struct):
    registered_models: list[RegisteredModel] | UnsetType = UNSET
    next_page_token: NextPage | UnsetType = UNSET


class OneModelVersion(Struct):
    model_version: ModelVersion


class ModelVersions(Struct):
    model_versions: list[ModelVersion] | UnsetType = UNSET
    next_page_token: NextPage | UnsetType = UNSET


class LatestVersions(Struct):
    model_versions: list[ModelVersion] | UnsetType = UNSET


class DownloadUri(Struct):
    artifact_uri: str
