"""What a dataset and the inputs and outputs of a run may hold."""

from dataclasses import replace

import pytest

from minleaf_server.entities import Dataset, ModelOutput
from minleaf_server.entities import dataset_rules as rules
from minleaf_server.errors import InvalidParameter

SOUND = Dataset("d", "1", "code", "here", "schema", "profile")


@pytest.mark.parametrize("field", ["name", "digest", "source_type", "source", "schema", "profile"])
@pytest.mark.parametrize("text", ["a\x00", "\ud800"])
def test_no_text_of_a_dataset_may_be_unstorable(field: str, text: str) -> None:
    rules.validate_dataset(SOUND, "datasets[2].dataset")
    with pytest.raises(InvalidParameter, match=rf"'datasets\[2\]\.dataset\.{field}'.*Text may not contain"):
        rules.validate_dataset(replace(SOUND, **{field: text}), "datasets[2].dataset")


def test_the_profile_has_a_limit() -> None:
    rules.validate_dataset(replace(SOUND, profile="x" * rules.MAX_PROFILE_LENGTH), "d")
    with pytest.raises(InvalidParameter, match=r"^'profile' exceeds the maximum length of 16777215 characters"):
        rules.validate_dataset(replace(SOUND, profile="x" * (rules.MAX_PROFILE_LENGTH + 1)), "d")


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ([("a", "1"), ("", "2")], r"Missing value for required parameter 'tags\[1\]\.key'"),
        ([("a\x00", "1")], r"'tags\[0\]\.key'.*Text may not contain"),
        ([("a", "\x00")], r"'tags\[0\]\.value'.*Text may not contain"),
        ([("a", "1"), ("b", "1"), ("a", "1")], r'Duplicate tag keys have been submitted in \'tags\': \["a"\]'),
    ],
)
def test_tags_of_an_input(tags: list[tuple[str, str]], text: str) -> None:
    with pytest.raises(InvalidParameter, match=text):
        rules.validate_input_tags(tags, "tags")


@pytest.mark.parametrize(
    "model", [ModelOutput(""), ModelOutput("x" * 256), ModelOutput("m", 2**63), ModelOutput("\x00")]
)
def test_outputs(model: ModelOutput) -> None:
    rules.validate_outputs([ModelOutput("x" * 255, -(2**63)), ModelOutput("m", 2**63 - 1)], "models")
    with pytest.raises(InvalidParameter):
        rules.validate_outputs([ModelOutput("m"), model], "models")
