"""The answers of this area. What a run read and made stands in the run, in `rest.replies`."""

from msgspec import UNSET, Struct, UnsetType


class DatasetSummary(Struct):
    """A dataset of an experiment, and for what its runs used it."""

    experiment_id: str
    name: str
    digest: str
    context: str | UnsetType = UNSET


class DatasetSummaries(Struct):
    dataset_summaries: list[DatasetSummary] | UnsetType = UNSET
