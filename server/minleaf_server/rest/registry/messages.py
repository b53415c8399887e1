"""The requests of the model registry. As in `rest.messages`, fields stand in the order in which MLflow checks them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from minleaf_server.rest.messages import Filter, MaxResults, NewTag, OrderBy, PageToken, Request, Text

Version = Annotated[str, Meta(min_length=1, description="The number of a version, as text.")]
StageName = Annotated[str, Meta(min_length=1, description="`None`, `Staging`, `Production` or `Archived`.")]


class CreateRegisteredModel(Request):
    name: Text
    tags: list[NewTag] = field(default_factory=list)
    description: str = ""
    # Of Databricks; passed over, as by MLflow's own server.
    deployment_job_id: str = ""


class RegisteredModelName(Request):
    name: Text


class UpdateRegisteredModel(Request):
    name: Text
    description: str = ""
    deployment_job_id: str = ""


class RenameRegisteredModel(Request):
    name: Text
    new_name: Text


class SearchRegisteredModels(Request):
    filter: Filter = ""
    max_results: MaxResults = 100
    order_by: OrderBy = field(default_factory=list)
    page_token: PageToken = ""


class GetLatestVersions(Request):
    name: Text
    stages: list[str] = field(default_factory=list)


class SetRegisteredModelTag(Request):
    name: Text
    key: Text
    value: str = ""


class DeleteRegisteredModelTag(Request):
    name: Text
    key: Text


class SetRegisteredModelAlias(Request):
    name: Text
    alias: Text
    version: Version


class RegisteredModelAliasName(Request):
    name: Text
    alias: Text


class CreateModelVersion(Request):
    name: Text
    source: Text
    run_id: str | UnsetType = UNSET
    tags: list[NewTag] = field(default_factory=list)
    run_link: str = ""
    description: str = ""
    model_id: str | UnsetType = UNSET


class ModelVersionNumber(Request):
    name: Text
    version: Version


class UpdateModelVersion(Request):
    name: Text
    version: Version
    description: str | UnsetType = UNSET


class TransitionModelVersionStage(Request):
    name: Text
    version: Version
    stage: StageName
    archive_existing_versions: bool = False


class SearchModelVersions(Request):
    filter: Filter = ""
    max_results: MaxResults = 200_000
    order_by: OrderBy = field(default_factory=list)
    page_token: PageToken = ""


class SetModelVersionTag(Request):
    name: Text
    version: Version
    key: Text
    value: str = ""


class DeleteModelVersionTag(Request):
    name: Text
    version: Version
    key: Text
