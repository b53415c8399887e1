"""GraphQL: the same queries to MLflow's own server and to Minleaf's. See `differential` for the way."""

import re
from collections.abc import Sequence
from typing import Any

from tests.compat.differential import Answer, Call, answers, get, post


def ask(name: str, query: str, **more: Any) -> Call:
    return post(name, "/graphql", {"query": query, **more})


ERROR = "apiError { code message }"
EXPERIMENT = "experimentId name artifactLocation lifecycleStage tags { key value }"
INFO = "runId runUuid runName experimentId userId status startTime endTime artifactUri lifecycleStage"
RUN = f"info {{ {INFO} }} data {{ metrics {{ key value timestamp step }} params {{ key value }} tags {{ key value }} }}"
INPUTS = (
    "inputs { datasetInputs { tags { key value } dataset { name digest sourceType source schema profile } } "
    "modelInputs { modelId } }"
)
VERSION = (
    "name version currentStage description source runId status statusMessage runLink aliases modelId userId "
    "tags { key value } modelParams { name value } modelMetrics { key value } deploymentJobState { jobId }"
)


def making() -> list[Call]:
    found = ["run", "info", "run_id"]
    metrics = [
        {"key": "m", "value": value, "timestamp": 5, "step": step} for step, value in enumerate((0.5, -1.5, 1e300))
    ]
    data = {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}
    return [
        post(
            "make experiment",
            "experiments/create",
            {"name": "e", "tags": [{"key": "k", "value": "v"}]},
            save={"exp": ["experiment_id"]},
        ),
        post("make second experiment", "experiments/create", {"name": "f"}),
        *(
            post(
                f"make {name}",
                "runs/create",
                {"experiment_id": "$exp", "start_time": start, "user_id": "u", "run_name": name},
                save={name: found},
            )
            for start, name in enumerate(("first", "second"), start=1)
        ),
        post(
            "log",
            "runs/log-batch",
            {"run_id": "$first", "metrics": metrics, "params": [{"key": "p", "value": "1"}]},
        ),
        post(
            "log NaN", "runs/log-metric", {"run_id": "$second", "key": "n", "value": "NaN", "timestamp": 1, "step": 2}
        ),
        post(
            "log infinity",
            "runs/log-metric",
            {"run_id": "$second", "key": "i", "value": "Infinity", "timestamp": 1, "step": 2},
        ),
        post(
            "log dataset",
            "runs/log-inputs",
            {"run_id": "$first", "datasets": [{"dataset": data, "tags": [{"key": "t", "value": "1"}]}]},
        ),
        Call("store file", "PUT", "/api/2.0/mlflow-artifacts/artifacts/$exp/$first/artifacts/dir/a.txt", raw=b"abc"),
        post("make model", "registered-models/create", {"name": "model"}),
        post(
            "make version",
            "model-versions/create",
            {"name": "model", "source": "runs:/$first/dir", "run_id": "$first", "tags": [{"key": "t", "value": "1"}]},
        ),
        post("make alias", "registered-models/alias", {"name": "model", "alias": "best", "version": "1"}),
    ]


