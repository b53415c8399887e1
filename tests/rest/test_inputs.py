"""Datasets, and the inputs and outputs of runs, over the API on both databases."""

from typing import Any

import pytest

from minleaf_server.entities import dataset_rules as rules
from minleaf_server.tracking import inputs
from tests.rest.conftest import Api

INVALID = "INVALID_PARAMETER_VALUE"
SEARCH = "experiments/search-datasets"
WHOLE = {
    "name": "wine/é",
    "digest": "a1b2",
    "source_type": "local",
    "source": '{"uri": "/data/<script>"}',
    "schema": '{"mlflow_colspec": []}',
    "profile": '{"num_rows": 2}',
}


def dataset(name: str, digest: str = "1", **more: str) -> dict[str, str]:
    return {"name": name, "digest": digest, "source_type": "code", "source": "here", **more}


def tags(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in sorted(values.items())]


def context(value: str) -> list[dict[str, str]]:
    return [{"key": "mlflow.data.context", "value": value}]


async def log(api: Api, run_id: str, *datasets: dict[str, Any]) -> None:
    assert await api.ok("runs/log-inputs", {"run_id": run_id, "datasets": list(datasets)}) == {}


async def inputs_of(api: Api, run_id: str) -> Any:
    run = (await api.ok("runs/get", run_id=run_id))["run"]
    found = (await api.ok("runs/search", {"experiment_ids": [run["info"]["experiment_id"]], "run_view_type": "ALL"}))[
        "runs"
    ]
    assert run in found, "a search shows what runs/get shows"
    return run["inputs"]


async def names_of(api: Api, run_id: str) -> list[str]:
    return [each["dataset"]["name"] for each in (await inputs_of(api, run_id)).get("dataset_inputs", [])]


async def test_a_run_shows_its_inputs_and_outputs(api: Api) -> None:
    run_id = await api.run()
    made = (await api.ok("runs/create", {"experiment_id": "0"}))["run"]
    assert (made["inputs"], made["outputs"]) == ({}, {})
    body = {
        "run_id": run_id,
        "datasets": [
            {"dataset": WHOLE, "tags": [*context("train"), *tags(b="", a="é")]},
            {"dataset": dataset("plain")},
        ],
        "models": [{"model_id": "m-2"}, {"model_id": "m-1"}],
    }
    assert await api.ok("runs/log-inputs", body) == {}
    outputs = [{"model_id": "m-9", "step": -5}, {"model_id": "m-3"}, {"model_id": "m-2", "step": 2**63 - 1}]
    assert await api.ok("runs/outputs", {"run_id": run_id, "models": outputs}) == {}
    assert await inputs_of(api, run_id) == {
        "dataset_inputs": [
            {"dataset": WHOLE, "tags": [*tags(a="é", b=""), *context("train")]},
            {"dataset": dataset("plain")},
        ],
        "model_inputs": [{"model_id": "m-2"}, {"model_id": "m-1"}],
    }
    run = (await api.ok("runs/get", run_id=run_id))["run"]
    assert run["outputs"] == {"model_outputs": [outputs[0], {"model_id": "m-3", "step": 0}, outputs[2]]}


async def test_the_same_again_changes_nothing_and_the_first_word_stands(api: Api) -> None:
    run_id, other = await api.run(), await api.run()
    first = {"dataset": dataset("d", schema="s", profile="p"), "tags": tags(a="1", b="2")}
    changed = {"dataset": {**dataset("d"), "source": "elsewhere", "schema": "x"}, "tags": tags(a="9", c="3")}
    body = {"run_id": run_id, "datasets": [first, changed], "models": [{"model_id": "m-1"}, {"model_id": "m-1"}]}
    for _ in range(2):
        await api.ok("runs/log-inputs", body)
    await log(api, run_id, changed)
    await log(api, other, changed)
    assert await inputs_of(api, run_id) == {"dataset_inputs": [first], "model_inputs": [{"model_id": "m-1"}]}
    # Another run has tags of its own, but the dataset is the same.
    assert await inputs_of(api, other) == {"dataset_inputs": [{**first, "tags": changed["tags"]}]}


