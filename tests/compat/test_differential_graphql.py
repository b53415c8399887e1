"""The same queries to both servers in GraphQL get the same answers, but for the differences that are argued for."""

from pathlib import Path

import pytest

from tests.compat.differences_graphql import DIFFERENT, REASONS
from tests.compat.differential import Answer
from tests.compat.differential_graphql import CALLS, graphql_answers
from tests.compat.mlflow_server import MlflowServer
from tests.support.server import RunningServer

NAMES = [call.name for call in CALLS]


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer]:
    """What MLflow's server answers."""
    with MlflowServer(tmp_path_factory.mktemp("mlflow")) as running:
        return graphql_answers(running.url)


@pytest.fixture(scope="module")
def ours(shared_server: RunningServer) -> dict[str, Answer]:
    """What Minleaf's answers, once on SQLite and once on Postgres."""
    return graphql_answers(shared_server.url)


def test_the_calls_have_names_of_their_own() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert set(DIFFERENT) <= set(NAMES)
    assert set(DIFFERENT.values()) == set(REASONS)


@pytest.mark.parametrize("name", NAMES)
def test_same_answer_or_a_difference_that_is_argued_for(
    theirs: dict[str, Answer], ours: dict[str, Answer], name: str
) -> None:
    reason = DIFFERENT.get(name)
    if reason is None:
        assert ours[name] == theirs[name]
        return
    assert ours[name] != theirs[name], f"no longer different: take it off the list ({reason})"
    assert ours[name].status < 500 or ours[name].status == 501
    if reason == "wording":
        assert ours[name].status == theirs[name].status
        assert ours[name].body["error_code"] == theirs[name].body["error_code"]


def test_the_compatibility_page_prints_every_difference() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
    unprinted = [name for name, reason in REASONS.items() if reason not in page]
    assert not unprinted
