"""MLflow's own server and Minleaf's, asked the same of datasets, inputs and outputs."""

from collections.abc import Iterator

import pytest

from tests.compat.differential import Answer, answers
from tests.compat.differential_inputs import CALLS, DIFFERENT, REASONS
from tests.compat.mlflow_server import MlflowServer
from tests.support.server import RunningServer

NAMES = [call.name for call in CALLS]


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Answer]]:
    """What MLflow's server answers."""
    with MlflowServer(tmp_path_factory.mktemp("mlflow")) as running:
        yield answers(running.url, CALLS)


@pytest.fixture(scope="module")
def ours(shared_server: RunningServer) -> dict[str, Answer]:
    """What Minleaf's answers, once on SQLite and once on Postgres."""
    return answers(shared_server.url, CALLS)


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
    assert ours[name].status < 500
    if reason == "wording":
        assert ours[name].status == theirs[name].status
        assert ours[name].body["error_code"] == theirs[name].body["error_code"]
