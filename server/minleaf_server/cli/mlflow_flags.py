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


_PROCESS = "the server process is Minleaf's own"
FLAGS = (
    Foreign("--registry-store-uri", "MLFLOW_REGISTRY_STORE_URI", "models are kept in the database of the runs"),
    Foreign(
        "--read-replica-backend-store-uri",
        "MLFLOW_READ_REPLICA_BACKEND_STORE_URI",
        "everything is read from --backend-store-uri",
    ),
    Foreign("--serve-artifacts", "", "this version takes no artifacts yet", takes_value=False),
    Foreign("--no-serve-artifacts", "", "this version takes no artifacts yet", takes_value=False),
    Foreign(
        "--artifacts-only",
        "MLFLOW_ARTIFACTS_ONLY",
        refusal="Minleaf has no server for artifacts alone",
        takes_value=False,
    ),
    Foreign(
        "--cors-allowed-origins",
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
        "pages of other sites may not call this server",
    ),
    Foreign(
        "--disable-security-middleware",
        "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
        "the checks cannot be switched off; --allowed-hosts adds names",
        takes_value=False,
    ),
    Foreign("--x-frame-options", "MLFLOW_SERVER_X_FRAME_OPTIONS", "no other site may show these pages in a frame"),
    Foreign("--gunicorn-opts", "MLFLOW_GUNICORN_OPTS", _PROCESS),
    Foreign("--waitress-opts", "", _PROCESS),
    Foreign("--uvicorn-opts", "MLFLOW_UVICORN_OPTS", _PROCESS),
    Foreign("--dev", "", "--log-level debug tells more", takes_value=False),
    Foreign("--expose-prometheus", "MLFLOW_EXPOSE_PROMETHEUS", "there are no Prometheus metrics yet"),
    Foreign(
        "--app-name",
        "",
        refusal="Minleaf has no login yet, so it does not start where one is asked for. Listen on 127.0.0.1 and put a "
        "proxy that asks for a login, or an SSH tunnel, in front",
    ),
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
    variables = ("MINLEAF_ARTIFACTS_DESTINATION", "MLFLOW_ARTIFACTS_DESTINATION")
    if "artifacts_destination" in chosen.settings or any(environ.get(name) for name in variables):
        yield "--artifacts-destination has no effect yet: this version takes no artifacts."
    for row in FLAGS:
        source = _source(row, chosen, environ)
        if source and row.refusal:
            raise SetupError(f"{source}: {row.refusal}.")
        if source:
            yield f"{source} has no effect: {row.why}."


def _source(row: Foreign, chosen: Namespace, environ: Mapping[str, str]) -> str:
    if getattr(chosen, row.name, None):
        return row.flag
    value = environ.get(row.variable, "") if row.variable else ""
    off = not row.takes_value and value.lower() in ("false", "0", "no", "off")
    return row.variable if value and not off else ""
