"""The requests of this area."""

from typing import Annotated

from msgspec import Meta, field

from minleaf_server.rest.messages import Int64, Request, Text


class NewDataset(Request):
    name: Text
    digest: Text
    source_type: Text
    source: Text
    schema: str | None = None
    profile: str | None = None


class NewInputTag(Request):
    key: Text
    value: str = ""


class NewDatasetInput(Request):
    dataset: NewDataset
    tags: list[NewInputTag] = field(default_factory=list)


class NewModelInput(Request):
    model_id: Text


class NewModelOutput(Request):
    model_id: Text
    step: Int64 = 0


class LogInputs(Request):
    run_id: Text
    datasets: list[NewDatasetInput] = field(default_factory=list)
    models: list[NewModelInput] = field(default_factory=list)


class LogOutputs(Request):
    run_id: Text
    models: list[NewModelOutput]


class SearchDatasets(Request):
    experiment_ids: Annotated[list[str], Meta(description="1 to 20 experiments.")] = field(default_factory=list)