async def test_name_and_digest_and_experiment_make_a_dataset(api: Api) -> None:
    elsewhere = (await api.ok("experiments/create", {"name": "elsewhere"}))["experiment_id"]
    run_id, other = await api.run(), await api.run(elsewhere)
    await log(api, run_id, {"dataset": dataset("d", "1", schema="here")})
    await log(api, run_id, {"dataset": dataset("d", "2")}, {"dataset": dataset("e", "1")})
    await log(api, other, {"dataset": dataset("d", "1", schema="there")})
    assert [each["dataset"] for each in (await inputs_of(api, run_id))["dataset_inputs"]] == [
        dataset("d", "1", schema="here"),
        dataset("d", "2"),
        dataset("e", "1"),
    ]
    assert (await inputs_of(api, other))["dataset_inputs"][0]["dataset"]["schema"] == "there"


async def test_datasets_keep_the_order_in_which_they_were_logged(api: Api) -> None:
    run_id, later = await api.run(), await api.run()
    await log(api, run_id, {"dataset": dataset("z")}, {"dataset": dataset("a")})
    await log(api, later, {"dataset": dataset("m")})
    await log(api, later, {"dataset": dataset("a")}, {"dataset": dataset("m")}, {"dataset": dataset("z")})
    assert await names_of(api, run_id) == ["z", "a"]
    assert await names_of(api, later) == ["m", "a", "z"]


async def test_an_output_stands_at_one_step(api: Api) -> None:
    run_id = await api.run()
    body = {"run_id": run_id, "models": [{"model_id": "m-1", "step": 3}]}
    await api.ok("runs/outputs", body)
    await api.ok("runs/outputs", body)
    for models in ([{"model_id": "m-1", "step": 4}], [{"model_id": "m-2"}, {"model_id": "m-2", "step": 1}]):
        status, code, message = await api.refused("runs/outputs", {"run_id": run_id, "models": models})
        assert (status, code) == (400, INVALID)
        assert "already logged as an output" in message
    run = (await api.ok("runs/get", run_id=run_id))["run"]
    assert run["outputs"] == {"model_outputs": [{"model_id": "m-1", "step": 3}]}


HALF = {
    "datasets[0].dataset": {},
    "datasets[0].dataset.name": {"dataset": {}},
    "datasets[0].dataset.digest": {"dataset": {"name": "x"}},
    "datasets[0].dataset.source_type": {"dataset": {"name": "x", "digest": "1"}},
    "datasets[0].dataset.source": {"dataset": {**dataset("x"), "source": ""}},
    "datasets[0].tags[1].key": {"dataset": dataset("x"), "tags": [*tags(a="1"), {"value": "1"}]},
}


@pytest.mark.parametrize("place", HALF)
async def test_half_a_dataset_is_refused_with_its_place(api: Api, place: str) -> None:
    run_id = await api.run()
    for more in ({}, {"unknown": 1}):  # An unknown field takes the slow decoder.
        refused = await api.refused("runs/log-inputs", {"run_id": run_id, "datasets": [HALF[place]], **more})
        assert refused == (
            400,
            INVALID,
            f"Missing value for required parameter '{place}'. See the API docs for more information about request "
            "parameters.",
        )
    assert await inputs_of(api, run_id) == {}


async def test_the_required_fields_are_asked_for_first(api: Api) -> None:
    text = "Missing value for required parameter '{}'. See the API docs for more information about request parameters."
    for body in ({"datasets": []}, {"datasets": ["no JSON object"]}, {"datasets": [{"dataset": dataset("d")}]}):
        assert await api.refused("runs/log-inputs", body) == (400, INVALID, text.format("run_id"))
    assert await api.refused("runs/outputs", {"models": []}) == (400, INVALID, text.format("run_id"))
    assert await api.refused("runs/outputs", {"run_id": "x"}) == (400, INVALID, text.format("models"))
    body = {"run_id": "x", "models": [{"step": 1}]}
    assert await api.refused("runs/outputs", body) == (400, INVALID, text.format("models[0].model_id"))
    body = {"run_id": "x", "models": [{"model_id": ""}]}
    assert await api.refused("runs/log-inputs", body) == (400, INVALID, text.format("models[0].model_id"))


