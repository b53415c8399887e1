"""The rules of names, tags, aliases, versions and stages of the registry. Pure: they return or raise InvalidParameter.

The texts begin as MLflow's do, because its client shows them and callers match on them.
"""

import re

from minleaf_server import errors
from minleaf_server.entities import limits
from minleaf_server.entities.registry import PROMPT_TEXT_TAG, Stage
from minleaf_server.entities.validation import invalid_value, missing_value, validate_key, validate_text

_ALIAS = re.compile(r"[\w\-]*")
_VERSION_ALIAS = re.compile(r"[vV]\d+")
_VERSION = re.compile(r"[+-]?[0-9]+")
_STAGES = {stage.label.lower(): stage for stage in Stage}

LATEST = "latest"
"""The alias that always is the highest version."""


def validate_model_name(name: str, path: str = "name") -> None:
    """Checks the name of a registered model: 1 to 500 characters, not blank, no `/` or `:`, and no relative path.

    These are the rules of MLflow 3.17, whose `models:/name/version` addresses need them, with a length.
    """
    if not name.strip():
        raise missing_value(path)
    validate_text(name, path)
    if "/" in name or ":" in name:
        raise errors.InvalidParameter(f"Invalid model name {_quoted(name)}. Names cannot contain '/' or ':'.")
    if name == "." or name.startswith(".."):
        raise invalid_value(path, name, "As a path, this name would lead somewhere else.")
    _validate_length(path, name, limits.MAX_MODEL_NAME_LENGTH)


def validate_registry_tag(key: str, value: str, path: str = "") -> None:
    """Checks a tag of a registered model or of a version; its value has at most 100,000 characters, as in MLflow."""
    validate_key("tag", key, path)
    validate_text(value, f"{path}.value" if path else "value")
    if key == PROMPT_TEXT_TAG and len(value) > limits.MAX_REGISTRY_TAG_VALUE_LENGTH:
        raise errors.InvalidParameter(
            f"Prompt text exceeds max length of {limits.MAX_REGISTRY_TAG_VALUE_LENGTH} characters: it has {len(value)}."
        )
    _validate_length("value", value, limits.MAX_REGISTRY_TAG_VALUE_LENGTH)


def validate_description(description: str) -> None:
    """Checks the description of a registered model or of a version."""
    validate_text(description, "description")
    _validate_length("description", description, limits.MAX_DESCRIPTION_LENGTH)


def validate_run_link(link: str) -> None:
    """Checks the link to a run of another server. It is kept as text and never followed."""
    validate_text(link, "run_link")
    _validate_length("run_link", link, limits.MAX_SOURCE_LENGTH)


def validate_source(source: str, allowed: str) -> None:
    """Checks the source of a version against the regular expression of the setting `model_version_sources`, if any.

    One that is too long is not searched; it is refused anyway where it is read.
    """
    if allowed and len(source) <= limits.MAX_SOURCE_LENGTH and re.search(allowed, source) is None:
        raise errors.InvalidParameter(
            f"Invalid model version source: {_quoted(source)}. This server's setting model_version_sources takes only "
            f"sources that match {_quoted(allowed)}."
        )


def validate_alias(alias: str) -> None:
    """Checks the name of an alias: 1 to 255 letters and digits (of any script), `_` or `-`."""
    if not alias:
        raise errors.InvalidParameter("Registered model alias name cannot be empty.")
    if _ALIAS.fullmatch(alias) is None:
        raise errors.InvalidParameter(
            f"Invalid alias name: {_quoted(alias)}. Names may only contain alphanumerics, underscores (_), and dashes "
            "(-)."
        )
    _validate_length("Registered model alias name", alias, limits.MAX_ALIAS_LENGTH)


def validate_new_alias(alias: str) -> None:
    """Checks an alias that shall be set: it must not look like what stands for versions in addresses anyway."""
    validate_alias(alias)
    if alias.lower() == LATEST:
        raise errors.InvalidParameter("'latest' alias name (case insensitive) is reserved.")
    if _VERSION_ALIAS.fullmatch(alias):
        raise errors.InvalidParameter(f"Version alias name '{alias}' is reserved.")


def parse_version(text: str) -> int:
    """The number of a version as the wire shows it. It may be one that no version can have."""
    if len(text) > limits.MAX_SHOWN_LENGTH or _VERSION.fullmatch(text) is None:
        raise errors.InvalidParameter(f"Parameter 'version' must be an integer, got {_quoted(text)}.")
    return int(text)


def parse_stage(text: str) -> Stage:
    """The stage of this name, whatever its case."""
    stage = _STAGES.get(text.lower())
    if stage is None:
        labels = ", ".join(one.label for one in Stage)
        raise errors.InvalidParameter(f"Invalid Model Version stage: {_cut(text)}. Value must be one of {labels}.")
    return stage


def _validate_length(name: str, value: str, limit: int) -> None:
    if len(value) > limit:
        raise errors.InvalidParameter(
            f"'{name}' exceeds the maximum length of {limit} characters: it has {len(value)} characters"
        )


def _quoted(text: str) -> str:
    return f"'{_cut(text)}'"


def _cut(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode()
    return plain if len(plain) <= limits.MAX_SHOWN_LENGTH else plain[: limits.MAX_SHOWN_LENGTH] + "…"
