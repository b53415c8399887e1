"""A server that is started for a part of its work only: without artifacts, or for artifacts alone."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from minleaf_server.app.refusals import Refusal, is_api, rendered
from minleaf_server.config import Settings

_ARTIFACTS = re.compile(r"/(?:ajax-)?api/2\.0/mlflow-artifacts/")
_ALWAYS = re.compile(r"/(?:health|health/ready|version|(?:ajax-)?api/3\.0/mlflow/server-info)")


def limited(app: ASGIApp, settings: Settings) -> ASGIApp:
    """The application without what `serve_artifacts` and `artifacts_only` leave out; itself where that is nothing."""
    if settings.serve_artifacts and not settings.artifacts_only:
        return app
    return _Limited(app, settings.artifacts_only)


class _Limited:
    def __init__(self, app: ASGIApp, artifacts_only: bool) -> None:
        self._app = app
        self._artifacts_only = artifacts_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        of_artifacts = bool(_ARTIFACTS.match(path))
        if scope["type"] != "http" or _ALWAYS.fullmatch(path) or of_artifacts == self._artifacts_only:
            await self._app(scope, receive, send)
            return
        refusal = _refusal(path, self._artifacts_only)
        body, headers = rendered(refusal, is_api(path))
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _refusal(path: str, artifacts_only: bool) -> Refusal:
    """503 as MLflow's server answers, beginning with its words, by which its users know what is wrong."""
    # Told in JSON, where no text can do harm; elsewhere nothing of the request is repeated.
    endpoint = f"Endpoint: {path} disabled" if is_api(path) else "Disabled"
    if artifacts_only:
        reason = "in `--artifacts-only` mode. It passes artifacts on and does nothing else."
    else:
        reason = "with `--no-serve-artifacts`. Clients send artifacts to their location themselves."
    return Refusal(503, "TEMPORARILY_UNAVAILABLE", f"{endpoint} due to the mlflow server running {reason}")
