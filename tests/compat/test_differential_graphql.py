"""The same queries to both servers in GraphQL get the same answers, but for the differences that are argued for."""

import pytest

from tests.compat.differences_graphql import DIFFERENT, REASONS
from tests.compat.differential import Answer
from tests.compat.differential_graphql import CALLS, graphql_answers
from tests.compat.mlflow_server import MlflowServer
from tests.compat.side_by_side import check, check_lists, unprinted
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
    check_lists(NAMES, DIFFERENT, REASONS)


@pytest.mark.parametrize("name", NAMES)
def test_same_answer_or_a_difference_that_is_argued_for(
    theirs: dict[str, Answer], ours: dict[str, Answer], name: str
) -> None:
    check(ours[name], theirs[name], DIFFERENT.get(name))


def test_the_compatibility_page_prints_every_difference() -> None:
    assert unprinted(REASONS) == []
