"""The parts of a running server that use cases work with."""

from dataclasses import dataclass

from minleaf_server.artifacts.stores import Stores
from minleaf_server.config import Settings
from minleaf_server.db.store import Store
from minleaf_server.tracking import users
from minleaf_server.tracking.answers import Answers
from minleaf_server.tracking.authority import Authority
from minleaf_server.webhooks.courier import Courier


@dataclass(frozen=True, slots=True)
class Services:
    """Made once at the start by `app.assembly` and handed to every handler."""

    settings: Settings
    store: Store
    artifacts: Stores
    courier: Courier
    answers: Answers
    authority: Authority | None = None
    """Who is who; None on a server without a login."""

    @classmethod
    def over(cls, store: Store, settings: Settings) -> "Services":
        """The services over an open store. Raises SetupError where a setting cannot be right."""
        authority = users.open_authority(store, settings) if settings.auth else None
        answers = Answers(settings.answer_memory_mb * 2**20)
        return cls(settings, store, Stores.open(settings), Courier.open(settings), answers, authority)

    def close(self) -> None:
        """Give what is on its way a short time, and close the store."""
        self.courier.close()
        if self.authority is not None:
            self.authority.close()
        self.store.close()
