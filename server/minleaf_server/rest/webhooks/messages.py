"""The requests about webhooks. A field without a default is required; they stand in the order of MLflow's checks."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from minleaf_server.rest.messages import MaxResults, PageToken, Request, Text

Entity = Annotated[str | int, Meta(description="Such as `MODEL_VERSION` (2).")]
Action = Annotated[str | int, Meta(description="Such as `CREATED` (1).")]
Status = Annotated[str | int, Meta(description="`ACTIVE` (1) or `DISABLED` (2).")]
Secret = Annotated[str, Meta(description="Key of the signature. It is stored encrypted and never shown.")]


class AskedEvent(Request):
    """An event that a webhook asks for, or that a test sends."""

    entity: Entity
    action: Action


class CreateWebhook(Request):
    name: Text
    url: Text
    events: list[AskedEvent]
    description: str = ""
    secret: Secret = ""
    status: Status = ""


class WebhookId(Request):
    webhook_id: Text


class ListWebhooks(Request):
    max_results: MaxResults = 100
    page_token: PageToken = ""


class UpdateWebhook(Request):
    """An empty name, address or list of events changes nothing, as in MLflow; an empty secret takes it away."""

    webhook_id: Text
    name: str = ""
    description: str | UnsetType = UNSET
    url: str = ""
    events: list[AskedEvent] = field(default_factory=list)
    secret: Secret | UnsetType = UNSET
    status: Status = ""


class TestWebhook(Request):
    webhook_id: Text
    event: AskedEvent | UnsetType = UNSET
