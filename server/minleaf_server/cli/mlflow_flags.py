"""Flags and variables of `mlflow server` that Minleaf has no setting for.

A start script for `mlflow server` goes on working. A flag without a meaning here is taken with one line that says so;
a flag whose absence would surprise, such as the one that asks for a login, stops the start.
"""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from minleaf_server.errors import SetupError


@dataclass(frozen=True)
class Foreign:
    """One flag. `why` ends a sentence that says that it has no effect; `refusal` says why the start stops."""

    flag: str
    variable: str = ""
    why: str = ""
    refusal: str = ""
    takes_value: bool = True

    @property
    def name(self) -> str:
        return "mlflow_" + self.flag.removeprefix("--").replace("-", "_")


BASIC_AUTH = "basic-auth"
APP_NAME = Foreign("--app-name", refusal="the one app of MLflow that Minleaf has is basic-auth, which means --auth")
_PROCESS = "the server process is Minleaf's own"
FLAGS = (
    Foreign("--registry-store-uri", "MLFLOW_REGISTRY_STORE_URI", "models are kept in the database of the runs"),
    Foreign(
        "--read-replica-backend-store-uri",
        "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
        "everything is read from --backend-store-uri",
    ),
    Foreign(
        "--disable-security-middleware",
        "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
        "the checks cannot be switched off; --allowed-hosts adds names",
        takes_value=False,
    ),
    Foreign("--gunicorn-opts", "MLFLOW_GUNICORN_OPTS", _PROCESS),
    Foreign("--waitress-opts", "", _PROCESS),
    Foreign("--uvicorn-opts", "MLFLOW_UVICORN_OPTS", _PROCESS),
    Foreign("--dev", "", "--log-level debug tells more", takes_value=False),
    Foreign("--expose-prometheus", "MLFLOW_EXPOSE_PROMETHEUS", "there are no Prometheus metrics yet"),
    APP_NAME,
    Foreign("--trace-archival-config", "MLFLOW_TRACE_ARCHIVAL_CONFIG", "there are no traces yet"),
    Foreign("--secrets-cache-ttl", "", "the server keeps no secrets for clients"),
    Foreign("--secrets-cache-max-size", "", "the server keeps no secrets for clients"),
    Foreign("--workspace-store-uri", "MLFLOW_WORKSPACE_STORE_URI", "there are no workspaces"),
    Foreign(
        "--enable-workspaces",
        "MLFLOW_ENABLE_WORKSPACES",
        refusal="Minleaf has no workspaces",
        takes_value=False,
    ),
    Foreign("--disable-workspaces", "", "there are no workspaces", takes_value=False),
)


def add(parser: Any) -> None:
    """Add the flags to an argparse parser or group."""
    for row in FLAGS:
        text = (row.refusal and f"Stops the start: {row.refusal}.") or f"No effect: {row.why}."
        if row.takes_value:
            parser.add_argument(row.flag, dest=row.name, metavar="VALUE", help=text)
        else:
            parser.add_argument(row.flag, dest=row.name, action="store_true", help=text)


def remarks(chosen: Namespace, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for each that was given and has no effect. Raises SetupError for one that stops the start."""
    for row in FLAGS:
        source = _source(row, chosen, environ)
        if source and row.refusal:
            raise SetupError(f"{source}: {row.refusal}.")
        if source:
            yield f"{source} has no effect: {row.why}."


def _source(row: Foreign, chosen: Namespace, environ: Mapping[str, str]) -> str:
    given = getattr(chosen, row.name, None)
    if given and (row, given) != (APP_NAME, BASIC_AUTH):
        return row.flag
    value = environ.get(row.variable, "") if row.variable else ""
    off = not row.takes_value and value.lower() in ("false", "0", "no", "off")
    return row.variable if value and not off else ""
