"""What happens in the registry, told to the webhooks that ask for it."""

from collections.abc import Mapping
from typing import Any

from minleaf_server.tracking.services import Services


async def fire(services: Services, entity: str, action: str, payload: Mapping[str, Any]) -> None:
    """Tell every active webhook that asks for (`entity`, `action`), such as ("model_version", "created").

    Called after the change is committed. Returns at once and never raises: a webhook cannot fail a request.
    """
