"""Running a GraphQL query: each root field is asked of the endpoint of the REST API that answers it.

So there is one implementation of every rule, and one check of rights. What an endpoint leaves out of its answer comes
out as the empty value of its type, as MLflow's protocol buffers have it; NaN is null, because JSON has none.
"""

import asyncio
import math
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from graphql import (
    ExecutionResult,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    execute,
    get_nullable_type,
    parse,
    validate,
)

from minleaf_server.errors import MinleafError
from minleaf_server.rest.decode import convert
from minleaf_server.rest.endpoint import Encoded, Endpoint
from minleaf_server.rest.graphql import limits
from minleaf_server.rest.graphql.schema import schema
from minleaf_server.tracking.services import Services

Json = dict[str, Any]
Resolver = Callable[..., Any]

_PLACES = {
    "mlflowGetExperiment": ("GET", "/2.0/mlflow/experiments/get"),
    "mlflowGetRun": ("GET", "/2.0/mlflow/runs/get"),
    "mlflowSearchRuns": ("POST", "/2.0/mlflow/runs/search"),
    "mlflowGetMetricHistoryBulkInterval": ("GET", "/2.0/mlflow/metrics/get-history-bulk-interval"),
    "mlflowListArtifacts": ("GET", "/2.0/mlflow/artifacts/list"),
    "mlflowSearchDatasets": ("POST", "/2.0/mlflow/experiments/search-datasets"),
    "mlflowSearchModelVersions": ("GET", "/2.0/mlflow/model-versions/search"),
}
_EMPTY: Mapping[str, Any] = {"String": "", "LongString": 0, "Float": 0.0, "Boolean": False}
_RUNS_AT_ONCE = 50
_VERSIONS_MAX = 10_000
# What MLflow writes for an infinity, since JSON and GraphQL know none.
_INFINITIES = {"Infinity": sys.float_info.max, "-Infinity": -sys.float_info.max}


async def run(services: Services, query: str, variables: Json | None, operation: str | None) -> Json:
    """The answer as JSON: `data`, and `errors` as texts or null. Nothing that is asked raises."""
    try:
        document = parse(query, max_tokens=10_000)
        settings = services.settings
        limits.check(document, settings.graphql_max_root_fields, settings.graphql_max_aliases)
        if faults := validate(schema(), document):
            return {"data": None, "errors": [fault.message for fault in faults]}
    except (GraphQLError, limits.TooMuch) as error:
        return {"data": None, "errors": [getattr(error, "message", str(error))]}
    except RecursionError:
        return {"data": None, "errors": ["The query is nested too deeply."]}
    answer = execute(
        schema(),
        document,
        context_value=_Context(services),
        variable_values=variables,
        operation_name=operation,
        field_resolver=_resolve,
    )
    result = answer if isinstance(answer, ExecutionResult) else await answer
    return {"data": result.data, "errors": [_told(fault) for fault in result.errors] if result.errors else None}


def _told(fault: GraphQLError) -> str:
    """The text of an error; one that nobody foresaw is raised again, so that it is logged and tells nothing."""
    if fault.original_error is not None and not isinstance(fault.original_error, (MinleafError, GraphQLError)):
        raise fault.original_error
    return fault.message


@lru_cache
def _endpoint(field: str) -> Endpoint:
    """The endpoint that answers a root field."""
    from minleaf_server.rest import ENDPOINTS  # The table holds this module's endpoint too.

    found = next(one for one in ENDPOINTS if (one.method, one.path) == _PLACES[field])
    assert isinstance(found, Endpoint)
    return found


class _Context:
    """What the resolvers of one query share."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._experiments: dict[str, Awaitable[Json]] = {}
        self._wanted: list[str] = []
        self._versions: asyncio.Future[dict[str, list[Json]]] | None = None

    async def ask(self, field: str, arguments: Json) -> Json:
        """What the endpoint of a root field answers. An error of the request is its `apiError`."""
        endpoint = _endpoint(field)
        try:
            message = convert(arguments, endpoint.request)
            reply = await endpoint.answer(self._services, message)
        except MinleafError as error:
            return {"apiError": {"code": error.code, "message": error.message}}
        found: Json = msgspec.json.decode(reply.body) if isinstance(reply, Encoded) else msgspec.to_builtins(reply)
        return found

    async def experiment(self, experiment_id: str) -> Any:
        """The experiment of a run, read once however many runs of it there are."""
        found = self._experiments.get(experiment_id)
        if found is None:
            asked = self.ask("mlflowGetExperiment", {"experiment_id": experiment_id})
            found = self._experiments[experiment_id] = asyncio.ensure_future(asked)
        return (await found).get("experiment")

    async def versions(self, run_id: str) -> list[Json]:
        """The model versions that were made from a run, read together with those of the other runs of the answer."""
        self._wanted.append(run_id)
        if self._versions is None:
            self._versions = asyncio.ensure_future(self._load_versions())
        return (await self._versions).get(run_id, [])

    async def _load_versions(self) -> dict[str, list[Json]]:
        # Every sibling has been started before this runs, so all of them are wanted by now.
        wanted, self._wanted, self._versions = self._wanted, [], None
        found: dict[str, list[Json]] = {}
        for start in range(0, len(wanted), _RUNS_AT_ONCE):
            listed = ", ".join(f"'{run_id}'" for run_id in wanted[start : start + _RUNS_AT_ONCE])
            asked = {"filter": f"run_id IN ({listed})", "max_results": _VERSIONS_MAX}
            for version in (await self.ask("mlflowSearchModelVersions", asked)).get("model_versions", []):
                found.setdefault(version["run_id"], []).append(version)
        return found


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    name = info.field_name
    if info.parent_type.name in ("Query", "Mutation"):
        if name in _PLACES:
            return info.context.ask(name, _plain(arguments.get("input") or {}))
        return {"output": arguments.get("inputString")}
    if info.parent_type.name == "MlflowRunExtension" and name == "experiment":
        return info.context.experiment(source["info"]["experiment_id"])
    if info.parent_type.name == "MlflowRunExtension" and name == "modelVersions":
        return info.context.versions(source["info"]["run_id"])
    if name == "apiError":
        return source.get("apiError")
    return _value(source, _snake(name), info.return_type)


def _value(source: Json, name: str, kind: GraphQLOutputType) -> Any:
    plain: Any = get_nullable_type(kind)  # type: ignore[arg-type]
    if name not in source:
        return None if "apiError" in source else _empty(plain)
    value = source[name]
    if str(plain) == "Float" and isinstance(value, str):
        return _INFINITIES.get(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _empty(kind: Any) -> Any:
    if isinstance(kind, GraphQLList):
        return []
    if isinstance(kind, GraphQLObjectType):
        return {}
    return _EMPTY.get(str(kind))


def _plain(arguments: Json) -> Json:
    """The input with the names of the REST API; what is null is not given."""
    return {_snake(name): value for name, value in arguments.items() if value is not None}


@lru_cache(maxsize=512)
def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
