"""Prompts and what they are linked to: runs, models, experiments, spans; and what the client remembers of them."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.compat.prompts import connected, unique, wait_for_links
from tests.support.server import RunningServer

EXPERIMENTS_TAG = "_mlflow_experiment_ids"
LINKED_TAG = "mlflow.linkedPrompts"


@pytest.fixture(autouse=True)
def client(shared_server: RunningServer) -> Iterator[MlflowClient]:
    with connected(shared_server.url) as found:
        yield found
        mlflow.clear_active_model()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A registered prompt of the test's own, with one version."""
    made = unique(request.node.name)
    mlflow.genai.register_prompt(made, "Hi {{name}}")
    return made


def linked(tags: dict[str, str]) -> list[tuple[str, str]]:
    """The prompts and versions that a run or model names."""
    return [(one["name"], one["version"]) for one in json.loads(tags.get(LINKED_TAG, "[]"))]


def new_model(client: MlflowClient) -> str:
    """The id of a new logged model."""
    made: str = client.create_logged_model(experiment_id="0").model_id
    return made


def test_loading_in_a_run_links_to_it(client: MlflowClient, name: str) -> None:
    mlflow.genai.register_prompt(name, [{"role": "user", "content": "x"}])
    with mlflow.start_run() as run, ThreadPoolExecutor(4) as pool:
        mlflow.genai.load_prompt(name, version=2)
        list(pool.map(lambda _: mlflow.genai.load_prompt(name, version=1), range(10)))
    wait_for_links()
    assert sorted(linked(client.get_run(run.info.run_id).data.tags)) == [(name, "1"), (name, "2")]


def test_a_run_is_linked_by_hand(client: MlflowClient, name: str) -> None:
    made = client.register_prompt(name, "second", response_format={"type": "string"})
    run_id = client.create_run("0").info.run_id
    assert linked(client.get_run(run_id).data.tags) == []
    for prompt in (f"prompts:/{name}/1", made, made):
        client.link_prompt_version_to_run(run_id, prompt)
    assert linked(client.get_run(run_id).data.tags) == [(name, "1"), (name, "2")]
    with pytest.raises(MlflowException, match="The `prompt` argument must be"):
        client.link_prompt_version_to_run(run_id, 123)
    with pytest.raises(MlflowException, match="not found"):
        client.link_prompt_version_to_run("0" * 32, made)


def test_loading_links_to_the_model_that_is_named(client: MlflowClient, name: str) -> None:
    active, named = new_model(client), new_model(client)
    mlflow.set_active_model(model_id=active)
    found = mlflow.genai.load_prompt(name, version=1, link_to_model=True, model_id=named)
    wait_for_links()
    assert found.template == "Hi {{name}}"
    assert linked(client.get_logged_model(named).tags) == [(name, "1")]
    assert linked(client.get_logged_model(active).tags) == []


def test_loading_links_to_the_active_model_unless_told_not_to(client: MlflowClient, name: str) -> None:
    model_id = new_model(client)
    with mlflow.start_run():
        mlflow.set_active_model(model_id=model_id)
        mlflow.genai.load_prompt(name, version=1, link_to_model=False)
        wait_for_links()
        assert LINKED_TAG not in client.get_logged_model(model_id).tags
        mlflow.genai.load_prompt(name, version=1, link_to_model=True)
        wait_for_links()
    assert linked(client.get_logged_model(model_id).tags) == [(name, "1")]
    client.link_prompt_version_to_model(name, "1", model_id)
    assert linked(client.get_logged_model(model_id).tags) == [(name, "1")]


def test_a_prompt_loads_where_it_cannot_be_linked(name: str) -> None:
    found = mlflow.genai.load_prompt(name, version=1, link_to_model=True, model_id="m-nobody")
    wait_for_links()
    assert found.template == "Hi {{name}}"


