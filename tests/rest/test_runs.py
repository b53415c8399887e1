"""The endpoints of runs, on both databases."""

import math
from typing import Any

import pytest

from tests.rest.conftest import Api, refusal

IPV = (400, "INVALID_PARAMETER_VALUE")


async def test_create_with_everything(api: Api) -> None:
    tags = [{"key": "a", "value": ""}, {"key": "mlflow.user", "value": "ana"}]
    fields = {"experiment_id": "0", "user_id": "ana", "start_time": 1234, "run_name": "first", "tags": tags}
    made = (await api.ok("runs/create", fields))["run"]
    info = made["info"]
    run_id = info["run_id"]
    assert len(run_id) == 32
    assert info == {
        "run_id": run_id,
        "run_uuid": run_id,
        "experiment_id": "0",
        "run_name": "first",
        "user_id": "ana",
        "status": "RUNNING",
        "start_time": 1234,
        "artifact_uri": f"mlflow-artifacts:/0/{run_id}/artifacts",
        "lifecycle_stage": "active",
    }
    assert made["data"] == {"tags": [tags[0], {"key": "mlflow.runName", "value": "first"}, tags[1]]}
    assert (made["inputs"], made["outputs"]) == ({}, {})
    assert (await api.ok("runs/get", run_id=run_id))["run"] == made


@pytest.mark.parametrize("name", [None, ""])
async def test_a_run_without_a_name_is_given_one(api: Api, name: str | None) -> None:
    made = (await api.ok("runs/create", {"run_name": name}))["run"]
    assert made["info"]["experiment_id"] == "0"
    assert made["info"]["run_name"].count("-") == 2
    assert {"key": "mlflow.runName", "value": made["info"]["run_name"]} in made["data"]["tags"]


@pytest.mark.parametrize(
    ("fields", "user"),
    [
        ({}, "unknown"),
        ({"tags": [{"key": "mlflow.user", "value": "ana"}]}, "ana"),
        ({"user_id": "bo", "tags": [{"key": "mlflow.user", "value": "ana"}]}, "bo"),
    ],
)
async def test_the_user_of_a_run(api: Api, fields: dict[str, Any], user: str) -> None:
    assert (await api.ok("runs/create", fields))["run"]["info"]["user_id"] == user


async def test_a_name_that_the_tag_contradicts(api: Api) -> None:
    tags = [{"key": "mlflow.runName", "value": "b"}]
    refused = await api.refused("runs/create", {"experiment_id": "0", "run_name": "a", "tags": tags})
    assert refused[:2] == IPV
    assert refused[2].startswith("Both 'run_name' argument and 'mlflow.runName' tag are specified")


async def test_long_names(api: Api) -> None:
    run_id = await api.run(run_name="x" * 10_000)
    assert (await api.ok("runs/get", run_id=run_id))["run"]["info"]["run_name"] == "x" * 10_000
    assert (await api.refused("runs/create", {"run_name": "x" * 10_001}))[:2] == IPV


@pytest.mark.parametrize("run_id", ["nope", "../x", "x" * 257, "a/b", "é", "' or 1=1 --", "%00", "0"])
async def test_runs_that_do_not_exist(api: Api, run_id: str) -> None:
    missing = (404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={run_id} not found")
    assert await api.refused("runs/get", run_id=run_id) == missing
    for path, fields in {
        "update": {"status": "FINISHED"},
        "delete": {},
        "restore": {},
        "log-metric": {"key": "m", "value": 1, "timestamp": 1},
        "log-parameter": {"key": "p", "value": "1"},
        "set-tag": {"key": "t", "value": "1"},
        "delete-tag": {"key": "t"},
    }.items():
        assert await api.refused(f"runs/{path}", {"run_id": run_id, **fields}) == missing, path


@pytest.mark.parametrize("run_id", ["../x", "x" * 257, "a b", ""])
async def test_a_batch_for_an_id_that_no_run_can_have(api: Api, run_id: str) -> None:
    assert (await api.refused("runs/log-batch", {"run_id": run_id}))[:2] in [IPV, (404, "RESOURCE_DOES_NOT_EXIST")]


async def test_update(api: Api) -> None:
    run_id = await api.run(run_name="old")
    answer = await api.ok("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": "99"})
    assert (answer["run_info"]["status"], answer["run_info"]["end_time"]) == ("FINISHED", 99)
    renamed = (await api.ok("runs/update", {"run_id": run_id, "run_name": "new"}))["run_info"]
    assert (renamed["run_name"], renamed["status"], renamed["end_time"]) == ("new", "FINISHED", 99)
    assert (await api.data(run_id))["tags"]["mlflow.runName"] == "new"
    assert (await api.ok("runs/update", {"run_id": run_id, "run_name": ""}))["run_info"] == renamed
    assert (await api.ok("runs/update", {"run_id": run_id}))["run_info"] == renamed
    assert (await api.ok("runs/update", {"run_id": run_id, "status": 5}))["run_info"]["status"] == "KILLED"


