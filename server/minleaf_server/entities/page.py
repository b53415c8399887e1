"""One page of a longer answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """`items`, and the opaque token that continues behind them, or None on the last page."""

    items: Sequence[Item]
    next_token: str | None = None
