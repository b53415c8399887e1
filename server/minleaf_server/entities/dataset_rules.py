"""The rules that datasets and the inputs and outputs of runs must obey. Pure functions, as in `validation`.

The limits on lengths are MLflow's, in characters, but for that of `source_type`, which MLflow leaves to its database.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from minleaf_server.entities.dataset import Dataset, ModelOutput
from minleaf_server.entities.limits import INT64_MAX, INT64_MIN
from minleaf_server.entities.validation import invalid_value, missing_value, shown, validate_length, validate_text
from minleaf_server.errors import InvalidParameter

MAX_NAME_LENGTH = 500
MAX_DIGEST_LENGTH = 36
MAX_SOURCE_TYPE_LENGTH = 500
MAX_SOURCE_LENGTH = 65_535
MAX_SCHEMA_LENGTH = 1_048_575
MAX_PROFILE_LENGTH = 16_777_215

MAX_TAG_KEY_LENGTH = 255
MAX_TAG_VALUE_LENGTH = 500

MAX_MODEL_ID_LENGTH = 255
MAX_INPUTS_PER_REQUEST = 10_000
"""Datasets, or models, of one request. MLflow has no such limit."""


def validate_dataset(dataset: Dataset, path: str) -> None:
    """Checks that a dataset has a name, a digest and a source, and that nothing of it is too long."""
    fields = (
        ("name", dataset.name, MAX_NAME_LENGTH),
        ("digest", dataset.digest, MAX_DIGEST_LENGTH),
        ("source_type", dataset.source_type, MAX_SOURCE_TYPE_LENGTH),
        ("source", dataset.source, MAX_SOURCE_LENGTH),
    )
    for name, text, limit in fields:
        if not text:
            raise missing_value(f"{path}.{name}")
        _validate(name, text, limit, path)
    if dataset.schema is not None:
        _validate("schema", dataset.schema, MAX_SCHEMA_LENGTH, path)
    if dataset.profile is not None:
        _validate("profile", dataset.profile, MAX_PROFILE_LENGTH, path)


def validate_input_tags(tags: Sequence[tuple[str, str]], path: str) -> None:
    """Checks the tags of one input: any name of 1 to 255 characters, each once, with up to 500 characters of value."""
    for index, (key, value) in enumerate(tags):
        place = f"{path}[{index}]"
        if not key:
            raise missing_value(f"{place}.key")
        _validate("key", key, MAX_TAG_KEY_LENGTH, place)
        _validate("value", value, MAX_TAG_VALUE_LENGTH, place)
    repeated = [key for key, count in Counter(key for key, _ in tags).items() if count > 1]
    if repeated:
        raise InvalidParameter(
            f"Duplicate tag keys have been submitted in '{path}': {shown(repeated)}. Give each key once."
        )


def validate_model_ids(model_ids: Iterable[str], path: str) -> None:
    """Checks the ids of logged models. Whether there are such models is not asked, as in MLflow."""
    for index, model_id in enumerate(model_ids):
        if not model_id:
            raise missing_value(f"{path}[{index}].model_id")
        _validate("model_id", model_id, MAX_MODEL_ID_LENGTH, f"{path}[{index}]")


def validate_outputs(models: Sequence[ModelOutput], path: str) -> None:
    """Checks what a run made: the ids of the models, and steps of 64 bits."""
    validate_input_count(path, len(models))
    validate_model_ids((model.model_id for model in models), path)
    for index, model in enumerate(models):
        if not INT64_MIN <= model.step <= INT64_MAX:
            raise invalid_value(f"{path}[{index}].step", model.step, "A step is a 64-bit integer.")


def validate_input_count(name: str, count: int) -> None:
    """Checks that a request does not hold too many datasets or models."""
    if count > MAX_INPUTS_PER_REQUEST:
        raise InvalidParameter(
            f"A request can contain at most {MAX_INPUTS_PER_REQUEST} {name}. Got {count} {name}. "
            f"Please split up {name} across multiple requests and try again."
        )


def _validate(name: str, text: str, limit: int, path: str) -> None:
    validate_text(text, f"{path}.{name}")
    validate_length(name, text, limit)
