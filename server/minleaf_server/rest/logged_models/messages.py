"""The requests about logged models. See `rest.messages` for the rules that they follow."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from minleaf_server.rest.messages import MaxResults, NewParam, NewTag, PageToken, Request, RunUuid, Text

ModelStatusName = Annotated[
    str | int,
    Meta(description="`LOGGED_MODEL_PENDING` (1), `LOGGED_MODEL_READY` (2) or `LOGGED_MODEL_UPLOAD_FAILED` (3)."),
]
ModelFilter = Annotated[
    str,
    Meta(description="Comparisons joined by `and`. A metric matches where any of its values does."),
]
FieldName = Annotated[str, Meta(description="An attribute, or `metrics.` and a name, whose latest value counts.")]


class CreateLoggedModel(Request):
    experiment_id: Text
    name: str | UnsetType = UNSET
    model_type: str = ""
    source_run_id: str = ""
    params: list[NewParam] = field(default_factory=list)
    tags: list[NewTag] = field(default_factory=list)


class GetLoggedModel(Request):
    model_id: Text
    allow_deleted: Annotated[str, Meta(description="`true` for a deleted model too.")] = ""


class LoggedModelId(Request):
    model_id: Text


class FinalizeLoggedModel(Request):
    model_id: Text
    status: ModelStatusName


class LogLoggedModelParams(Request):
    model_id: Text
    params: list[NewParam] = field(default_factory=list)


class SetLoggedModelTags(Request):
    model_id: Text
    tags: list[NewTag] = field(default_factory=list)


class DeleteLoggedModelTag(Request):
    model_id: Text
    key: Text


class LoggedModelDataset(Request):
    dataset_name: str = ""
    dataset_digest: str = ""


class LoggedModelOrder(Request):
    field_name: FieldName = ""
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModels(Request):
    experiment_ids: list[str] | UnsetType = UNSET
    filter: ModelFilter = ""
    datasets: list[LoggedModelDataset] = field(default_factory=list)
    max_results: MaxResults = 50
    order_by: list[LoggedModelOrder] = field(default_factory=list)
    page_token: PageToken = ""


class LogModel(Request):
    run_id: Text
    model_json: Text
    run_uuid: RunUuid = ""
