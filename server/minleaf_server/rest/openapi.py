"""The OpenAPI description of the API, made from the declarations of the messages and replies."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from msgspec.structs import fields

from minleaf_server.rest import replies
from minleaf_server.rest.endpoint import Endpoint
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
    "logged-models": "Logged models",
    "registered-models": "Model registry",
    "model-versions": "Model registry",
    "webhooks": "Webhooks",
    "users": "Users and permissions",
}


def describe(app: FastAPI, endpoints: Sequence[Endpoint]) -> None:
    """Add the endpoints to what `app.openapi()` returns."""
    generate = app.openapi

    def openapi() -> Json:
        if app.openapi_schema is None:
            schema = generate()
            _extend(schema, endpoints)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _extend(schema: Json, endpoints: Sequence[Endpoint]) -> None:
    kinds = {kind for endpoint in endpoints for kind in (endpoint.request, endpoint.reply)} | {replies.Error}
    ordered = sorted(kinds, key=lambda kind: (kind.__module__, kind.__name__))
    _, components = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    for component in components.values():
        # Unknown fields are passed over; the declaration forbids them only to reach the slow decoder.
        component.pop("additionalProperties", None)
    schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
    paths = schema.setdefault("paths", {})
    for endpoint in endpoints:
        operation = _operation(endpoint, components)
        paths.setdefault("/api" + endpoint.path, {})[endpoint.method.lower()] = operation


def _operation(endpoint: Endpoint, components: dict[str, Json]) -> Json:
    summary, _, more = (endpoint.handler.__doc__ or "").strip().partition(". ")
    area = endpoint.path.split("/")[3]
    operation: Json = {
        "operationId": _operation_id(endpoint),
        "summary": summary.rstrip("."),
        "description": f"{more}\n\nAlso at `/ajax-api{endpoint.path}`.".strip(),
        "tags": [_AREAS.get(area, "Service")],
        "x-access": getattr(policy_of(endpoint), "value", None),
        "responses": _responses(endpoint.reply),
    }
    operation["parameters"] = _parameters(endpoint, components)
    if endpoint.method != "GET":
        operation["requestBody"] = {"required": True, "content": _content(endpoint.request)}
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    """Such as `get_runs_get`, made of the method and the path."""
    words = re.sub(r"[^a-z0-9]+", "_", endpoint.path.partition("/mlflow/")[2])
    return f"{endpoint.method.lower()}_{words.strip('_')}"


def _content(kind: type[msgspec.Struct]) -> Json:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}


def _responses(reply: type[msgspec.Struct]) -> Json:
    answers: Json = {"200": {"description": (reply.__doc__ or "Done.").strip(), "content": _content(reply)}}
    for status, description in _ERRORS.items():
        answers[status] = {"description": description, "content": _content(replies.Error)}
    return answers


def _parameters(endpoint: Endpoint, components: dict[str, Json]) -> list[Json]:
    """The fields that stand in the path and, of a GET, in the query."""
    declared = components[endpoint.request.__name__].get("properties", {})
    found: list[Json] = []
    for field in fields(endpoint.request):
        schema = declared[field.name]
        if f"{{{field.name}}}" in endpoint.path:
            found.append({"name": field.name, "in": "path", "required": True, "schema": schema})
        elif endpoint.method == "GET":
            found.append({"name": field.name, "in": "query", "required": field.required, "schema": schema})
    return found
