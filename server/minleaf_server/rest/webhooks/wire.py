"""Between webhooks and MLflow's wire, where entities, actions and statuses have names in capitals and numbers."""

from collections.abc import Sequence

from msgspec import UNSET

from minleaf_server.entities import webhook as entities
from minleaf_server.entities.validation import invalid_value
from minleaf_server.entities.webhook import ACTIONS, WebhookEvent, WebhookStatus
from minleaf_server.rest.choices import or_unset
from minleaf_server.rest.webhooks import messages, replies
from minleaf_server.webhooks.outcome import Outcome

_ENTITIES = (*ACTIONS, "budget_policy")
_ACTIONS = ("created", "updated", "deleted", "set", "exceeded")


def _numbered(names: Sequence[str]) -> dict[str | int, str]:
    return {key: name for number, name in enumerate(names, 1) for key in (name.upper(), name, number, str(number))}


_ENTITY_OF = _numbered(_ENTITIES)
_ACTION_OF = _numbered(_ACTIONS)
_STATUS_OF = _numbered([one.name for one in WebhookStatus])


def event(asked: messages.AskedEvent, path: str) -> WebhookEvent:
    """The event at this place of a request. Raises InvalidParameter."""
    entity = _chosen(_ENTITY_OF, asked.entity, f"{path}.entity")
    return WebhookEvent.of(entity, _chosen(_ACTION_OF, asked.action, f"{path}.action"))


def events(asked: Sequence[messages.AskedEvent]) -> tuple[WebhookEvent, ...]:
    """The events of a request."""
    return tuple(event(one, f"events[{index}]") for index, one in enumerate(asked))


def status(name: str | int) -> WebhookStatus | None:
    """The status that a request names; None where it names none."""
    return None if name == "" else WebhookStatus[_chosen(_STATUS_OF, name, "status")]


def webhook(found: entities.Webhook) -> replies.Webhook:
    """A webhook, without its secret."""
    return replies.Webhook(
        webhook_id=found.id,
        name=found.name,
        url=found.url,
        events=[replies.EventOfWebhook(one.entity.upper(), one.action.upper()) for one in found.events],
        status=found.status.name,
        creation_timestamp=found.creation_time,
        last_updated_timestamp=found.last_update_time,
        description=or_unset(found.description),
    )


def outcome(found: Outcome) -> replies.WebhookTestResult:
    """The result of a test. As in MLflow, a status that says enough has no message beside it."""
    problem = "" if found.status and not 300 <= found.status < 400 else found.problem
    return replies.WebhookTestResult(
        success=not found.problem,
        response_status=or_unset(found.status),
        response_body=UNSET if not found.status else found.body,
        error_message=f"Failed to test webhook: {problem}" if problem else UNSET,
    )


def _chosen(names: dict[str | int, str], given: str | int, path: str) -> str:
    if given not in names:
        allowed = ", ".join(name for name in names if isinstance(name, str) and name.isupper())
        raise invalid_value(path, given, f"It must be one of {allowed}.")
    return names[given]