@pytest.mark.parametrize(
    ("body", "path", "kind"),
    [
        ({"datasets": "x"}, "datasets", "str"),
        ({"datasets": {}}, "datasets", "dict"),
        ({"datasets": [5]}, "datasets[0]", "int"),
        ({"datasets": [{"dataset": 5}]}, "datasets[0].dataset", "int"),
        ({"datasets": [{"dataset": [WHOLE]}]}, "datasets[0].dataset", "list"),
        ({"datasets": [{"dataset": {**WHOLE, "name": 5}}]}, "datasets[0].dataset.name", "int"),
        ({"datasets": [{"dataset": {**WHOLE, "schema": {}}}]}, "datasets[0].dataset.schema", "dict"),
        ({"datasets": [{"dataset": WHOLE, "tags": {"a": "1"}}]}, "datasets[0].tags", "dict"),
        ({"models": ["m-1"]}, "models[0]", "str"),
    ],
)
async def test_a_wrong_type_is_named(api: Api, body: dict[str, Any], path: str, kind: str) -> None:
    status, code, message = await api.refused("runs/log-inputs", {"run_id": await api.run(), **body})
    assert (status, code) == (400, INVALID)
    assert f"for parameter '{path}' supplied" in message
    assert f"Hint: Value was of type '{kind}'." in message


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 1.5, "x", [], {}])
async def test_a_step_of_an_output_is_a_64_bit_integer(api: Api, step: object) -> None:
    body = {"run_id": await api.run(), "models": [{"model_id": "m-1", "step": step}]}
    status, code, message = await api.refused("runs/outputs", body)
    assert (status, code) == (400, INVALID)
    assert "models[0].step" in message


LIMITS = [
    ("name", rules.MAX_NAME_LENGTH),
    ("digest", rules.MAX_DIGEST_LENGTH),
    ("source_type", rules.MAX_SOURCE_TYPE_LENGTH),
    ("source", rules.MAX_SOURCE_LENGTH),
    ("schema", rules.MAX_SCHEMA_LENGTH),
]


@pytest.mark.parametrize(("field", "limit"), LIMITS)
async def test_the_texts_of_a_dataset_have_limits(api: Api, field: str, limit: int) -> None:
    run_id = await api.run()
    longest = {**WHOLE, field: "é" * limit}
    await log(api, run_id, {"dataset": longest})
    body = {"run_id": run_id, "datasets": [{"dataset": {**WHOLE, field: "é" * (limit + 1)}}]}
    status, code, message = await api.refused("runs/log-inputs", body)
    assert (status, code) == (400, INVALID)
    assert message.startswith(f"'{field}' exceeds the maximum length of {limit} characters")
    assert [each["dataset"] for each in (await inputs_of(api, run_id))["dataset_inputs"]] == [longest]


async def test_the_tags_of_an_input_have_limits(api: Api) -> None:
    run_id = await api.run()
    longest = tags(**{"k" * 255: "v" * 500, " any/../name \n<": ""})
    await log(api, run_id, {"dataset": WHOLE, "tags": longest})
    assert (await inputs_of(api, run_id))["dataset_inputs"] == [{"dataset": WHOLE, "tags": longest}]
    for bad, text in [
        (tags(**{"k" * 256: "v"}), "'key' exceeds the maximum length of 255 characters"),
        (tags(k="v" * 501), "'value' exceeds the maximum length of 500 characters"),
        ([*tags(k="1"), *tags(k="2")], "Duplicate tag keys have been submitted in 'datasets[0].tags': [\"k\"]"),
    ]:
        body = {"run_id": run_id, "datasets": [{"dataset": dataset("other"), "tags": bad}]}
        status, code, message = await api.refused("runs/log-inputs", body)
        assert (status, code) == (400, INVALID)
        assert message.startswith(text)
    assert await names_of(api, run_id) == [WHOLE["name"]]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_text_that_cannot_be_kept_is_refused(api: Api, text: str) -> None:
    run_id = await api.run()
    bodies: list[dict[str, Any]] = [
        *({"datasets": [{"dataset": {**WHOLE, field: text}}]} for field in WHOLE),
        {"datasets": [{"dataset": WHOLE, "tags": tags(a=text)}]},
        {"datasets": [{"dataset": WHOLE, "tags": tags(**{text: "1"})}]},
        {"models": [{"model_id": text}]},
    ]
    for body in bodies:
        status, code, message = await api.refused("runs/log-inputs", {"run_id": run_id, **body})
        assert (status, code) == (400, INVALID)
        assert "Text may not contain" in message
    assert await inputs_of(api, run_id) == {}


async def test_what_is_wrong_with_one_dataset_keeps_all_out(api: Api) -> None:
    run_id = await api.run()
    bad = {"dataset": dataset("x" * 501)}
    for datasets in ([bad, {"dataset": WHOLE}], [{"dataset": WHOLE}, bad]):
        await api.refused("runs/log-inputs", {"run_id": run_id, "datasets": datasets})
    assert await inputs_of(api, run_id) == {}
    assert await api.ok(SEARCH, {"experiment_ids": ["0"]}) == {}


