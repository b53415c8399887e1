"""The answers about webhooks. None of them holds a secret."""

from msgspec import UNSET, Struct, UnsetType

from minleaf_server.rest.replies import Milliseconds, NextPage


class EventOfWebhook(Struct):
    entity: str
    action: str


class Webhook(Struct):
    webhook_id: str
    name: str
    url: str
    events: list[EventOfWebhook]
    status: str
    creation_timestamp: Milliseconds
    last_updated_timestamp: Milliseconds
    description: str | UnsetType = UNSET


class OneWebhook(Struct):
    webhook: Webhook


class Webhooks(Struct):
    webhooks: list[Webhook] | UnsetType = UNSET
    next_page_token: NextPage | UnsetType = UNSET


class WebhookTestResult(Struct):
    """`error_message` is there where no answer could be had, or where it was a redirect."""

    success: bool
    response_status: int | UnsetType = UNSET
    response_body: str | UnsetType = UNSET
    error_message: str | UnsetType = UNSET


class TestedWebhook(Struct):
    result: WebhookTestResult
