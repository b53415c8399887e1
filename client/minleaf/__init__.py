"""Minleaf's client: log training runs to a Minleaf or MLflow server.

`import minleaf as mlflow` runs a script written for MLflow's tracking functions:

    import minleaf as mlflow

    with mlflow.start_run():
        mlflow.log_param("max_depth", 3)
        mlflow.log_metric("loss", 0.25, step=1)

The server is the one of `set_tracking_uri`, MINLEAF_TRACKING_URI or MLFLOW_TRACKING_URI, else http://127.0.0.1:5000.
"""

from minleaf import entities, exceptions
from minleaf._client import MinleafClient
from minleaf._experiment import set_experiment, set_tracking_uri
from minleaf._fluent import (
    create_experiment,
    delete_experiment,
    delete_run,
    delete_tag,
    get_experiment,
    get_experiment_by_name,
    get_run,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    restore_experiment,
    restore_run,
    search_experiments,
    search_runs,
    set_experiment_tag,
    set_tag,
    set_tags,
)
from minleaf._runs import ActiveRun, active_run, end_run, last_active_run, start_run
from minleaf._tracking_uri import get_tracking_uri
from minleaf._version import __version__
from minleaf.entities import Experiment, Metric, Param, Run, RunStatus, RunTag, ViewType
from minleaf.exceptions import MinleafException

# The names that a script written for MLflow uses.
MlflowClient = MinleafClient
MlflowException = MinleafException

__all__ = [
    "ActiveRun",
    "Experiment",
    "Metric",
    "MinleafClient",
    "MinleafException",
    "MlflowClient",
    "MlflowException",
    "Param",
    "Run",
    "RunStatus",
    "RunTag",
    "ViewType",
    "__version__",
    "active_run",
    "create_experiment",
    "delete_experiment",
    "delete_run",
    "delete_tag",
    "end_run",
    "entities",
    "exceptions",
    "get_experiment",
    "get_experiment_by_name",
    "get_run",
    "get_tracking_uri",
    "last_active_run",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_runs",
    "set_experiment",
    "set_experiment_tag",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
]