async def test_a_request_holds_ten_thousand_datasets_at_most(api: Api) -> None:
    run_id = await api.run()
    many = [{"dataset": dataset(f"d{number}")} for number in range(rules.MAX_INPUTS_PER_REQUEST + 1)]
    body = {"run_id": run_id, "datasets": many}
    assert (await api.refused("runs/log-inputs", body))[2].startswith("A request can contain at most 10000 datasets.")
    models = [{"model_id": f"m-{number}"} for number in range(rules.MAX_INPUTS_PER_REQUEST + 1)]
    for path in ("runs/log-inputs", "runs/outputs"):
        _, _, message = await api.refused(path, {"run_id": run_id, "models": models})
        assert message.startswith("A request can contain at most 10000 models.")
    await log(api, run_id, *many[1:])
    assert await names_of(api, run_id) == [each["dataset"]["name"] for each in many[1:]]


@pytest.mark.parametrize("path", ["runs/log-inputs", "runs/outputs"])
async def test_a_run_must_be_there_and_active(api: Api, path: str) -> None:
    run_id = await api.run()
    await api.ok("runs/delete", {"run_id": run_id})
    missing = await api.refused(path, {"run_id": "nope", "models": [{"model_id": "m"}]})
    assert missing == (404, "RESOURCE_DOES_NOT_EXIST", "Run with id=nope not found")
    deleted = await api.refused(path, {"run_id": run_id, "models": [{"model_id": "m"}]})
    text = f"The run {run_id} must be in the 'active' state. Current state is deleted."
    assert deleted == (400, INVALID, text)
    # As in MLflow also where nothing is to be logged.
    assert await api.refused(path, {"run_id": run_id, "models": []}) == (400, INVALID, text)


async def test_an_empty_request_is_fine(api: Api) -> None:
    run_id = await api.run()
    for body in ({}, {"datasets": []}, {"datasets": None, "models": None}, {"datasets": [], "models": []}):
        assert await api.ok("runs/log-inputs", {"run_id": run_id, **body}) == {}
    assert await api.ok("runs/outputs", {"run_id": run_id, "models": []}) == {}
    assert (await api.refused("runs/log-inputs", {"run_id": "../x"}))[:2] == (400, INVALID)


async def test_camel_case_and_unknown_fields_inside_a_dataset(api: Api) -> None:
    run_id = await api.run()
    odd = {"name": "d", "digest": "1", "sourceType": "code", "source": "here", "unknown": [1]}
    await log(api, run_id, {"dataset": odd, "more": 1, "tags": [{"key": "a", "value": "1", "x": None}]})
    assert (await inputs_of(api, run_id))["dataset_inputs"] == [{"dataset": dataset("d"), "tags": tags(a="1")}]


async def filled(api: Api) -> tuple[str, str]:
    """Two experiments with the datasets of MLflow's own test."""
    second = (await api.ok("experiments/create", {"name": "second"}))["experiment_id"]
    one, two, three = await api.run(), await api.run(), await api.run(second)
    await log(
        api,
        one,
        {"dataset": dataset("name1"), "tags": context("train")},
        {"dataset": dataset("name2"), "tags": context("eval")},
        {"dataset": dataset("name4"), "tags": tags(not_context="test")},
    )
    await log(
        api,
        two,
        {"dataset": dataset("name1"), "tags": context("train")},
        {"dataset": dataset("name2"), "tags": context("test")},
    )
    await log(api, three, {"dataset": dataset("name3"), "tags": context("train")})
    return one, second


def summary(experiment_id: str, name: str, context: str | None) -> dict[str, str]:
    found = {"experiment_id": experiment_id, "name": name, "digest": "1"}
    return found if context is None else {**found, "context": context}


