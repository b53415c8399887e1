"""Small conversions that several endpoints share: enumerations by name or number, what is left out."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec import UNSET, UnsetType

from minleaf_server.entities import RunStatus, ViewType
from minleaf_server.entities.validation import invalid_value, parse_experiment_id
from minleaf_server.errors import NotFound

T = TypeVar("T")

# MLflow's numbers of the enumerations in its protocol. A number may also come as text.
_VIEWS = {1: ViewType.ACTIVE_ONLY, 2: ViewType.DELETED_ONLY, 3: ViewType.ALL}
_VIEW_NAMES = {name: one for number, one in _VIEWS.items() for name in (one.value, number, str(number))}
_STATUS_NAMES = {name: one for one in RunStatus for name in (one.name, one.value, str(one.value))}


def view(name: str | int, path: str) -> ViewType:
    """The view type that a request names."""
    return _choice(_VIEW_NAMES, name, path, ", ".join(one.value for one in ViewType))


def status(name: str | int) -> RunStatus | None:
    """The status that a request names; None where it names none."""
    if name == "":
        return None
    return _choice(_STATUS_NAMES, name, "status", ", ".join(one.name for one in RunStatus))


def _choice(names: Mapping[str | int, T], name: str | int, path: str, allowed: str) -> T:
    if name not in names:
        raise invalid_value(path, name, f"It must be one of {allowed}.")
    return names[name]


def experiment_ids(texts: Sequence[str]) -> tuple[int, ...]:
    """The experiments of a search. One that does not exist holds nothing, which is no error, as in MLflow."""
    found = []
    for text in texts:
        try:
            found.append(parse_experiment_id(text))
        except NotFound:
            continue
    return tuple(found)


def or_unset(found: T | None) -> T | UnsetType:
    """UNSET for what MLflow leaves out of an answer: an empty list, an empty text, nothing."""
    return found or UNSET


def or_none(given: T | UnsetType) -> T | None:
    """None for a field that the request leaves out."""
    return None if isinstance(given, UnsetType) else given
