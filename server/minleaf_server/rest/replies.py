"""The answers of MLflow's REST API. A field that is UNSET is left out, as MLflow leaves out what is not set."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Value = Annotated[float | str, Meta(description="A number, or the text `NaN`, `Infinity` or `-Infinity`.")]
Milliseconds = Annotated[int, Meta(description="Milliseconds since 1970.")]
Stage = Annotated[str, Meta(description="`active` or `deleted`.")]
NextPage = Annotated[str, Meta(description="Send it as `page_token` to get the next page.")]


class Empty(Struct):
    """`{}`: done."""


class Tag(Struct, gc=False):
    key: str
    value: str


class Param(Struct, gc=False):
    key: str
    value: str


class Metric(Struct, gc=False):
    key: str
    value: Value
    timestamp: Milliseconds
    step: int


class MetricOfRun(Struct):
    key: str
    value: Value
    timestamp: Milliseconds
    step: int
    run_id: str


class Experiment(Struct):
    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: Stage
    last_update_time: Milliseconds
    creation_time: Milliseconds
    tags: list[Tag] | UnsetType = UNSET


class CreatedExperiment(Struct):
    experiment_id: str


class OneExperiment(Struct):
    experiment: Experiment


class Experiments(Struct):
    experiments: list[Experiment] | UnsetType = UNSET
    next_page_token: NextPage | UnsetType = UNSET


class RunInfo(Struct):
    run_uuid: str
    experiment_id: str
    run_name: str
    user_id: str
    status: str
    artifact_uri: str
    lifecycle_stage: Stage
    run_id: str
    start_time: Milliseconds | UnsetType = UNSET
    end_time: Milliseconds | UnsetType = UNSET


class RunData(Struct):
    metrics: list[Metric] | UnsetType = UNSET
    params: list[Param] | UnsetType = UNSET
    tags: list[Tag] | UnsetType = UNSET


class Dataset(Struct):
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | UnsetType = UNSET
    profile: str | UnsetType = UNSET


class DatasetInput(Struct):
    dataset: Dataset
    tags: list[Tag] | UnsetType = UNSET


class ModelInput(Struct):
    model_id: str


class ModelOutput(Struct):
    model_id: str
    step: int


class RunInputs(Struct):
    """Datasets and logged models that a run read."""

    dataset_inputs: list[DatasetInput] | UnsetType = UNSET
    model_inputs: list[ModelInput] | UnsetType = UNSET


class RunOutputs(Struct):
    """Logged models that a run made."""

    model_outputs: list[ModelOutput] | UnsetType = UNSET


class Run(Struct):
    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs


class OneRun(Struct):
    run: Run


class UpdatedRun(Struct):
    run_info: RunInfo


class Runs(Struct):
    runs: list[Run] | UnsetType = UNSET
    next_page_token: NextPage | UnsetType = UNSET


class MetricHistory(Struct):
    metrics: list[Metric] | UnsetType = UNSET
    next_page_token: NextPage | UnsetType = UNSET


class MetricHistories(Struct):
    """Of get-history-bulk, whose answer holds `metrics` even where there are none."""

    metrics: list[MetricOfRun]


class MetricIntervals(Struct):
    metrics: list[MetricOfRun] | UnsetType = UNSET


class ServerInfo(Struct):
    """What MLflow's client asks before it uses a newer feature."""

    store_type: str
    workspaces_enabled: bool
    trace_archival_enabled: bool
    multipart_uploads_enabled: bool
    multipart_downloads_enabled: bool
    presigned_upload_run_id_supported: bool
    presigned_upload_model_id_supported: bool
    features_enabled: dict[str, bool]


class Error(Struct):
    """Every error: MLflow's code and a text that says what was wrong and what would be right."""

    error_code: str
    message: str
