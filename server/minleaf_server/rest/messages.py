"""The requests of MLflow's REST API. A field without a default is required; a required text may not be empty.

The fields stand in the order in which MLflow checks them, so that a request with several faults gets the same answer.
Fields that are read by MLflow but mean nothing here yet are declared too, and are marked as such.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from minleaf_server.entities.limits import INT64_MAX, INT64_MIN

Int64 = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]
Text = Annotated[str, Meta(min_length=1)]
Number = Annotated[float, Meta(description="A number, or the text `NaN`, `Infinity` or `-Infinity`.")]
Milliseconds = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX, description="Milliseconds since 1970.")]
Filter = Annotated[str, Meta(description="A filter in Minleaf's language, which includes MLflow's.")]
OrderBy = Annotated[list[str], Meta(description="Columns, each with an optional `ASC` or `DESC`.")]
View = Annotated[str | int, Meta(description="`ACTIVE_ONLY` (1), `DELETED_ONLY` (2) or `ALL` (3).")]
Status = Annotated[str | int, Meta(description="`RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED` or `KILLED`, or 1 to 5.")]
PageToken = Annotated[str, Meta(description="The `next_page_token` of the previous answer.")]
MaxResults = Annotated[int, Meta(description="The largest number of results in one answer.")]
RunUuid = Annotated[str, Meta(description="An older name of `run_id`, taken where `run_id` is missing.")]


class Request(Struct, forbid_unknown_fields=True, gc=False):
    """Base of every request. An unknown field only sends the request to the slow decoder, which passes over it.

    What is read from JSON holds no cycles, so the garbage collector need not walk over a thousand metrics.
    """


class NewTag(Request):
    key: Text
    value: str = ""


class NewParam(Request):
    key: Text
    value: str = ""


class NewMetric(Request):
    key: Text
    value: Number
    timestamp: Milliseconds
    step: Int64 = 0
    # The logged model that the point is about too. The dataset means nothing without one.
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
    # Read and passed over: all points of a batch are of its run.
    run_id: str = ""


class CreateExperiment(Request):
    name: Text
    artifact_location: str = ""
    tags: list[NewTag] = []


class ExperimentId(Request):
    experiment_id: Text


class GetExperimentByName(Request):
    experiment_name: Text


class UpdateExperiment(Request):
    experiment_id: Text
    new_name: Text


class SearchExperiments(Request):
    view_type: View = "ACTIVE_ONLY"
    max_results: MaxResults = 0
    order_by: OrderBy = []
    filter: Filter = ""
    page_token: PageToken = ""


class SetExperimentTag(Request):
    experiment_id: Text
    key: Text
    value: str = ""


class DeleteExperimentTag(Request):
    experiment_id: Text
    key: Text


class CreateRun(Request):
    experiment_id: str = ""
    start_time: Milliseconds | UnsetType = UNSET
    run_name: str = ""
    user_id: str = ""
    tags: list[NewTag] = []


class RunId(Request):
    run_id: Text
    run_uuid: RunUuid = ""


class UpdateRun(Request):
    run_id: Text
    end_time: Milliseconds | UnsetType = UNSET
    status: Status = ""
    run_name: str = ""
    run_uuid: RunUuid = ""


class LogMetric(Request):
    run_id: Text
    key: Text
    value: Number
    timestamp: Milliseconds
    step: Int64 = 0
    run_uuid: RunUuid = ""
    # As in NewMetric.
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogParam(Request):
    run_id: Text
    key: Text
    value: str = ""
    run_uuid: RunUuid = ""


class LogBatch(Request):
    run_id: Text
    metrics: list[NewMetric] = []
    params: list[NewParam] = []
    tags: list[NewTag] = []
    run_uuid: RunUuid = ""


class SetTag(Request):
    run_id: Text
    key: Text
    value: str = ""
    run_uuid: RunUuid = ""


class DeleteTag(Request):
    run_id: Text
    key: Text
    run_uuid: RunUuid = ""


class SearchRuns(Request):
    experiment_ids: list[str] = []
    filter: Filter = ""
    max_results: MaxResults = 1000
    order_by: OrderBy = []
    run_view_type: View = "ACTIVE_ONLY"
    page_token: PageToken = ""


class GetMetricHistory(Request):
    run_id: Text
    metric_key: Text
    page_token: PageToken = ""
    max_results: MaxResults | UnsetType = UNSET
    run_uuid: RunUuid = ""


class GetMetricHistoryBulk(Request):
    run_id: list[str] = []
    metric_key: str | UnsetType = UNSET
    max_results: MaxResults | UnsetType = UNSET


class GetMetricHistoryBulkInterval(Request):
    run_ids: Annotated[list[str], Meta(min_length=1)]
    metric_key: Text
    start_step: Int64 | UnsetType = UNSET
    end_step: Int64 | UnsetType = UNSET
    max_results: MaxResults | UnsetType = UNSET


class PromptParameter(Request):
    key: Text
    value: str | int | float | bool = ""


class CreatePromptlabRun(Request):
    experiment_id: str = ""
    prompt_template: str = ""
    prompt_parameters: list[PromptParameter] = []
    model_route: str = ""
    model_input: str = ""
    mlflow_version: str = ""
    run_name: str = ""
    tags: list[NewTag] = []
    model_parameters: list[PromptParameter] = []
    model_output: str | UnsetType = UNSET
    model_output_parameters: list[PromptParameter] = []
    user_id: str = ""
    start_time: Milliseconds | UnsetType = UNSET


class Nothing(Request):
    """A request without fields."""
