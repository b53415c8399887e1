"""How often somebody has failed to log in lately, in bounded memory."""

import time
from collections.abc import Callable

from minleaf_server.tracking.bounded import Bounded

WINDOW_SECONDS = 60.0
FAILURES_MAX = 10
"""Of one name from one address."""
FAILURES_OF_ADDRESS_MAX = 100
_REMEMBERED_MAX = 20_000


class Attempts:
    """Counts failures by address and name, and by address alone, from the first one on for WINDOW_SECONDS."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: Bounded[tuple[str, ...], tuple[float, int]] = Bounded(_REMEMBERED_MAX)

    def wait(self, address: str, name: str) -> int:
        """Seconds after which another attempt is looked at; 0 where it is now."""
        of_name = self._left((address, name), FAILURES_MAX)
        return max(of_name, self._left((address,), FAILURES_OF_ADDRESS_MAX))

    def failed(self, address: str, name: str) -> None:
        """Count a failure."""
        now = self._clock()
        for key in ((address, name), (address,)):
            begun, count = self._windows.get(key) or (now, 0)
            self._windows.put(key, (begun, count + 1) if now - begun < WINDOW_SECONDS else (now, 1))

    def succeeded(self, address: str, name: str) -> None:
        """Take back what `failed` counted beforehand."""
        self._windows.drop((address, name))
        begun, count = self._windows.get((address,)) or (0.0, 0)
        if count > 0:
            self._windows.put((address,), (begun, count - 1))

    def __len__(self) -> int:
        return len(self._windows)

    def _left(self, key: tuple[str, ...], limit: int) -> int:
        begun, count = self._windows.get(key) or (0.0, 0)
        left = begun + WINDOW_SECONDS - self._clock()
        return int(left) + 1 if count >= limit and left > 0 else 0
