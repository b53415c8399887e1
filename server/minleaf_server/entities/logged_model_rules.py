"""The rules that logged models must obey. They return or raise `errors.InvalidParameter`, as those of `validation`.

Keys of params and tags are any text here, as in MLflow: a model's are not restricted to the characters of a run's.
"""

from collections.abc import Sequence

from minleaf_server.entities import limits
from minleaf_server.entities.logged_model import ModelPoint
from minleaf_server.entities.validation import missing_value, validate_text
from minleaf_server.errors import InvalidParameter

MAX_NAME_LENGTH = 500
MAX_TYPE_LENGTH = 500
MAX_KEY_LENGTH = 255
"""Params and tags."""

MAX_ENTRIES_PER_REQUEST = 1_000
"""Params or tags. MLflow's client sends 100 at a time."""

MAX_DATASET_NAME_LENGTH = 500
MAX_DATASET_DIGEST_LENGTH = 36

_FORBIDDEN = ("/", ":", ".", "%", '"', "'")


def validate_model_name(name: str) -> None:
    """Checks the name of a logged model: 1 to 500 characters, none of `/ : . % " '`."""
    if not name or any(character in name for character in _FORBIDDEN):
        raise InvalidParameter(
            f"Invalid model name ({name[: limits.MAX_SHOWN_LENGTH]!r}) provided. Model name must be a non-empty string "
            f"and cannot contain the following characters: {_FORBIDDEN}"
        )
    _validate("name", name, MAX_NAME_LENGTH)


def validate_origin(model_type: str, source_run_id: str) -> None:
    """Checks what a model says of where it comes from. Its run need not exist, as in MLflow."""
    _validate("model_type", model_type, MAX_TYPE_LENGTH)
    _validate("source_run_id", source_run_id, limits.MAX_RUN_ID_LENGTH)


def validate_model_params(params: Sequence[tuple[str, str]]) -> None:
    """Checks params of a model, of which none may come twice with different values."""
    _validate_entries("params", params, limits.MAX_PARAM_VALUE_LENGTH)
    seen: dict[str, str] = {}
    for key, value in params:
        if seen.setdefault(key, value) != value:
            raise InvalidParameter(f"The param '{key}' is given twice, with different values.")


def validate_model_tags(tags: Sequence[tuple[str, str]]) -> None:
    """Checks tags of a model. Of a tag given twice the last value stands."""
    _validate_entries("tags", tags, limits.MAX_TAG_VALUE_LENGTH)


def validate_dataset(point: ModelPoint) -> None:
    """Checks the dataset of a point: its name and its digest, or neither."""
    if bool(point.dataset_name) != bool(point.dataset_digest):
        raise InvalidParameter("Both dataset_name and dataset_digest must be provided if one is provided")
    _validate("dataset_name", point.dataset_name, MAX_DATASET_NAME_LENGTH)
    _validate("dataset_digest", point.dataset_digest, MAX_DATASET_DIGEST_LENGTH)


def _validate_entries(name: str, entries: Sequence[tuple[str, str]], longest: int) -> None:
    if len(entries) > MAX_ENTRIES_PER_REQUEST:
        raise InvalidParameter(f"A request can hold {MAX_ENTRIES_PER_REQUEST} {name} at most, and not {len(entries)}.")
    for index, (key, value) in enumerate(entries):
        if not key:
            raise missing_value(f"{name}[{index}].key")
        _validate(f"{name}[{index}].key", key, MAX_KEY_LENGTH)
        _validate(f"{name}[{index}].value", value, longest)


def _validate(path: str, text: str, longest: int) -> None:
    validate_text(text, path)
    if len(text) > longest:
        raise InvalidParameter(f"'{path}' exceeds the maximum length of {longest} characters: it has {len(text)}")
