"""MLflow's own server and Minleaf's, asked the same of webhooks, and what both tell a receiver."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.compat import webhook_story
from tests.compat.differential import Answer, answers
from tests.compat.differential_webhooks import DIFFERENT, REASONS, calls, normal
from tests.compat.mlflow_server import MlflowServer
from tests.compat.side_by_side import check, check_lists, unprinted
from tests.conftest import BACKENDS, fresh_database
from tests.support.server import RunningServer
from tests.webhooks.conftest import KEY
from tests.webhooks.receiver import Receiver

NAMES = [call.name for call in calls("")]


@dataclass(frozen=True)
class Heard:
    """What a server answered, and what it told a receiver of the registry."""

    answers: dict[str, Answer]
    told: list[Any]


def heard(url: str, receiver: Receiver) -> Heard:
    """Ask the server everything, and listen to what it tells."""
    found = {name: normal(answer) for name, answer in answers(url, calls(receiver.url)).items()}
    with Receiver() as listener:
        webhook_story.tell(url, listener.url)
        listener.wait_for(webhook_story.DELIVERIES)
    told = listener.received
    assert all(call.is_signed_with(webhook_story.SECRET) for call in told)
    bodies = [{key: value for key, value in call.json().items() if key != "timestamp"} for call in told]
    return Heard(found, sorted(bodies, key=json.dumps))


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="session")
def theirs(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """Of MLflow's server. It may call private addresses: it looks every name up, and there is no resolver."""
    variables = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": KEY,
        "MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    }
    with MlflowServer(tmp_path_factory.mktemp("mlflow"), **variables) as running:
        return heard(running.url, receiver)


@pytest.fixture(scope="module", params=BACKENDS)
def ours(request: pytest.FixtureRequest, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    """Of Minleaf's, once on SQLite and once on Postgres."""
    folder = tmp_path_factory.mktemp("server")
    options = ("--webhook-schemes", "http,https", "--webhook-secret-key", KEY)
    with fresh_database(request.param, folder, request) as uri, RunningServer(uri, folder, *options) as running:
        return heard(running.url, receiver)


def test_the_calls_have_names_of_their_own() -> None:
    check_lists(NAMES, DIFFERENT, REASONS)


@pytest.mark.parametrize("name", NAMES)
def test_same_answer_or_a_difference_that_is_argued_for(theirs: Heard, ours: Heard, name: str) -> None:
    check(ours.answers[name], theirs.answers[name], DIFFERENT.get(name))


def test_receivers_are_told_the_same(theirs: Heard, ours: Heard) -> None:
    assert ours.told == theirs.told
    assert len(ours.told) == webhook_story.DELIVERIES


def test_the_compatibility_page_prints_every_difference() -> None:
    assert unprinted(REASONS) == []