@pytest.mark.parametrize("prefix", ["/api/2.0", "/ajax-api/2.0"])
@pytest.mark.parametrize("slash", ["/", ""])
async def test_search_datasets(api: Api, prefix: str, slash: str) -> None:
    one, second = await filled(api)
    path = f"{prefix}{slash}mlflow/experiments/search-datasets"
    first = [
        summary("0", "name1", "train"),
        summary("0", "name2", "eval"),
        summary("0", "name2", "test"),
        summary("0", "name4", None),
    ]
    both = [*first, summary(second, "name3", "train")]
    assert await api.ok(path, {"experiment_ids": ["0"]}) == {"dataset_summaries": first}
    assert await api.ok(path, {"experiment_ids": [second, "0", "99", "9" * 30]}) == {"dataset_summaries": both}
    # As in MLflow, what is deleted counts.
    await api.ok("runs/delete", {"run_id": one})
    await api.ok("experiments/delete", {"experiment_id": second})
    assert await api.ok(path, {"experiment_ids": ["0", second]}) == {"dataset_summaries": both}


async def test_search_datasets_returns_a_thousand_at_most(api: Api) -> None:
    run_id = await api.run()
    many = [{"dataset": dataset(f"name{i}", str(i)), "tags": context(str(i))} for i in range(1010)]
    await log(api, run_id, *many)
    found = (await api.ok(SEARCH, {"experiment_ids": ["0"]}))["dataset_summaries"]
    assert len(found) == len({(each["name"], each["digest"], each["context"]) for each in found}) == 1000


async def test_search_datasets_wants_one_to_twenty_experiments(api: Api) -> None:
    none = "SearchDatasets request must specify at least one experiment_id."
    for body in ({}, {"experiment_ids": []}, {"experiment_ids": None}):
        assert await api.refused(SEARCH, body) == (400, INVALID, none)
    over = inputs.MAX_EXPERIMENTS_PER_SEARCH + 1
    many = f"SearchDatasets request cannot specify more than 20 experiment_ids. Received {over} experiment_ids."
    ids = [str(number) for number in range(over)]
    assert await api.refused(SEARCH, {"experiment_ids": ids}) == (400, INVALID, many)
    assert await api.ok(SEARCH, {"experiment_ids": ids[1:]}) == {}
    bad = "Invalid experiment ID 'abc'. Experiment ID must be a valid integer."
    assert await api.refused(SEARCH, {"experiment_ids": ["abc"]}) == (400, INVALID, bad)
    assert (await api.refused(SEARCH, {"experiment_ids": "0"}))[:2] == (400, INVALID)


FILTERS = {
    "dataset.name = 'a'": "2 3",
    "datasets.name = 'a' and datasets.context = 'test'": "2",
    "datasets.name = 'a' and datasets.name = 'b'": "2",
    "datasets.name != 'a'": "1 2",
    "dataset.name != 'a' and dataset.name != 'b'": "1 2",
    "datasets.name IN ('a')": "2 3",
    "datasets.name NOT IN ('a')": "1 2",
    "datasets.digest IN ('1', '2')": "1 2 3",
    "dataset.name ILIKE 'A%'": "2 3",
    "dataset.name LIKE 'A%'": "",
    "datasets.context in ('train')": "2",
    "datasets.context not in ('train')": "2",
    "datasets.context != 'train'": "2",
    "datasets.name = 'a' and params.p = '3'": "3",
    # Beyond MLflow's grammar.
    "not datasets.name = 'a'": "0 1",
    "not datasets.name != 'a'": "0 3",
    "datasets.name is null": "0",
    "datasets.context is null": "0 1 3",
    "datasets.context not like 'tr%'": "2",
    "datasets.context = test or params.p = 0": "0 2",
}


async def test_filters_by_dataset(api: Api) -> None:
    """The runs that MLflow's own server finds for the filters that it takes: its answers stand in FILTERS."""
    ids = [await api.run(run_name=str(number), start_time=number) for number in range(4)]
    for number, run_id in enumerate(ids):
        await api.ok("runs/log-parameter", {"run_id": run_id, "key": "p", "value": str(number)})
    await log(api, ids[1], {"dataset": dataset("c")})
    train, test = context("train"), context("test")
    await log(api, ids[2], {"dataset": dataset("a"), "tags": train}, {"dataset": dataset("b"), "tags": test})
    await log(api, ids[3], {"dataset": dataset("a")})
    for text, expected in FILTERS.items():
        body = {"experiment_ids": ["0"], "filter": text, "order_by": ["start_time"]}
        found = (await api.ok("runs/search", body)).get("runs", [])
        assert " ".join(run["info"]["run_name"] for run in found) == expected, text
    for text in ("datasets.nope = 'x'", "datasets.name > 'a'", "datasets.source = 's'"):
        assert (await api.refused("runs/search", {"experiment_ids": ["0"], "filter": text}))[:2] == (400, INVALID)
