"""Who asks for which event, remembered for a while, so that an event that nobody asks for costs no query."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Target:
    """What a delivery needs to know of a webhook. `secret` is encrypted."""

    id: str
    url: str
    secret: str | None = field(default=None, repr=False)


class Subscriptions:
    """By event, its targets as they were at most `seconds` ago. To be used from one thread."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._known: dict[str, tuple[float, tuple[Target, ...]]] = {}
        self.changes = 0
        """How often `forget` was called: what is read before a change must not be remembered after it."""

    def get(self, event: str) -> tuple[Target, ...] | None:
        """The targets, or None where they have to be read."""
        end, targets = self._known.get(event, (0.0, ()))
        return targets if self._clock() < end else None

    def put(self, event: str, targets: tuple[Target, ...], changes: int) -> None:
        """Remember what was read when `changes` was this number."""
        if changes == self.changes:
            self._known[event] = (self._clock() + self._seconds, targets)

    def forget(self) -> None:
        """A webhook was changed."""
        self.changes += 1
        self._known.clear()