@pytest.mark.parametrize(
    "fields", [{"status": "BOGUS"}, {"status": 77}, {"status": True}, {"end_time": "x"}, {"end_time": 2**63}]
)
async def test_updates_that_are_refused(api: Api, fields: dict[str, Any]) -> None:
    run_id = await api.run()
    before = (await api.ok("runs/get", run_id=run_id))["run"]
    assert (await api.refused("runs/update", {"run_id": run_id, **fields}))[:2] == IPV
    assert (await api.ok("runs/get", run_id=run_id))["run"] == before


async def test_a_deleted_run_can_be_read_and_not_written(api: Api) -> None:
    run_id = await api.run()
    await api.ok("runs/delete", {"run_id": run_id})
    assert (await api.ok("runs/get", run_id=run_id))["run"]["info"]["lifecycle_stage"] == "deleted"
    state = f"The run {run_id} must be in the 'active' state. Current state is deleted."
    for path, fields in {
        "log-metric": {"key": "m", "value": 1, "timestamp": 1},
        "log-parameter": {"key": "p", "value": "1"},
        "log-batch": {"tags": [{"key": "t", "value": "1"}]},
        "set-tag": {"key": "t", "value": "1"},
        "update": {"run_name": "x"},
    }.items():
        assert await api.refused(f"runs/{path}", {"run_id": run_id, **fields}) == (*IPV, state), path
    await api.ok("runs/restore", {"run_id": run_id})
    await api.ok("runs/set-tag", {"run_id": run_id, "key": "t", "value": "1"})


async def test_params_are_written_once(api: Api) -> None:
    run_id = await api.run()
    param = {"run_id": run_id, "key": "p", "value": "4"}
    await api.ok("runs/log-parameter", param)
    await api.ok("runs/log-parameter", param)
    await api.ok("runs/log-batch", {"run_id": run_id, "params": [{"key": "p", "value": "4"}]})
    single = (
        "Changing param values is not allowed. Param with key='p' was already logged with value='4' for run "
        f"ID='{run_id}'. Attempted logging new value '8'."
    )
    assert await api.refused("runs/log-parameter", {**param, "value": "8"}) == (*IPV, single)
    batch = {"run_id": run_id, "params": [{"key": "q", "value": "1"}, {"key": "p", "value": "8"}]}
    changed = (
        "Changing param values is not allowed. Params were already logged="
        f"'[{{'key': 'p', 'old_value': '4', 'new_value': '8'}}]' for run ID='{run_id}'."
    )
    assert await api.refused("runs/log-batch", batch) == (*IPV, changed)
    assert (await api.data(run_id))["params"] == {"p": "4"}


VALUES = {
    "empty": "",
    "long": "x" * 6001,
    "longest": "é" * 500_000,
    "emoji": "😀👩‍👩‍👧",
    "composed": "é",
    "combining": "e\u0301",
    "right to left": "\u202eabc",
    "quotes": "'\"`\\%_",
    "newlines": "a\nb\r\n\t",
    "json": '{"a": [1, "\\u0000"]}',
}


