"""Sends webhooks from threads of its own, so that no request waits for a stranger's server."""

from minleaf_server.config import Settings


class Courier:
    """See the module."""

    @classmethod
    def open(cls, settings: Settings) -> "Courier":
        """A courier with the rules of the settings."""
        return cls()

    def close(self) -> None:
        """Give what is on its way a short time, then stop."""