def reading() -> list[Call]:
    one = f"{{ experiment {{ {EXPERIMENT} }} {ERROR} }}"
    run = f"{{ run {{ {RUN} }} {ERROR} }}"
    whole = f"{{ run {{ {INPUTS} experiment {{ name experimentId }} modelVersions {{ {VERSION} }} }} {ERROR} }}"
    versions = f"{{ modelVersions {{ {VERSION} }} nextPageToken {ERROR} }}"
    files = f"{{ rootUri files {{ path isDir fileSize }} nextPageToken {ERROR} }}"
    return [
        ask("echo", '{ test(inputString: "x") { output } }'),
        ask("echo nothing", "{ test { output } }"),
        ask("echo null", "{ test(inputString: null) { output } }"),
        ask("echo a number", "{ test(inputString: 5) { output } }"),
        ask("echo as mutation", 'mutation { testMutation(inputString: "x") { output } }'),
        ask("experiment", f'{{ mlflowGetExperiment(input: {{experimentId: "$exp"}}) {one} }}'),
        ask("experiment as number", f"{{ mlflowGetExperiment(input: {{experimentId: 1}}) {one} }}"),
        ask("unknown experiment", f'{{ mlflowGetExperiment(input: {{experimentId: "99"}}) {one} }}'),
        ask("bad experiment", f'{{ mlflowGetExperiment(input: {{experimentId: "abc"}}) {one} }}'),
        ask("no experiment", f"{{ mlflowGetExperiment(input: {{}}) {one} }}"),
        ask("experiment without input", f"{{ mlflowGetExperiment {one} }}"),
        ask(
            "experiment by variable",
            f"query Get($$data: MlflowGetExperimentInput!) {{ mlflowGetExperiment(input: $$data) {one} }}".replace(
                "$$", "$"
            ),
            variables={"data": {"experimentId": "$exp"}},
            operationName="Get",
        ),
        ask(
            "experiment without variable",
            f"query Get($data: MlflowGetExperimentInput!) {{ mlflowGetExperiment(input: $data) {one} }}",
        ),
        ask("run", f'{{ mlflowGetRun(input: {{runId: "$first"}}) {run} }}'),
        ask("run by uuid", f'{{ mlflowGetRun(input: {{runUuid: "$first"}}) {run} }}'),
        ask("run with NaN", f'{{ mlflowGetRun(input: {{runId: "$second"}}) {run} }}'),
        ask("run with all", f'{{ mlflowGetRun(input: {{runId: "$first"}}) {whole} }}'),
        ask("run with nothing", f'{{ mlflowGetRun(input: {{runId: "$second"}}) {whole} }}'),
        ask("unknown run", f'{{ mlflowGetRun(input: {{runId: "nope"}}) {run} }}'),
        ask("no run", f"{{ mlflowGetRun(input: {{}}) {run} }}"),
        ask("points", history('runIds: ["$first"], metricKey: "m", maxResults: 10')),
        ask("points of two", history('runIds: ["$first", "$second"], metricKey: "m", maxResults: 10')),
        ask(
            "points of a range", history('runIds: ["$first"], metricKey: "m", maxResults: 10, startStep: 1, endStep: 2')
        ),
        ask("points with NaN", history('runIds: ["$second"], metricKey: "n", maxResults: 10')),
        ask("points with infinity", history('runIds: ["$second"], metricKey: "i", maxResults: 10')),
        ask("points of nothing", history('runIds: ["$second"], metricKey: "none", maxResults: 10')),
        ask("points of half a range", history('runIds: ["$first"], metricKey: "m", startStep: 1, maxResults: 10')),
        ask("points of no run", history('runIds: [], metricKey: "m"')),
        ask("points without metric", history('runIds: ["$first"]')),
        ask("files", f'{{ mlflowListArtifacts(input: {{runId: "$first"}}) {files} }}'),
        ask("files of folder", f'{{ mlflowListArtifacts(input: {{runId: "$first", path: "dir"}}) {files} }}'),
        ask("no files", f'{{ mlflowListArtifacts(input: {{runId: "$second"}}) {files} }}'),
        ask("files outside", f'{{ mlflowListArtifacts(input: {{runId: "$first", path: "../x"}}) {files} }}'),
        ask("files of unknown run", f'{{ mlflowListArtifacts(input: {{runId: "nope"}}) {files} }}'),
        ask("versions", f"{{ mlflowSearchModelVersions(input: {{}}) {versions} }}"),
        ask("versions by filter", f"{{ mlflowSearchModelVersions(input: {{filter: \"name = 'model'\"}}) {versions} }}"),
        ask("versions by text", f'{{ mlflowSearchModelVersions(input: {{maxResults: "1"}}) {versions} }}'),
        ask("versions by bad filter", f'{{ mlflowSearchModelVersions(input: {{filter: "x = "}}) {versions} }}'),
        ask("too many versions", f"{{ mlflowSearchModelVersions(input: {{maxResults: 200001}}) {versions} }}"),
    ]


def history(arguments: str) -> str:
    fields = "metrics { key value timestamp step runId }"
    return f"{{ mlflowGetMetricHistoryBulkInterval(input: {{{arguments}}}) {{ {fields} {ERROR} }} }}"


def searching() -> list[Call]:
    def find(name: str, arguments: str, kind: str = "query", fields: str = "info { runName }") -> Call:
        body = f"runs {{ {fields} }} nextPageToken {ERROR}"
        return ask(f"search: {name}", f"{kind} {{ mlflowSearchRuns(input: {{{arguments}}}) {{ {body} }} }}")

    def datasets(name: str, arguments: str, kind: str = "mutation") -> Call:
        fields = f"datasetSummaries {{ experimentId name digest context }} {ERROR}"
        return ask(name, f"{kind} {{ mlflowSearchDatasets(input: {{{arguments}}}) {{ {fields} }} }}")

    mine = 'experimentIds: ["$exp"]'
    return [
        find("all", mine),
        find("as mutation", mine, "mutation"),
        find("whole runs", mine, fields=RUN),
        find("with experiments", mine, fields="experiment { name } modelVersions { name version }"),
        find("filter", f'{mine}, filter: "metrics.m > 1"'),
        find("order", f'{mine}, orderBy: ["start_time ASC"]'),
        find("one", f"{mine}, maxResults: 1"),
        find("deleted", f"{mine}, runViewType: DELETED_ONLY"),
        find("bad view", f"{mine}, runViewType: NONE"),
        find("bad filter", f'{mine}, filter: "x = "'),
        find("bad token", f'{mine}, pageToken: "x"'),
        find("too many", f"{mine}, maxResults: 50001"),
        find("nothing", ""),
        find("unknown experiment", 'experimentIds: ["99"]'),
        datasets("datasets", mine),
        datasets("datasets of nothing", 'experimentIds: ["99"]'),
        datasets("datasets of no experiment", "experimentIds: []"),
        datasets("datasets as query", mine, "query"),
    ]