async def test_values_of_params_and_tags_come_back_as_they_went_in(api: Api) -> None:
    run_id = await api.run()
    for key, value in VALUES.items():
        await api.ok("runs/log-parameter", {"run_id": run_id, "key": key, "value": value})
        await api.ok("runs/set-tag", {"run_id": run_id, "key": key, "value": value})
    data = await api.data(run_id)
    assert data["params"] == VALUES
    assert {key: value for key, value in data["tags"].items() if key != "mlflow.runName"} == VALUES


async def test_values_beyond_the_limit_are_refused_and_not_cut(api: Api) -> None:
    run_id = await api.run()
    too_long = {"run_id": run_id, "key": "k", "value": "x" * 500_001}
    for path in ("log-parameter", "set-tag"):
        refused = await api.refused(f"runs/{path}", too_long)
        assert refused[:2] == IPV
        assert "exceeds the maximum length of 500000 characters" in refused[2]
    assert set(await api.data(run_id)) == {"tags"}


@pytest.mark.parametrize("key", ["", "..", "../x", "/x", "a//b", "a/", "a@k", "a\n", "a\u2028", "a\x00", "x" * 251])
async def test_keys_that_are_refused_everywhere(api: Api, key: str) -> None:
    run_id = await api.run()
    entry = {"key": key, "value": "1"}
    for path, fields in {
        "log-metric": {**entry, "timestamp": 1},
        "log-parameter": entry,
        "set-tag": entry,
        "log-batch": {"metrics": [{"key": "good", "value": 1, "timestamp": 1}], "params": [entry]},
    }.items():
        assert (await api.refused(f"runs/{path}", {"run_id": run_id, **fields}))[:2] == IPV, path
    assert (await api.refused("runs/create", {"tags": [entry]}))[:2] == IPV
    assert set(await api.data(run_id)) == {"tags"}


async def test_keys_that_are_taken(api: Api) -> None:
    run_id = await api.run()
    keys = [" ", "漢字", "a:b", "x" * 250, "é" * 250, "a/b.c-d e"]
    for key in keys:
        entry = {"run_id": run_id, "key": key, "value": "1"}
        await api.ok("runs/log-metric", {**entry, "timestamp": 1})
        await api.ok("runs/log-parameter", entry)
        await api.ok("runs/set-tag", entry)
    data = await api.data(run_id)
    assert set(data["metrics"]) == set(data["params"]) == set(data["tags"]) - {"mlflow.runName"} == set(keys)


async def test_tags(api: Api) -> None:
    run_id = await api.run(run_name="a")
    for value in ("1", "2"):
        await api.ok("runs/set-tag", {"run_id": run_id, "key": "t", "value": value})
    assert (await api.data(run_id))["tags"]["t"] == "2"
    await api.ok("runs/delete-tag", {"run_id": run_id, "key": "t"})
    refused = await api.refused("runs/delete-tag", {"run_id": run_id, "key": "t"})
    assert refused == (404, "RESOURCE_DOES_NOT_EXIST", f"No tag with name: t in run with id {run_id}")
    await api.ok("runs/set-tag", {"run_id": run_id, "key": "mlflow.runName", "value": "b"})
    assert (await api.ok("runs/get", run_id=run_id))["run"]["info"]["run_name"] == "b"


@pytest.mark.parametrize("place", [0, 500, 999])
@pytest.mark.parametrize(
    ("bad", "what"),
    [({"key": "bad@"}, "key"), ({"timestamp": -1}, "timestamp"), ({"value": "x"}, "value"), ({"step": 2**63}, "step")],
)
async def test_a_batch_with_one_bad_point_stores_nothing(api: Api, place: int, bad: dict[str, Any], what: str) -> None:
    run_id = await api.run()
    metrics = [{"key": "m", "value": 1, "timestamp": 1, "step": step} for step in range(1000)]
    metrics[place] |= bad
    refused = await api.refused("runs/log-batch", {"run_id": run_id, "metrics": metrics})
    assert refused[:2] == IPV
    assert f"metrics[{place}]." in refused[2]
    assert set(await api.data(run_id)) == {"tags"}


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ((1001, 0, 0), "at most 1000 metrics. Got 1001 metrics."),
        ((0, 101, 0), "at most 100 params. Got 101 params."),
        ((0, 0, 101), "at most 100 tags. Got 101 tags."),
        ((900, 100, 1), "at most 1000 metrics, params, and tags. Got 1001 metrics, params, and tags."),
    ],
)
async def test_batches_that_are_too_large(api: Api, counts: tuple[int, int, int], message: str) -> None:
    run_id = await api.run()
    refused = await api.refused("runs/log-batch", {"run_id": run_id, **_batch(*counts)})
    assert refused[:2] == IPV
    assert message in refused[2]


