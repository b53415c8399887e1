"""GraphQL: every field that MLflow's page asks for, limits, and errors that are answers."""

from typing import Any

import pytest

from tests.rest.conftest import Api


async def ask(api: Api, query: str, **more: Any) -> dict[str, Any]:
    """The data of an answer without errors."""
    answer = await api.client.post("/graphql", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["errors"] is None
    data: dict[str, Any] = found["data"]
    return data


async def errors(api: Api, query: str) -> list[str]:
    """The texts of the errors of an answer."""
    answer = await api.client.post("/graphql", json={"query": query})
    assert answer.status_code == 200
    found: list[str] = answer.json()["errors"]
    assert found
    return found


async def make_run(api: Api, name: str = "graph") -> tuple[str, str]:
    experiment_id = (await api.ok("experiments/create", {"name": name}))["experiment_id"]
    run = await api.ok("runs/create", {"experiment_id": experiment_id, "run_name": "first", "start_time": 5})
    return experiment_id, run["run"]["info"]["run_id"]


async def test_echo(api: Api) -> None:
    query = 'query testQuery {test(inputString: "abc") { output }}'
    assert await ask(api, query, operationName="testQuery") == {"test": {"output": "abc"}}
    assert await ask(api, 'mutation {testMutation(inputString: "x") { output }}') == {"testMutation": {"output": "x"}}


async def test_an_experiment_by_id_with_integers_as_texts(api: Api) -> None:
    experiment_id, _ = await make_run(api)
    query = """query ($id: String) { mlflowGetExperiment(input: {experimentId: $id}) {
        experiment { experimentId name creationTime tags { key } } apiError { code } } }"""
    found = (await ask(api, query, variables={"id": experiment_id}))["mlflowGetExperiment"]
    assert found["apiError"] is None
    assert found["experiment"]["name"] == "graph"
    assert found["experiment"]["experimentId"] == experiment_id
    assert found["experiment"]["creationTime"].isdigit()
    assert found["experiment"]["tags"] == []


async def test_a_run_with_its_values_and_its_experiment(api: Api) -> None:
    experiment_id, run_id = await make_run(api)
    for key, value in (("a", 1.5), ("b", "NaN"), ("c", "Infinity")):
        await api.ok("runs/log-metric", {"run_id": run_id, "key": key, "value": value, "timestamp": 7, "step": 3})
    await api.ok("runs/log-parameter", {"run_id": run_id, "key": "p", "value": "1"})
    query = f"""{{ mlflowGetRun(input: {{runId: "{run_id}"}}) {{ run {{
        info {{ runId runName status startTime endTime experimentId }}
        data {{ metrics {{ key value step timestamp modelId }} params {{ key value }} }}
        inputs {{ datasetInputs {{ dataset {{ name }} }} }} outputs {{ modelOutputs {{ modelId }} }}
        experiment {{ name }} }} }} }}"""
    run = (await ask(api, query))["mlflowGetRun"]["run"]
    assert run["info"] == {
        "runId": run_id,
        "runName": "first",
        "status": "RUNNING",
        "startTime": "5",
        "endTime": "0",
        "experimentId": experiment_id,
    }
    assert [(one["key"], one["value"]) for one in run["data"]["metrics"]] == [
        ("a", 1.5),
        ("b", None),
        ("c", 1.7976931348623157e308),
    ]
    assert run["data"]["metrics"][0] | {"key": "a"} == run["data"]["metrics"][0]
    assert (run["data"]["metrics"][0]["step"], run["data"]["metrics"][0]["modelId"]) == ("3", "")
    assert run["data"]["params"] == [{"key": "p", "value": "1"}]
    assert (run["inputs"], run["outputs"]) == ({"datasetInputs": []}, {"modelOutputs": []})
    assert run["experiment"] == {"name": "graph"}


@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_runs_are_searched_as_a_query_and_as_a_mutation(api: Api, kind: str) -> None:
    experiment_id, first = await make_run(api)
    second = (await api.ok("runs/create", {"experiment_id": experiment_id, "start_time": 9}))["run"]["info"]["run_id"]
    query = f"""{kind} {{ mlflowSearchRuns(input: {{experimentIds: ["{experiment_id}"], runViewType: ACTIVE_ONLY}}) {{
        runs {{ info {{ runId }} experiment {{ name }} }} nextPageToken }} }}"""
    found = (await ask(api, query))["mlflowSearchRuns"]
    assert [run["info"]["runId"] for run in found["runs"]] == [second, first]
    assert found["nextPageToken"] == ""
    filtered = query.replace("runViewType: ACTIVE_ONLY", "filter: \"attributes.run_name = 'first'\", maxResults: 1")
    assert len((await ask(api, filtered))["mlflowSearchRuns"]["runs"]) == 1


async def test_the_points_of_a_metric(api: Api) -> None:
    _, run_id = await make_run(api)
    for step in range(10):
        await api.ok("runs/log-metric", {"run_id": run_id, "key": "m", "value": step, "timestamp": step, "step": step})
    query = f"""{{ mlflowGetMetricHistoryBulkInterval(input: {{runIds: ["{run_id}"], metricKey: "m"}}) {{
        metrics {{ key timestamp value runId }} }} }}"""
    found = (await ask(api, query))["mlflowGetMetricHistoryBulkInterval"]["metrics"]
    assert found == [{"key": "m", "timestamp": str(i), "value": i, "runId": run_id} for i in range(10)]


async def test_errors_of_the_api_are_part_of_the_answer(api: Api) -> None:
    query = '{ mlflowGetRun(input: {runId: "nothing"}) { run { info { runId } } apiError { code message } } }'
    found = (await ask(api, query))["mlflowGetRun"]
    assert found["run"] is None
    assert found["apiError"] == {"code": "RESOURCE_DOES_NOT_EXIST", "message": "Run with id=nothing not found"}
    found = (await ask(api, query.replace('runId: "nothing"', "")))["mlflowGetRun"]
    assert found["apiError"]["code"] == "INVALID_PARAMETER_VALUE"


async def test_what_is_no_query_is_told(api: Api) -> None:
    assert "Syntax Error" in (await errors(api, "{"))[0]
    assert "Cannot query field 'nothing'" in (await errors(api, "{ nothing }"))[0]
    answer = await api.client.post("/graphql", json={"query": 7})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    answer = await api.client.post("/graphql", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    answer = await api.client.post("/graphql", content=b'{"query": "{test{output}}"}')
    assert answer.status_code == 400


async def test_a_query_may_come_in_the_address(api: Api) -> None:
    answer = await api.client.get("/graphql", params={"query": '{test(inputString: "a") {output}}'})
    assert answer.json()["data"] == {"test": {"output": "a"}}


def many(count: int, form: str) -> str:
    return "{" + " ".join(form.format(i=i) for i in range(count)) + "}"


async def test_limits_are_those_of_mlflow(api: Api) -> None:
    assert await ask(api, many(10, "a{i}: test {{ output }}"))
    assert "at most 10 root fields, got 11" in (await errors(api, many(11, "a{i}: test {{ output }}")))[0]
    aliases = "{test {" + " ".join(f"b{i}: output" for i in range(11)) + "}}"
    assert "at most 10 aliases, got 11" in (await errors(api, aliases))[0]
    deep = "{test {" * 1 + "output {" * 10 + "x" + "}" * 12
    assert "maximum depth of 10" in (await errors(api, deep))[0]
    assert "maximum total selections" in (await errors(api, "{test {" + "output " * 1001 + "}}"))[0]


async def test_fragments_hide_nothing_from_the_limits(api: Api) -> None:
    inside = " ".join(f"b{i}: output" for i in range(6))
    query = f"{{test {{ ...f ...g }}}} fragment f on Test {{ {inside} }} fragment g on Test {{ {inside} }}"
    assert "at most 10 aliases, got 12" in (await errors(api, query))[0]
    endless = "{test {...f}} fragment f on Test {output ...f}"
    assert await errors(api, endless)
    roots = "{...f} fragment f on Query {" + " ".join(f"r{i}: test {{output}}" for i in range(11)) + "}"
    assert "root fields" in (await errors(api, roots))[0]


async def test_a_nested_field_costs_one_query_for_all_runs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from minleaf_server.rest.graphql import execute

    experiment_id, _ = await make_run(api)
    for _ in range(5):
        await api.ok("runs/create", {"experiment_id": experiment_id})
    asked: list[str] = []
    ask_endpoint = execute._Context.ask

    async def counting(self: Any, field: str, arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append(field)
        return await ask_endpoint(self, field, arguments)

    monkeypatch.setattr(execute._Context, "ask", counting)
    query = f"""{{ mlflowSearchRuns(input: {{experimentIds: ["{experiment_id}"]}}) {{
        runs {{ experiment {{ name }} modelVersions {{ name }} }} }} }}"""
    found = (await ask(api, query))["mlflowSearchRuns"]["runs"]
    assert found == [{"experiment": {"name": "graph"}, "modelVersions": []}] * 6
    assert sorted(asked) == ["mlflowGetExperiment", "mlflowSearchModelVersions", "mlflowSearchRuns"]
