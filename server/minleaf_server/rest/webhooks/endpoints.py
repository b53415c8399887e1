"""The endpoints about webhooks."""

from minleaf_server.entities.webhook import WebhookChange
from minleaf_server.rest.choices import or_none, or_unset
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.rest.replies import Empty
from minleaf_server.rest.webhooks import messages, replies, wire
from minleaf_server.tracking import webhooks
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, access


@access(Access.ADMIN)
async def create(services: Services, message: messages.CreateWebhook) -> replies.OneWebhook:
    """Make a webhook: an address that is called when one of its events happens in the registry."""
    given = WebhookChange(
        name=message.name,
        url=message.url,
        events=wire.events(message.events),
        description=message.description,
        status=wire.status(message.status),
        secret=message.secret or None,
    )
    return replies.OneWebhook(wire.webhook(await webhooks.create(services, given)))


@access(Access.ADMIN)
async def find(services: Services, message: messages.ListWebhooks) -> replies.Webhooks:
    """List the webhooks, the newest first. `max_results` is at most 1,000; without it there are 100."""
    page = await webhooks.find(services.store, message.max_results, message.page_token or None)
    return replies.Webhooks(or_unset([wire.webhook(one) for one in page.items]), or_unset(page.next_token))


@access(Access.ADMIN)
async def get(services: Services, message: messages.WebhookId) -> replies.OneWebhook:
    """Get a webhook."""
    return replies.OneWebhook(wire.webhook(await webhooks.get(services.store, message.webhook_id)))


@access(Access.ADMIN)
async def update(services: Services, message: messages.UpdateWebhook) -> replies.OneWebhook:
    """Change what is given of a webhook."""
    given = WebhookChange(
        name=message.name or None,
        url=message.url or None,
        events=wire.events(message.events) or None,
        description=or_none(message.description),
        status=wire.status(message.status),
        secret=or_none(message.secret),
    )
    return replies.OneWebhook(wire.webhook(await webhooks.change(services, message.webhook_id, given)))


@access(Access.ADMIN)
async def delete(services: Services, message: messages.WebhookId) -> Empty:
    """Delete a webhook and its secret."""
    await webhooks.delete(services, message.webhook_id)
    return Empty()


@access(Access.ADMIN)
async def test(services: Services, message: messages.TestWebhook) -> replies.TestedWebhook:
    """Call a webhook with an example of `event`, or of its first one, and tell what its receiver answered."""
    event = or_none(message.event)
    chosen = None if event is None else wire.event(event, "event")
    return replies.TestedWebhook(wire.outcome(await webhooks.test(services, message.webhook_id, chosen)))


ENDPOINTS = (
    Endpoint("POST", "/2.0/mlflow/webhooks", create),
    Endpoint("GET", "/2.0/mlflow/webhooks", find),
    Endpoint("GET", "/2.0/mlflow/webhooks/{webhook_id}", get),
    Endpoint("PATCH", "/2.0/mlflow/webhooks/{webhook_id}", update),
    Endpoint("DELETE", "/2.0/mlflow/webhooks/{webhook_id}", delete),
    Endpoint("POST", "/2.0/mlflow/webhooks/{webhook_id}/test", test),
)