@pytest.mark.parametrize("counts", [(1000, 0, 0), (800, 100, 100), (0, 0, 0)])
async def test_batches_up_to_the_limit(api: Api, counts: tuple[int, int, int]) -> None:
    run_id = await api.run()
    assert await api.ok("runs/log-batch", {"run_id": run_id, **_batch(*counts)}) == {}
    data = await api.data(run_id)
    assert len(data.get("params", {})) == counts[1]
    assert len(data["tags"]) == counts[2] + 1
    history = await api.ok("metrics/get-history", run_id=run_id, metric_key="m", max_results=2000)
    assert len(history.get("metrics", [])) == counts[0]


def _batch(metrics: int, params: int, tags: int) -> dict[str, Any]:
    return {
        "metrics": [{"key": "m", "value": step, "timestamp": 1, "step": step} for step in range(metrics)],
        "params": [{"key": f"p{number}", "value": "1"} for number in range(params)],
        "tags": [{"key": f"t{number}", "value": "1"} for number in range(tags)],
    }


async def test_the_fault_of_a_single_point_is_named_without_a_place_in_a_batch(api: Api) -> None:
    point = {"run_id": await api.run(), "key": "m", "value": 1, "timestamp": 1}
    refused = await api.refused("runs/log-metric", {**point, "timestamp": -1})
    assert refused[2].startswith("Invalid value -1 for parameter 'timestamp' supplied: metric 'm' (value=1.0).")
    refused = await api.refused("runs/log-metric", {**point, "key": "a@b"})
    assert refused[2].startswith("Invalid value \"a@b\" for parameter 'name' supplied")


async def test_the_same_param_twice_in_a_batch(api: Api) -> None:
    run_id = await api.run()
    params = [{"key": "k", "value": "1"}, {"key": "k", "value": "1"}]
    refused = await api.refused("runs/log-batch", {"run_id": run_id, "params": params})
    assert refused[2].startswith("Duplicate parameter keys have been submitted: ['k'].")


async def test_the_content_type_must_be_json(api: Api) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", None):
        response = await api.post("runs/create", {}, content_type=content_type)
        assert refusal(response)[:2] == IPV
        assert refusal(response)[2].startswith("Bad Request. Content-Type")
    response = await api.post("runs/create", {}, content_type="application/json; charset=utf-8")
    assert response.status_code == 200


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
async def test_both_prefixes(api: Api, prefix: str) -> None:
    made = (await api.post(f"{prefix}/2.0/mlflow/runs/create", {})).json()
    found = await api.get(f"{prefix}/2.0/mlflow/runs/get", run_uuid=made["run"]["info"]["run_id"])
    assert found.json() == made


