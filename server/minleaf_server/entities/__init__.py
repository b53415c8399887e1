"""What Minleaf keeps: experiments, runs, metrics, params and tags, and the rules their values obey. Pure Python."""

from minleaf_server.entities.dataset import Dataset, DatasetInput, DatasetSummary, ModelOutput, RunInputs, RunOutputs
from minleaf_server.entities.experiment import Experiment, ExperimentOverview
from minleaf_server.entities.lifecycle import Lifecycle, ViewType
from minleaf_server.entities.metric import MetricSummary, Point
from minleaf_server.entities.page import Page
from minleaf_server.entities.run import Run, RunInfo, RunStatus

__all__ = [
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Experiment",
    "ExperimentOverview",
    "Lifecycle",
    "MetricSummary",
    "ModelOutput",
    "Page",
    "Point",
    "Run",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "ViewType",
]
