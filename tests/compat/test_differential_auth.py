"""Both servers with a login, asked the same by users of every kind, and what MLflow 3.6 answered about permissions."""

import json

import pytest

from tests.compat.differences_auth import DIFFERENT, PERMISSIONS_DIFFERENT, REASONS
from tests.compat.differential import Answer
from tests.compat.differential_auth import CALLS, OPTIONS, RECORDED, auth_answers, config, permissions, theirs
from tests.compat.side_by_side import check, unprinted
from tests.conftest import BACKENDS, fresh_database
from tests.support.server import RunningServer

NAMES = [by.call.name for by in CALLS]
OF_PERMISSIONS = [by.call.name for by in permissions()]
Asked = dict[str, dict[str, Answer]]


@pytest.fixture(scope="session")
def mlflows(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What MLflow's servers answer: 3.17 now, 3.6 when it was recorded."""
    kept = {name: Answer(status, body) for name, (status, body) in json.loads(RECORDED.read_text()).items()}
    with theirs(tmp_path_factory.mktemp("mlflow")) as running:
        return {"calls": auth_answers(running.url), "permissions": kept}


@pytest.fixture(scope="module", params=BACKENDS)
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """What Minleaf's answers, once on SQLite and once on Postgres; each story to an empty server."""
    found: Asked = {}
    for name, calls in (("calls", CALLS), ("permissions", permissions())):
        folder = tmp_path_factory.mktemp("server")
        options = (*OPTIONS, "--auth-config-path", config(folder))
        with (
            fresh_database(request.param, folder, request) as uri,
            RunningServer(uri, folder, *options) as running,
        ):
            found[name] = auth_answers(running.url, calls)
    return found


def test_the_calls_have_names_of_their_own() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert len(set(OF_PERMISSIONS)) == len(OF_PERMISSIONS)
    assert set(DIFFERENT) <= set(NAMES)
    assert set(PERMISSIONS_DIFFERENT) <= set(OF_PERMISSIONS)
    assert {*DIFFERENT.values(), *PERMISSIONS_DIFFERENT.values()} == set(REASONS)


@pytest.mark.parametrize("name", NAMES)
def test_same_answer_or_a_difference_that_is_argued_for(mlflows: Asked, ours: Asked, name: str) -> None:
    check(ours["calls"][name], mlflows["calls"][name], DIFFERENT.get(name))


@pytest.mark.parametrize("name", OF_PERMISSIONS)
def test_permissions_as_in_mlflow_3_6(mlflows: Asked, ours: Asked, name: str) -> None:
    check(ours["permissions"][name], mlflows["permissions"][name], PERMISSIONS_DIFFERENT.get(name))


def test_the_compatibility_page_prints_every_difference() -> None:
    assert unprinted(REASONS) == []
