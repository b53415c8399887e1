"""Webhooks: who is told of what happens in the registry. The rules of names and events are MLflow's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from minleaf_server.entities import limits
from minleaf_server.entities.validation import validate_text
from minleaf_server.errors import InvalidParameter, NotSupported

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "registered_model": ("created",),
    "model_version": ("created",),
    "model_version_tag": ("deleted", "set"),
    "model_version_alias": ("created", "deleted"),
    "prompt": ("created",),
    "prompt_version": ("created",),
    "prompt_tag": ("deleted", "set"),
    "prompt_version_tag": ("deleted", "set"),
    "prompt_alias": ("created", "deleted"),
}
"""What can happen to what, in MLflow's words and in the order of its numbers on the wire."""


class WebhookStatus(IntEnum):
    """A disabled webhook is kept and not told of anything. The numbers are MLflow's."""

    ACTIVE = 1
    DISABLED = 2


class WebhookEvent(NamedTuple):
    """Something that a webhook can ask to be told of, such as ("model_version", "created")."""

    entity: str
    action: str

    @classmethod
    def of(cls, entity: str, action: str) -> "WebhookEvent":
        """The event, in lower case. Raises InvalidParameter for a pair that cannot happen."""
        if entity == "budget_policy":
            raise NotSupported("The AI gateway and its budgets: this feature of MLflow is not part of Minleaf yet.")
        if entity not in ACTIONS:
            raise InvalidParameter(f"Invalid entity '{entity}'. Valid entities are: {list(ACTIONS)}")
        if action not in ACTIONS[entity]:
            raise InvalidParameter(
                f"Invalid action '{action}' for entity '{entity}'. Valid actions are: {list(ACTIONS[entity])}"
            )
        return cls(entity, action)

    @classmethod
    def parse(cls, text: str) -> "WebhookEvent":
        """The event whose `str()` this is."""
        entity, _, action = text.partition(".")
        return cls(entity, action)

    def __str__(self) -> str:
        return f"{self.entity}.{self.action}"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Times are milliseconds since 1970. `secret` is encrypted, and None where deliveries are not signed."""

    id: str
    name: str
    url: str
    events: tuple[WebhookEvent, ...]
    description: str
    status: WebhookStatus
    creation_time: int
    last_update_time: int
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What to change of a webhook; None leaves a field as it is. An empty `secret` takes the secret away."""

    name: str | None = None
    url: str | None = None
    events: tuple[WebhookEvent, ...] | None = None
    description: str | None = None
    status: WebhookStatus | None = None
    secret: str | None = field(default=None, repr=False)


def validate_webhook(change: WebhookChange) -> None:
    """Checks what is given, but for the address, which the settings of the server judge. Raises InvalidParameter."""
    if change.name is not None:
        _validate_name(change.name)
    if change.events is not None:
        _validate_events(change.events)
    if change.description is not None:
        _validate_length("description", change.description, limits.MAX_WEBHOOK_DESCRIPTION_LENGTH)
    if change.secret is not None:
        _validate_length("secret", change.secret, limits.MAX_WEBHOOK_SECRET_LENGTH)


def _validate_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise InvalidParameter(
            f"Webhook name {name[: limits.MAX_SHOWN_LENGTH]!r} is invalid. It must start and end with a letter or "
            "digit, have at most 63 characters, and contain only letters, digits, dots (.), underscores (_), and "
            "hyphens (-)."
        )


def _validate_events(events: Sequence[WebhookEvent]) -> None:
    if not events:
        raise InvalidParameter("Webhook events must be a non-empty list of events, each with an entity and an action.")
    for index, event in enumerate(events):
        if event in events[:index]:
            raise InvalidParameter(f"'events[{index}]' names {event} a second time.")


def _validate_length(name: str, text: str, limit: int) -> None:
    validate_text(text, name)
    if len(text) > limit:
        raise InvalidParameter(
            f"'{name}' exceeds the maximum length of {limit} characters: it has {len(text)} characters"
        )
