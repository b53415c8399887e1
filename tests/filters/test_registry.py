"""Filters and orders of the registry: MLflow's, with MLflow's errors."""

import pytest

from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import parse
from minleaf_server.filters.registry import (
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    Searched,
    read_filter,
    read_order,
    split_prompts,
)
from minleaf_server.filters.tree import And

PROMPT = "tags.`mlflow.prompt.is_prompt`"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name = 'x'",
        "name=\"x\" AND name != 'y'",
        "attribute.name LIKE '%x'",
        "name ILIKE 'x' and tags.a = 'b'",
        "name IN ('a', 'b')",
        "name IN ('a',)",
        "tag.`a b` != 'c' AND tags.a LIKE 'x%'",
        "not (name = 'x' or tags.a = 'y')",
        "name not like 'x%'",
        "some words",
    ],
)
@pytest.mark.parametrize("searched", [REGISTERED_MODELS, MODEL_VERSIONS])
def test_filters(text: str, searched: Searched) -> None:
    read_filter(text, searched)


def test_filters_of_versions() -> None:
    for text in (
        "version_number <= 3",
        "version_number = '3'",
        "run_id IN ('a')",
        "source_path LIKE 's3:%'",
        "run_id=''",
    ):
        read_filter(text, MODEL_VERSIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name", None),
        ("name =", "Invalid clause(s) in filter string: Expected a value after '='"),
        ("run_id = 'x'", "Invalid attribute key 'run_id' specified. Valid keys are '{'name'}'"),
        ("last_updated_timestamp > 1", "Invalid attribute key 'last_updated_timestamp' specified."),
        ("metrics.x > 1", "Invalid entity type 'metrics'. Valid entity types are ('attribute', 'tag', 'tags')"),
        ("foo.x = 'y'", "Invalid entity type 'foo'."),
        ("max(x) > 1", "Invalid entity type 'max'."),
        ("name = true", "Invalid clause(s) in filter string: name, =, true"),
        ("name = 5", "Expected a quoted string value or a list of quoted string values for attributes. Got value 5"),
        ("tags.x = 5", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5"),
        ("tags.x = y", "Parameter value is either not quoted"),
        ("tags.x > 'y'", "Invalid comparator for tag: >"),
        ("name >= 'y'", "Invalid comparator for attribute: >="),
        ("name IN (5)", "but got different type in list: (5)"),
        ("name IN (x)", "but got different type in list: (x)"),
        ("name IN ()", "but got empty list"),
        ("name NOT IN (,)", "but got ill-formed list."),
    ],
)
def test_filters_that_are_refused(text: str, message: str | None) -> None:
    if message is None:
        read_filter(text, REGISTERED_MODELS)
        return
    with pytest.raises(InvalidParameter) as caught:
        read_filter(text, REGISTERED_MODELS)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version_number LIKE '1'", "Invalid comparator for attribute version_number: LIKE"),
        ("version_number = 1.5", "Invalid value for numeric attribute 'version_number': 1.5"),
        ("version_number > 'x'", "Invalid value for numeric attribute 'version_number': 'x'"),
        ("version_number IN (1)", "Only ['name', 'run_id'] attributes support comparison with a list"),
        ("source_path IN ('a')", "Only ['name', 'run_id'] attributes support comparison with a list"),
    ],
)
def test_filters_of_versions_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        read_filter(text, MODEL_VERSIONS)
    assert message in str(caught.value)


def test_an_error_keeps_its_place() -> None:
    with pytest.raises(InvalidParameter, match=r"\(at character 8 of 'name = '\)"):
        read_filter("name = ", REGISTERED_MODELS)


def test_orders() -> None:
    texts = ("timestamp\r\rdeSc", "`name`  ASC")
    assert [(one.field.name, one.descending) for one in read_order(texts, REGISTERED_MODELS)] == [
        ("last_updated_timestamp", True),
        ("name", False),
    ]
    assert len(read_order(("version_number desc", "creation_timestamp"), MODEL_VERSIONS)) == 2


@pytest.mark.parametrize(
    ("searched", "text", "message"),
    [
        (REGISTERED_MODELS, "creation_timestamp", "Invalid order by key 'creation_timestamp' specified"),
        (REGISTERED_MODELS, "tags.a", "Invalid order by key 'tags.a' specified"),
        (MODEL_VERSIONS, "timestamp", "Invalid attribute key 'timestamp' specified"),
        (MODEL_VERSIONS, "run_id DESC", "Invalid attribute key 'run_id' specified"),
        (MODEL_VERSIONS, "name ASC blah", "Invalid order_by clause 'name ASC blah'. Could not be parsed."),
        (MODEL_VERSIONS, "name blah", "Invalid ordering key in order_by clause 'name blah'."),
        (MODEL_VERSIONS, "", "Invalid order_by clause ''. Could not be parsed."),
    ],
)
def test_orders_that_are_refused(searched: Searched, text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        read_order(("name", text) if not text.startswith("name") else (text,), searched)
    assert message in str(caught.value)


def test_an_order_names_nothing_twice() -> None:
    for texts in (("name", "name DESC"), ("timestamp", "last_updated_timestamp")):
        with pytest.raises(InvalidParameter, match="`order_by` contains duplicate fields"):
            read_order(texts, REGISTERED_MODELS)


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("", False),
        ("name = 'x'", False),
        (f"{PROMPT} = 'true'", True),
        (f"{PROMPT} = 'TRUE' and name = 'x'", True),
        (f"name = 'x' and {PROMPT} != 'false'", True),
        (f"{PROMPT} = 'false'", False),
        (f"{PROMPT} != 'true'", False),
        (f"{PROMPT} = 'true' or name = 'x'", None),
        (f"not {PROMPT} = 'true'", None),
        (f"{PROMPT} like 't%'", None),
    ],
)
def test_whether_prompts_are_wanted(text: str, prompts: bool | None) -> None:
    found, rest = split_prompts(read_filter(text, REGISTERED_MODELS))
    assert found is prompts
    if prompts is not None:
        assert "is_prompt" not in str(rest)
        named = "name = 'x'" in text
        assert rest in ((And((parse("attribute.name = 'x'"),)), parse("attribute.name = 'x'")) if named else (And(),))
