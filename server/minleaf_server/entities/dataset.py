"""Datasets, and what a run reads and makes: its inputs and outputs."""

from dataclasses import dataclass, field

CONTEXT_TAG = "mlflow.data.context"
"""The tag of an input that says what the run used the dataset for, such as `train`."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of an experiment: there is one for each name and digest.

    `source`, `schema` and `profile` are texts, mostly JSON, as the client made them. Nothing here opens a source.
    """

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset that a run read, with the tags that the run gave it, in key order."""

    dataset: Dataset
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def context(self) -> str | None:
        """What the run used the dataset for, where it says so."""
        return self.tags.get(CONTEXT_TAG)


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """A logged model that a run made at a step."""

    model_id: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What a run read: datasets, and logged models by id, each in the order in which they were logged."""

    datasets: tuple[DatasetInput, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunOutputs:
    """What a run made, in the order in which it was logged."""

    models: tuple[ModelOutput, ...] = ()


NO_INPUTS = RunInputs()
NO_OUTPUTS = RunOutputs()


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """A dataset that runs of the experiment used for the same purpose."""

    experiment_id: int
    name: str
    digest: str
    context: str | None
