"""The ids in an address: what cannot be one names nothing, whatever the database would say to it."""

from minleaf_server.entities.limits import MAX_RUN_ID_LENGTH
from minleaf_server.errors import NotFound

_EXPERIMENT_DIGITS_MAX = 18


def experiment_id(text: str) -> int:
    """The id of an experiment. Raises NotFound where `text` is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= _EXPERIMENT_DIGITS_MAX):
        raise NotFound("There is no such experiment: its id is not a number.")
    return int(text)


def run_id(text: str) -> str:
    """`text`, where a run could have it as its id. Raises NotFound where none can."""
    if not text or "\x00" in text or len(text) > MAX_RUN_ID_LENGTH:
        raise NotFound("There is no such run: no run can have this id.")
    return text
