"""What is asked for and not there: features of MLflow that Minleaf does not have yet, and paths that nobody has."""

import re

from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from minleaf_server.errors import EndpointNotFound, MinleafError, NotSupported
from minleaf_server.rest import errors
from minleaf_server.rest.endpoint import send_json
from minleaf_server.web.policy import Access, access

# The first pattern that matches the path behind `/api/N.0/` or `/ajax-api/N.0/` names the feature.
_FEATURES = tuple(
    (re.compile(pattern), feature)
    for pattern, feature in (
        (r"mlflow/datasets(/|$)", "Evaluation datasets"),
        (
            r"mlflow/((get|unified|get-online)-?traces?|traces|get-trace-artifact|get-online-trace-details)(/|$)",
            "Traces",
        ),
        (
            r"mlflow/(issues|scorers|label-schemas|review-queues|prompt-optimization)(/|$)",
            "Evaluation and review of traces",
        ),
        (r"mlflow/(gateway|gateway-proxy)(/|$)", "The AI gateway"),
        (r"mlflow/workspaces(/|$)", "Workspaces"),
        (r"mlflow/(users|roles|(experiments|registered-models|scorers)/permissions)(/|$)", "Users and permissions"),
    )
)
_OTHER_FEATURES = {
    "/v1/traces": "Traces",
}
OTHER_PATHS = tuple(_OTHER_FEATURES)
_PREFIX = re.compile(r"/(?:ajax-)?api/[23]\.0/?")


def _error(path: str) -> MinleafError:
    feature = _OTHER_FEATURES.get(path)
    prefix = _PREFIX.match(path)
    if prefix:
        rest = path[prefix.end() :]
        feature = next((name for pattern, name in _FEATURES if pattern.match(rest)), None)
    if feature:
        return NotSupported(f"{feature}: this feature of MLflow is not part of Minleaf yet.")
    return EndpointNotFound("There is no such endpoint. The API is described at /docs.")


class Absent:
    """Answers every request of the API that no endpoint took. `methods` holds the methods of the paths that exist."""

    def __init__(self, methods: dict[str, list[str]]) -> None:
        self._methods = [(compile_path(path)[0], ", ".join(names)) for path, names in methods.items()]
        access(Access.READ)(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        allowed = next((names for pattern, names in self._methods if pattern.match(path)), "")
        if allowed:
            body = errors.body_of("ENDPOINT_NOT_FOUND", f"This endpoint answers {allowed} and not {scope['method']}.")
            await send_json(send, 405, body, [(b"allow", allowed.encode("ascii"))])
            return
        await send_json(send, *errors.rendered(_error(path)))
