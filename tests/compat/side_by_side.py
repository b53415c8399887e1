"""Comparing what two servers answered: the same, or different for a reason that docs/compatibility.md prints."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


class Answered(Protocol):
    """An answer of either server."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> Any: ...


def check(our: Answered, their: Answered, reason: str | None, same_code: Collection[str] = ("wording",)) -> None:
    """The answers are the same, or there is a reason. With one of `same_code`, status and error code are the same."""
    if reason is None:
        assert our == their
        return
    assert our != their, f"no longer different: take it off the list ({reason})"
    assert our.status < 500 or our.status == 501
    if reason in same_code:
        assert our.status == their.status
        assert our.body["error_code"] == their.body["error_code"]


def check_lists(names: Collection[str], different: Mapping[str, str], reasons: Mapping[str, str]) -> None:
    """Every call has a name of its own, and every difference and every reason is of use."""
    assert len(set(names)) == len(names)
    assert set(different) <= set(names)
    assert set(different.values()) == set(reasons)


def unprinted(reasons: Mapping[str, str]) -> list[str]:
    """The reasons that the page about compatibility does not print."""
    page = PAGE.read_text()
    return [name for name, reason in reasons.items() if reason not in page]