def test_a_prompt_is_found_by_the_experiments_that_use_it(client: MlflowClient, name: str) -> None:
    first, second, empty = (client.create_experiment(unique(name)) for _ in range(3))
    shared = name + "-shared"
    mlflow.set_experiment(experiment_id=first)
    mlflow.genai.register_prompt(shared, "x")
    wait_for_links()
    mlflow.set_experiment(experiment_id=second)
    for _ in range(2):
        mlflow.genai.load_prompt(shared, version=1)
        wait_for_links()
    mlflow.genai.register_prompt(name, "second")
    wait_for_links()
    assert client.get_prompt(shared).tags[EXPERIMENTS_TAG] == f",{first},{second},"

    def found(filter_string: str) -> set[str]:
        return {one.name for one in client.search_prompts(filter_string)}

    assert found(f'experiment_id = "{first}"') == {shared}
    assert found(f'experiment_id = "{second}"') == {shared, name}
    assert found(f"experiment_id = '{empty}'") == set()
    assert found(f'experiment_id = "{second}" AND name = "{shared}"') == {shared}
    assert found(f'name LIKE "%-shared" AND experiment_id = "{second}"') == {shared}


@pytest.mark.filterwarnings("ignore")
def test_spans_name_the_prompts_that_were_loaded_in_them(name: str) -> None:
    mlflow.genai.register_prompt(name, "second")
    with mlflow.start_span("outer") as outer:
        for version in (1, 1, 2):
            assert mlflow.genai.load_prompt(name, version=version).version == version
        with mlflow.start_span("inner") as inner:
            mlflow.genai.load_prompt(name, version=1)
    shown = [json.loads(span.attributes["mlflow.linkedPrompts"]) for span in (outer, inner)]
    assert shown == [[{"name": name, "version": "1"}, {"name": name, "version": "2"}], [{"name": name, "version": "1"}]]


def test_what_the_client_remembers_is_dropped_when_it_changes(name: str) -> None:
    def loaded(place: str) -> str:
        text: str = mlflow.genai.load_prompt(place, link_to_model=False).template
        return text

    mlflow.genai.set_prompt_alias(name, "production", 1)
    for place in (f"prompts:/{name}/1", f"prompts:/{name}@production", f"prompts:/{name}@latest"):
        assert loaded(place) == "Hi {{name}}"
    mlflow.genai.register_prompt(name, "second")
    assert loaded(f"prompts:/{name}@latest") == "second"
    assert loaded(f"prompts:/{name}@production") == "Hi {{name}}"
    mlflow.genai.set_prompt_alias(name, "production", 2)
    assert loaded(f"prompts:/{name}@production") == "second"
    mlflow.genai.set_prompt_version_tag(name, 1, "env", "prod")
    assert mlflow.genai.load_prompt(name, version=1).tags == {"env": "prod"}


def test_a_prompt_that_was_missing_is_not_remembered_as_such(name: str) -> None:
    other = name + "-2"
    assert mlflow.genai.load_prompt(other, version=1, allow_missing=True) is None
    mlflow.genai.register_prompt(other, "now")
    for seconds in (60, 0):
        found = mlflow.genai.load_prompt(other, version=1, allow_missing=True, cache_ttl_seconds=seconds)
        assert found.template == "now"


def test_the_calls_without_genai_warn_and_work(name: str) -> None:
    with pytest.warns(FutureWarning, match="The `mlflow.register_prompt` API is"):
        assert mlflow.register_prompt(name, "second").version == 2
    with pytest.warns(FutureWarning, match="The `mlflow.search_prompts` API is"):
        assert [one.name for one in mlflow.search_prompts(f"name = '{name}'")] == [name]
    with pytest.warns(FutureWarning, match="The `mlflow.set_prompt_alias` API is"):
        mlflow.set_prompt_alias(name, "a", 1)
    with pytest.warns(FutureWarning, match="The `mlflow.load_prompt` API is"):
        assert mlflow.load_prompt(f"prompts:/{name}@a").version == 1
    with pytest.warns(FutureWarning, match="The `mlflow.delete_prompt_alias` API is"):
        mlflow.delete_prompt_alias(name, "a")
