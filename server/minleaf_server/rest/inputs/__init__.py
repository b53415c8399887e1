"""Datasets, and the inputs and outputs of runs: the endpoints of this area."""

from minleaf_server.rest.endpoint import Endpoint, RawEndpoint
from minleaf_server.rest.inputs import handlers

ENDPOINTS: tuple[Endpoint | RawEndpoint, ...] = (
    Endpoint("POST", "/2.0/mlflow/runs/log-inputs", handlers.log_inputs),
    Endpoint("POST", "/2.0/mlflow/runs/outputs", handlers.log_outputs),
    Endpoint("POST", "/2.0/mlflow/experiments/search-datasets", handlers.search_datasets),
    # A slash is missing in the address that MLflow's server has for it up to version 3.6.
    Endpoint("POST", "/2.0mlflow/experiments/search-datasets", handlers.search_datasets),
)
