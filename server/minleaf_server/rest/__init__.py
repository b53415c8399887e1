"""MLflow's REST API: its wire with all its oddities, and only here.

`ENDPOINTS` is the one table: the routes, the documents at /openapi.json and the tests are made from it.
"""

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp

from minleaf_server.rest import experiments, metrics, runs, service
from minleaf_server.rest.absent import OTHER_PATHS, Absent
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.rest.openapi import describe

PREFIXES = ("/api", "/ajax-api")

ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/experiments/create", experiments.create),
    Endpoint("GET", "/2.0/mlflow/experiments/get", experiments.get),
    Endpoint("GET", "/2.0/mlflow/experiments/get-by-name", experiments.get_by_name),
    Endpoint("POST", "/2.0/mlflow/experiments/search", experiments.find),
    Endpoint("GET", "/2.0/mlflow/experiments/search", experiments.find),
    Endpoint("POST", "/2.0/mlflow/experiments/update", experiments.update),
    Endpoint("POST", "/2.0/mlflow/experiments/delete", experiments.delete),
    Endpoint("POST", "/2.0/mlflow/experiments/restore", experiments.restore),
    Endpoint("POST", "/2.0/mlflow/experiments/set-experiment-tag", experiments.set_tag),
    Endpoint("POST", "/2.0/mlflow/experiments/delete-experiment-tag", experiments.delete_tag),
    Endpoint("POST", "/2.0/mlflow/runs/create", runs.create),
    Endpoint("GET", "/2.0/mlflow/runs/get", runs.get),
    Endpoint("POST", "/2.0/mlflow/runs/search", runs.find),
    Endpoint("POST", "/2.0/mlflow/runs/update", runs.update),
    Endpoint("POST", "/2.0/mlflow/runs/delete", runs.delete),
    Endpoint("POST", "/2.0/mlflow/runs/restore", runs.restore),
    Endpoint("POST", "/2.0/mlflow/runs/log-metric", runs.log_metric),
    Endpoint("POST", "/2.0/mlflow/runs/log-parameter", runs.log_param),
    Endpoint("POST", "/2.0/mlflow/runs/log-batch", runs.log_batch),
    Endpoint("POST", "/2.0/mlflow/runs/set-tag", runs.set_tag),
    Endpoint("POST", "/2.0/mlflow/runs/delete-tag", runs.delete_tag),
    Endpoint("GET", "/2.0/mlflow/metrics/get-history", metrics.history),
    Endpoint("GET", "/2.0/mlflow/metrics/get-history-bulk", metrics.history_bulk),
    Endpoint("GET", "/2.0/mlflow/metrics/get-history-bulk-interval", metrics.history_interval),
    Endpoint("GET", "/3.0/mlflow/server-info", service.server_info),
)


def exact_routes() -> dict[tuple[str, str], ASGIApp]:
    """Every endpoint of the API by method and whole path.

    For a dispatcher that stands in front of FastAPI: an endpoint is an ASGI application that only needs
    `scope["app"].state.store`, so a logging request needs none of FastAPI's work.
    """
    return {(one.method, prefix + one.path): one for one in ENDPOINTS for prefix in PREFIXES}


def install(app: FastAPI) -> None:
    """Add the API to the application and to its OpenAPI document. The store is found at `app.state.store`."""
    methods: dict[str, list[str]] = {}
    for (method, path), endpoint in exact_routes().items():
        methods.setdefault(path, []).append(method)
        app.router.routes.append(Route(path, endpoint, methods=[method]))
    absent = Absent(methods)
    for path in (*(f"{prefix}/{{rest:path}}" for prefix in PREFIXES), *OTHER_PATHS):
        app.router.routes.append(Route(path, absent))
    describe(app, ENDPOINTS)
