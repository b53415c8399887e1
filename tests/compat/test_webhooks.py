"""The real client against a real server and a real receiver: what MLflow's own tests of webhooks do."""

from collections.abc import Iterator

import pytest
from mlflow import MlflowClient
from mlflow.entities.webhook import VALID_ENTITY_ACTIONS, WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.rest_store import RestStore
from mlflow.utils.rest_utils import MlflowHostCreds
from mlflow.webhooks.types import get_example_payload_for_event

from tests.conftest import BACKENDS, fresh_database
from tests.support.server import RunningServer
from tests.webhooks.conftest import KEY
from tests.webhooks.receiver import Receiver, Reply

VERSION_CREATED = WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)
MODEL_CREATED = WebhookEvent(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)
SECRET = "whsec_test"


@pytest.fixture(scope="module", params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("server")
    options = ("--webhook-schemes", "http,https", "--webhook-secret-key", KEY)
    with fresh_database(request.param, folder, request) as uri, RunningServer(uri, folder, *options) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[MlflowClient]:
    made = MlflowClient(server.url, server.url)
    yield made
    for webhook in made.list_webhooks(max_results=1000):
        made.delete_webhook(webhook.webhook_id)


def test_create_and_get(client: MlflowClient) -> None:
    made = client.create_webhook(
        name="hook",
        url="https://example.com/webhook",
        events=[VERSION_CREATED, MODEL_CREATED],
        description="A test",
        secret=SECRET,
        status=WebhookStatus.DISABLED,
    )
    found = client.get_webhook(made.webhook_id)
    for webhook in (made, found):
        assert (webhook.name, webhook.url, webhook.description) == ("hook", "https://example.com/webhook", "A test")
        assert webhook.events == [VERSION_CREATED, MODEL_CREATED]
        assert webhook.status == WebhookStatus.DISABLED
        assert webhook.secret is None
        assert webhook.creation_timestamp == webhook.last_updated_timestamp > 0


def test_every_event_that_the_client_knows(client: MlflowClient) -> None:
    pairs = [(entity, action) for entity, actions in VALID_ENTITY_ACTIONS.items() for action in actions]
    events = [WebhookEvent(*pair) for pair in pairs if pair[0] is not WebhookEntity.BUDGET_POLICY]
    made = client.create_webhook(name="hook", url="https://example.com", events=events)
    assert made.events == events
    with pytest.raises(MlflowException, match="AI gateway"):
        client.create_webhook(name="b", url="https://example.com", events=[WebhookEvent("budget_policy", "exceeded")])


def test_list(client: MlflowClient) -> None:
    made = [client.create_webhook(f"hook{n}", "https://example.com", [VERSION_CREATED]).webhook_id for n in range(5)]
    assert client.list_webhooks().token in (None, "")
    found: list[str] = []
    token = None
    while True:
        page = client.list_webhooks(max_results=2, page_token=token)
        found += [webhook.webhook_id for webhook in page]
        token = page.token
        if not token:
            break
    assert found == list(reversed(made))
    with pytest.raises(MlflowException, match="max_results must be between 1 and 1000"):
        client.list_webhooks(max_results=1001)


def test_update(client: MlflowClient) -> None:
    made = client.create_webhook("old", "https://example.com/old", [VERSION_CREATED], description="kept")
    changed = client.update_webhook(made.webhook_id, name="new")
    assert (changed.name, changed.url, changed.description) == ("new", "https://example.com/old", "kept")
    assert changed.events == [VERSION_CREATED]
    assert changed.last_updated_timestamp > made.last_updated_timestamp
    changed = client.update_webhook(
        made.webhook_id,
        events=[MODEL_CREATED],
        url="https://example.com/new",
        secret="s",
        status=WebhookStatus.DISABLED,
    )
    assert (changed.events, changed.url, changed.status) == (
        [MODEL_CREATED],
        "https://example.com/new",
        WebhookStatus.DISABLED,
    )


def test_delete(client: MlflowClient) -> None:
    made = client.create_webhook("hook", "https://example.com", [VERSION_CREATED])
    client.delete_webhook(made.webhook_id)
    for call in (client.get_webhook, client.delete_webhook, client.test_webhook):
        with pytest.raises(MlflowException, match=f"Webhook with ID {made.webhook_id} not found"):
            call(made.webhook_id)
    with pytest.raises(MlflowException, match="Webhook with ID nonexistent not found"):
        client.update_webhook("nonexistent", name="x")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("   ", "Webhook URL cannot be empty or just whitespace"),
        ("ftp://example.com", "Invalid webhook URL scheme"),
        ("http://[invalid", "Invalid webhook URL"),
        ("https://169.254.169.254/", "non-public IP address"),
    ],
)
def test_bad_urls(client: MlflowClient, url: str, message: str) -> None:
    made = client.create_webhook("hook", "https://example.com", [VERSION_CREATED])
    with pytest.raises(MlflowException, match=message):
        client.update_webhook(made.webhook_id, url=url)
    with pytest.raises(MlflowException, match=message):
        client.create_webhook("hook", url, [VERSION_CREATED])


def test_the_store_of_the_client(server: RunningServer, client: MlflowClient) -> None:
    store = RestStore(lambda: MlflowHostCreds(server.url))
    with pytest.raises(MlflowException, match="is invalid"):
        store.create_webhook(name="-", url="https://example.com", events=[VERSION_CREATED])
    made = store.create_webhook(name="A" * 63, url="https://example.com", events=[VERSION_CREATED])
    assert store.get_webhook(made.webhook_id).name == "A" * 63


@pytest.mark.parametrize("event", [None, WebhookEvent("prompt_version", "created")])
def test_a_test_call(client: MlflowClient, event: WebhookEvent | None) -> None:
    with Receiver() as receiver:
        made = client.create_webhook("hook", receiver.url, [MODEL_CREATED, VERSION_CREATED], secret=SECRET)
        result = client.test_webhook(made.webhook_id, event)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "thanks")
    assert result.error_message is None
    (call,) = receiver.received
    assert call.is_signed_with(SECRET)
    assert call.json()["data"] == get_example_payload_for_event(event or MODEL_CREATED)


def test_a_test_call_that_fails(client: MlflowClient) -> None:
    with Receiver(Reply(401, b"who?")) as receiver:
        made = client.create_webhook("hook", receiver.url, [MODEL_CREATED])
        result = client.test_webhook(made.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (False, 401, "who?")
    assert result.error_message is None
    gone = client.test_webhook(made.webhook_id)
    assert (gone.success, gone.response_status) == (False, None)
    assert "cannot be reached" in gone.error_message
