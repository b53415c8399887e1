"""The rules of names, tags, aliases, versions and stages of the registry."""

import pytest

from minleaf_server.entities.registry import Stage, is_prompt
from minleaf_server.entities.registry_rules import (
    parse_stage,
    parse_version,
    validate_alias,
    validate_description,
    validate_model_name,
    validate_new_alias,
    validate_registry_tag,
)
from minleaf_server.errors import InvalidParameter


@pytest.mark.parametrize("name", ["m", "é 漢字", "a.b", ".hidden", "x" * 500, "a@b", "v1", "100%"])
def test_names(name: str) -> None:
    validate_model_name(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "Missing value for required parameter 'name'."),
        (" \t", "Missing value for required parameter 'name'."),
        ("a/b", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
        ("a:b", "Invalid model name 'a:b'. Names cannot contain '/' or ':'."),
        (".", "Invalid value"),
        ("..", "Invalid value"),
        ("..x", "Invalid value"),
        ("x" * 501, "'name' exceeds the maximum length of 500 characters"),
        ("a\x00", "NUL"),
        ("\ud800", "surrogate"),
    ],
)
def test_bad_names(name: str, text: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        validate_model_name(name)
    assert text in str(caught.value)


def test_the_parameter_is_named() -> None:
    with pytest.raises(InvalidParameter, match="parameter 'new_name'"):
        validate_model_name("", "new_name")


def test_tags() -> None:
    validate_registry_tag("a key/with.dots", "x" * 100_000)
    for key, value, text in (
        ("a//b", "", "parameter 'key'"),
        ("k" * 251, "", "'key' exceeds the maximum length of 250"),
        ("k", "x" * 100_001, "'value' exceeds the maximum length of 100000 characters"),
        ("mlflow.prompt.text", "x" * 100_001, "Prompt text exceeds max length of 100000 characters"),
        ("k", "\x00", "NUL"),
    ):
        with pytest.raises(InvalidParameter, match=text):
            validate_registry_tag(key, value)


def test_descriptions() -> None:
    validate_description("d" * 1_000_000)
    with pytest.raises(InvalidParameter, match="maximum length of 1000000"):
        validate_description("d" * 1_000_001)


@pytest.mark.parametrize("alias", ["a", "A-b_1", "é", "vx", "1", "latest1", "a" * 255])
def test_aliases(alias: str) -> None:
    validate_new_alias(alias)


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "a.b", "a\n", "a" * 256])
def test_bad_aliases(alias: str) -> None:
    with pytest.raises(InvalidParameter, match="alias name"):
        validate_alias(alias)


@pytest.mark.parametrize("alias", ["latest", "Latest", "v1", "V007"])
def test_aliases_that_mean_something_already(alias: str) -> None:
    validate_alias(alias)
    with pytest.raises(InvalidParameter, match="is reserved"):
        validate_new_alias(alias)


def test_versions() -> None:
    assert [parse_version(text) for text in ("1", "007", "-1", "+2", "9" * 300)] == [1, 7, -1, 2, int("9" * 300)]
    for text in ("", "x", "1.5", "1 ", "\uff11", "0x1", "9" * 301, "1\n"):
        with pytest.raises(InvalidParameter, match="Parameter 'version' must be an integer, got '"):
            parse_version(text)


def test_stages() -> None:
    assert [parse_stage(text) for text in ("none", "STAGING", "Production", "archived")] == list(Stage)
    assert [stage.label for stage in Stage] == ["None", "Staging", "Production", "Archived"]
    with pytest.raises(InvalidParameter, match="Invalid Model Version stage: deleted_internal"):
        parse_stage("deleted_internal")


def test_what_a_prompt_is() -> None:
    assert is_prompt({"mlflow.prompt.is_prompt": "True"})
    assert not is_prompt({"mlflow.prompt.is_prompt": "1"})
    assert not is_prompt({})