async def test_search(api: Api) -> None:
    made = (await api.ok("experiments/create", {"name": "e"}))["experiment_id"]
    runs = [await api.run(made, start_time=start, run_name=f"r{start}") for start in (1, 2, 3)]
    for run_id, value in zip(runs, (0.1, "NaN", 0.3), strict=True):
        batch = {
            "metrics": [{"key": "acc", "value": value, "timestamp": 1}],
            "params": [{"key": "lr", "value": "1e-3"}],
        }
        await api.ok("runs/log-batch", {"run_id": run_id, **batch})
    await api.ok("runs/delete", {"run_id": runs[0]})

    async def names(**fields: Any) -> list[str]:
        answer = await api.ok("runs/search", {"experiment_ids": [made], **fields})
        return [one["info"]["run_name"] for one in answer.get("runs", [])]

    assert await names() == ["r3", "r2"]
    assert await names(run_view_type="ALL", order_by=["start_time ASC"]) == ["r1", "r2", "r3"]
    assert await names(run_view_type=2) == ["r1"]
    assert await names(filter="metrics.acc > 0.2") == ["r3"]
    assert await names(filter="params.lr = '1e-3' and attributes.run_name LIKE 'r%'", max_results="1") == ["r3"]
    assert await names(experiment_ids=[]) == []
    assert await names(experiment_ids=["99", "1" + "0" * 30]) == []
    found = (await api.ok("runs/search", {"experiment_ids": [made]}))["runs"]
    assert found == [(await api.ok("runs/get", run_id=run_id))["run"] for run_id in (runs[2], runs[1])]


async def test_search_pages(api: Api) -> None:
    runs = [await api.run(start_time=start) for start in range(5)]
    query: dict[str, Any] = {"experiment_ids": ["0"], "max_results": 2}
    found = []
    while True:
        page = await api.ok("runs/search", query)
        found += [one["info"]["run_id"] for one in page.get("runs", [])]
        if "next_page_token" not in page:
            break
        query["page_token"] = page["next_page_token"]
    assert found == runs[::-1]


@pytest.mark.parametrize(
    "fields",
    [{"max_results": size} for size in (0, -1, 50_001, 2**40, 2**70, "x", 1.5, True)]
    + [{"experiment_ids": ids} for ids in ("0", [0], ["abc"], ["../x"], [""])]
    + [{"filter": text} for text in ("metrics.", "nosuch = ", "a" * 70_000, 5, "\x00")]
    + [{"order_by": order} for order in ("x", ["metrics."], [5])]
    + [{"run_view_type": "BOGUS"}, {"run_view_type": 9}, {"page_token": "zz"}, {"page_token": "e30="}],
)
async def test_searches_that_are_refused(api: Api, fields: dict[str, Any]) -> None:
    await api.run()
    refused = await api.refused("runs/search", {"experiment_ids": ["0"], **fields})
    assert refused[:2] == IPV


async def test_numbers_in_answers(api: Api) -> None:
    run_id = await api.run()
    numbers = {"nan": math.nan, "inf": math.inf, "minus": -math.inf, "tiny": 5e-324, "huge": 1.7976931348623157e308}
    for key, value in {**numbers, "zero": -0.0}.items():
        await api.ok("runs/log-metric", {"run_id": run_id, "key": key, "value": value, "timestamp": 2**63 - 1})
    data = await api.data(run_id)
    texts = {"nan": "NaN", "inf": "Infinity", "minus": "-Infinity"}
    assert data["metrics"] == {**numbers, **texts, "zero": -0.0}
    assert math.copysign(1, data["metrics"]["zero"]) == -1


async def test_an_empty_name_by_tag_changes_nothing(api: Api) -> None:
    run_id = await api.run(run_name="first", tags=[{"key": "k", "value": "1"}])
    await api.ok("runs/set-tag", {"run_id": run_id, "key": "mlflow.runName", "value": ""})
    tags = [{"key": "mlflow.runName", "value": ""}, {"key": "k", "value": "2"}]
    await api.ok("runs/log-batch", {"run_id": run_id, "tags": tags})
    found = (await api.ok("runs/get", run_id=run_id))["run"]
    assert found["info"]["run_name"] == "first"
    assert (await api.data(run_id))["tags"] == {"k": "2", "mlflow.runName": "first"}


async def test_runs_have_no_experiment_id_to_filter_by(api: Api) -> None:
    for name, value in (("experiment_id", "0"), ("lifecycle_stage", "ACTIVE")):
        search = {"experiment_ids": ["0"], "filter": f"attribute.{name} = '{value}'"}
        refused = await api.refused("runs/search", search)
        assert refused[:2] == (400, "INVALID_PARAMETER_VALUE")
        assert refused[2].startswith(f"Invalid attribute key '{name}' specified")