def asking() -> list[Call]:
    ten = " ".join(f'a{number}: test(inputString: "x") {{ output }}' for number in range(10))
    plain = " ".join(["test { output }"] * 11)
    deep = "{ __schema { types { fields { type " + "{ ofType " * 7 + "{ name" + " }" * 12
    many = "{ test { " + "output " * 1001 + "} }"
    return [
        ask("ten aliases", f"{{ {ten} }}"),
        ask("eleven aliases", f'{{ {ten} a10: test(inputString: "x") {{ output }} }}'),
        ask("eleven root fields", f"{{ {plain} }}"),
        ask("eleven levels", deep),
        ask("too many fields", many),
        ask("aliases in a fragment", f"query {{ ...f }} fragment f on Query {{ {ten} b: test {{ output }} }}"),
        ask("root fields in inline fragments", f"{{ ... on Query {{ {plain} }} }}"),
        ask("aliases below", "{ test { " + " ".join(f"b{number}: output" for number in range(11)) + " } }"),
        ask("fragment in itself", "query { ...f } fragment f on Query { ...f }"),
        ask("unknown fragment", "{ ...none }"),
        ask("unknown field", "{ nothing }"),
        ask("unknown field of a type", "{ test { nothing } }"),
        ask("unknown argument", '{ test(other: "x") { output } }'),
        ask("unknown input field", "{ mlflowGetRun(input: {id: 5}) { run { info { runId } } } }"),
        ask("no fields", "{ test }"),
        ask("fields of a text", "{ test { output { x } } }"),
        ask("no query at all", ""),
        ask("half a query", "{ test {"),
        ask("subscription", "subscription { test { output } }"),
        ask("two operations", "query a { test { output } } query b { test { output } }"),
        ask("one of two", "query a { test { output } } query b { __typename }", operationName="b"),
        ask("none of two", "query a { test { output } } query b { __typename }", operationName="c"),
        ask("type name", "{ __typename }"),
        ask("type of an answer", '{ test(inputString: "x") { __typename output } }'),
        ask("directives", '{ test(inputString: "x") { output @skip(if: true) } }'),
        ask("component", 'query @component(name: "x") { test(inputString: "x") { output } }'),
        ask("types of the schema", "{ __schema { queryType { name } mutationType { name } } }"),
        ask("fields of the schema", "{ __schema { queryType { fields { name args { name } type { name kind } } } } }"),
        ask("mutations of the schema", "{ __schema { mutationType { fields { name args { name } type { name } } } } }"),
        *(
            ask(f"type {name}", f'{{ __type(name: "{name}") {{ fields {{ name type {{ name kind }} }} }} }}')
            for name in TYPES
        ),
        *(
            ask(f"input {name}", f'{{ __type(name: "{name}") {{ inputFields {{ name type {{ name kind }} }} }} }}')
            for name in INPUT_TYPES
        ),
        post("no query", "/graphql", {}),
        post("null query", "/graphql", {"query": None}),
        post("number as query", "/graphql", {"query": 5}),
        post("list of queries", "/graphql", [{"query": "{ test { output } }"}]),
        post("text as variables", "/graphql", {"query": "{ test { output } }", "variables": "x"}),
        post("no JSON", "/graphql", raw=b"{"),
        get("query in the address", "/graphql", query='{ test(inputString: "x") { output } }'),
    ]


TYPES = (
    "MlflowExperiment",
    "MlflowRunExtension",
    "MlflowRunInfo",
    "MlflowRunData",
    "MlflowMetricExtension",
    "MlflowModelVersion",
    "MlflowFileInfo",
    "MlflowDataset",
    "MlflowDatasetSummary",
    "MlflowMetricWithRunId",
    "MlflowSearchRunsResponse",
    "ApiError",
)
INPUT_TYPES = (
    "MlflowGetExperimentInput",
    "MlflowGetRunInput",
    "MlflowSearchRunsInput",
    "MlflowGetMetricHistoryBulkIntervalInput",
    "MlflowListArtifactsInput",
    "MlflowSearchDatasetsInput",
    "MlflowSearchModelVersionsInput",
)
CALLS = [*making(), *reading(), *searching(), *asking()]


def graphql_answers(url: str, calls: Sequence[Call] = tuple(CALLS)) -> dict[str, Answer]:
    """As `differential.answers`, with the fields of a type in the order of their names."""
    return {name: Answer(one.status, _normal(one.body)) for name, one in answers(url, calls).items()}


def _normal(body: Any) -> Any:
    if isinstance(body, dict):
        return {key: "$token" if key == "nextPageToken" and value else _normal(value) for key, value in body.items()}
    if isinstance(body, list):
        named = body and all(isinstance(one, dict) and set(one) & {"name", "key"} for one in body)
        kept = [_normal(one) for one in body]
        return sorted(kept, key=lambda one: str(one.get("name", one.get("key")))) if named else kept
    return re.sub(r"\$(first|second)\b", "$run", body) if isinstance(body, str) else body
