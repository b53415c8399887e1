"""What Minleaf keeps: experiments, runs, metrics, params and tags, and the rules their values obey. Pure Python."""

from minleaf_server.entities.dataset import Dataset, DatasetInput, DatasetSummary, ModelOutput, RunInputs, RunOutputs
from minleaf_server.entities.experiment import Experiment, ExperimentOverview
from minleaf_server.entities.lifecycle import Lifecycle, ViewType
from minleaf_server.entities.metric import NO_POINTS, LatestPoint, MetricSummary, Point, PointColumns
from minleaf_server.entities.page import Page
from minleaf_server.entities.run import Run, RunInfo, RunStatus, SummarizedRun

__all__ = [
    "NO_POINTS",
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Experiment",
    "ExperimentOverview",
    "LatestPoint",
    "Lifecycle",
    "MetricSummary",
    "ModelOutput",
    "Page",
    "Point",
    "PointColumns",
    "Run",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunStatus",
    "SummarizedRun",
    "ViewType",
]
