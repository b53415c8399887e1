"""The OpenAPI description of the API, made from the declarations of the messages and replies."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import fields

from minleaf_server.rest import replies
from minleaf_server.rest.endpoint import Endpoint, RawEndpoint
from minleaf_server.web.policy import policy_of

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"
_ERRORS = {
    "400": "The request is wrong, its name is taken, or the state of the object forbids it. Nothing was changed.",
    "404": "There is no such experiment, run or tag.",
    "500": "The server failed. Its log says why, under the request id of the answer.",
    "503": "The server cannot answer now; try again after the seconds in Retry-After.",
}
_AREAS = {
    "experiments": "Experiments",
    "runs": "Runs",
    "metrics": "Metrics",
    "artifacts": "Artifacts",
    "upload-artifact": "Artifacts",
    "get-artifact": "Artifacts",
    "mlflow-artifacts": "Artifacts",
    "logged-models": "Logged models",
    "registered-models": "Model registry",
    "model-versions": "Model registry",
    "webhooks": "Webhooks",
    "users": "Users and permissions",
    "scorers": "Users and permissions",
    "signup": "Users and permissions",
    "graphql": "GraphQL",
}


def described_by(every: Sequence[Endpoint | RawEndpoint]) -> tuple[Json, Json]:
    """The paths of the endpoints, and the schemas of their messages by name."""
    endpoints = [one for one in every if isinstance(one, Endpoint)]
    kinds = {kind for endpoint in endpoints for kind in (endpoint.request, endpoint.reply)} | {replies.Error}
    ordered = sorted(kinds, key=lambda kind: (kind.__module__, kind.__name__))
    _, components = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    for component in components.values():
        # Unknown fields are passed over; the declaration forbids them only to reach the slow decoder.
        component.pop("additionalProperties", None)
    paths: Json = {}
    for endpoint in every:
        described = _operation(endpoint, components) if isinstance(endpoint, Endpoint) else _raw_operation(endpoint)
        paths.setdefault(_path(endpoint.paths[0]), {})[endpoint.method.lower()] = described
    return paths, components


def _raw_operation(endpoint: RawEndpoint) -> Json:
    """An endpoint whose bodies are files or texts of a kind of their own."""
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    answers: Json = {"200": {"description": "Done, with what was asked for.", "content": binary}}
    operation = _about(endpoint) | {
        "responses": answers | _error_responses(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", _path(endpoint.path))
        ],
    }
    if endpoint.method in ("PUT", "POST"):
        operation["requestBody"] = {"required": True, "content": binary}
    return operation


def _about(endpoint: Endpoint | RawEndpoint) -> Json:
    summary, _, more = (endpoint.handler.__doc__ or "").strip().partition(". ")
    words = endpoint.path.strip("/").split("/")
    area = words[2] if words[1:2] == ["mlflow"] else words[0] if not words[0][0].isdigit() else words[1]
    also = "".join(f"\n\nAlso at `{_path(path)}`." for path in endpoint.paths[1:])
    return {
        "operationId": _operation_id(endpoint),
        "summary": summary.rstrip("."),
        "description": f"{more}{also}".strip(),
        "tags": [_AREAS.get(area, "Service")],
        "x-access": getattr(policy_of(endpoint), "value", None),
    }


def _operation(endpoint: Endpoint, components: dict[str, Json]) -> Json:
    operation = _about(endpoint) | {
        "responses": _responses(endpoint.reply),
        "parameters": _parameters(endpoint, components),
    }
    if endpoint.method != "GET":
        operation["requestBody"] = {"required": True, "content": _content(endpoint.request)}
    return operation


def _path(path: str) -> str:
    """The path without what only the router needs to know of its variables."""
    return re.sub(r":\w+}", "}", path)


def _operation_id(endpoint: Endpoint | RawEndpoint) -> str:
    """Such as `get_runs_get`, made of the method and the path."""
    words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"^/\d\.\d/(mlflow/)?", "", _path(endpoint.path)))
    return f"{endpoint.method.lower()}_{words.strip('_')}"


def _content(kind: type[msgspec.Struct]) -> Json:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}


def _responses(reply: type[msgspec.Struct]) -> Json:
    answers: Json = {"200": {"description": (reply.__doc__ or "Done.").strip(), "content": _content(reply)}}
    return answers | _error_responses()


def _error_responses() -> Json:
    content = _content(replies.Error)
    return {status: {"description": description, "content": content} for status, description in _ERRORS.items()}


def _parameters(endpoint: Endpoint, components: dict[str, Json]) -> list[Json]:
    """The fields that stand in the path and, of a GET, in the query."""
    declared = components[endpoint.request.__name__].get("properties", {})
    found: list[Json] = []
    for field in fields(endpoint.request):
        schema = declared[field.name]
        if f"{{{field.name}}}" in _path(endpoint.path):
            found.append({"name": field.name, "in": "path", "required": True, "schema": schema})
        elif endpoint.method == "GET":
            found.append({"name": field.name, "in": "query", "required": field.required, "schema": schema})
    return found
