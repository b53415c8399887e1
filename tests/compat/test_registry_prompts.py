"""MLflow's prompts, which live in the registry: the real client against a real server."""

from collections.abc import Iterator

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.compat.prompts import connected, unique, wait_for_links
from tests.support.server import RunningServer


@pytest.fixture(autouse=True)
def client(shared_server: RunningServer) -> Iterator[MlflowClient]:
    with connected(shared_server.url) as found:
        yield found


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return unique(request.node.name)


def test_registering_and_loading(name: str) -> None:
    first = mlflow.genai.register_prompt(name, "Hi {{name}}", commit_message="first", tags={"author": "Bo"})
    assert (first.version, first.template, first.commit_message) == (1, "Hi {{name}}", "first")
    second = mlflow.genai.register_prompt(name, [{"role": "user", "content": "Hello {{name}}"}])
    assert second.version == 2
    loaded = mlflow.genai.load_prompt(name, version=1)
    assert (loaded.template, loaded.tags["author"], loaded.commit_message) == ("Hi {{name}}", "Bo", "first")
    assert loaded.format(name="Al") == "Hi Al"
    assert mlflow.genai.load_prompt(f"prompts:/{name}/2").template == [{"role": "user", "content": "Hello {{name}}"}]
    assert mlflow.genai.load_prompt(f"prompts:/{name}@latest").version == 2
    with pytest.raises(MlflowException, match=r"Prompt \(name=.+, version=3\) not found"):
        mlflow.genai.load_prompt(name, version=3)
    assert mlflow.genai.load_prompt(name, version=3, allow_missing=True) is None
    assert mlflow.genai.load_prompt("never-made", version=1, allow_missing=True) is None


def test_prompts_and_models_are_apart(client: MlflowClient, name: str) -> None:
    model = client.create_registered_model(f"{name}-model").name
    client.create_model_version(model, "s3://b/m")
    mlflow.genai.register_prompt(name, "x")
    assert name not in [one.name for one in client.search_registered_models()]
    assert client.search_model_versions(f"name = '{name}'") == []
    assert [one.name for one in client.search_registered_models(f"name LIKE '{name}%'")] == [model]
    assert [one.name for one in mlflow.genai.search_prompts(f"name LIKE '{name}%'")] == [name]
    both = f"name LIKE '{name}%' AND tags.`mlflow.prompt.is_prompt`"
    for text, wanted in {"= 'true'": name, "!= 'false'": name, "= 'false'": model, "!= 'true'": model}.items():
        assert [one.name for one in client.search_registered_models(f"{both} {text}")] == [wanted]
        assert [one.name for one in client.search_model_versions(f"{both} {text}")] == [wanted]
    taken = f"Tried to create a registered model with name '{name}', but the name is already taken by a prompt"
    with pytest.raises(MlflowException, match=taken):
        client.create_registered_model(name)
    with pytest.raises(MlflowException, match="exists with the same name"):
        mlflow.genai.register_prompt(model, "x")


def test_aliases(name: str) -> None:
    for text in ("one", "two"):
        mlflow.genai.register_prompt(name, text)
    mlflow.genai.set_prompt_alias(name, "production", 1)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@production").template == "one"
    mlflow.genai.set_prompt_alias(name, "staging", 2)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@staging").aliases == ["staging"]
    mlflow.genai.delete_prompt_alias(name, "staging")
    with pytest.raises(MlflowException, match=r"Prompt (alias )?staging|Prompt alias staging not found"):
        mlflow.genai.load_prompt(f"prompts:/{name}@staging")
    with pytest.raises(MlflowException, match="'latest' alias name"):
        mlflow.genai.set_prompt_alias(name, "latest", 1)


def test_tags(client: MlflowClient, name: str) -> None:
    mlflow.genai.register_prompt(name, "x", tags={"a": "1"})
    client.set_prompt_tag(name, "b", "2")
    client.set_prompt_version_tag(name, "1", "c", "3")
    found = client.get_prompt(name)
    assert found is not None
    assert found.tags.items() >= {"a": "1", "b": "2"}.items()
    assert client.get_prompt_version(name, "1").tags.items() >= {"a": "1", "c": "3"}.items()
    client.delete_prompt_tag(name, "b")
    client.delete_prompt_version_tag(name, "1", "c")
    assert "b" not in client.get_prompt(name).tags
    assert "c" not in client.get_prompt_version(name, "1").tags


def test_searching_by_tag_and_experiment(client: MlflowClient, name: str) -> None:
    mlflow.genai.register_prompt(name, "x", tags={"team": name})
    assert [one.name for one in client.search_prompts(f"tags.team = '{name}'")] == [name]
    wait_for_links()
    assert client.get_prompt(name).tags["_mlflow_experiment_ids"] == ",0,"
    client.set_prompt_tag(name, "_mlflow_experiment_ids", ",77,")
    assert [one.name for one in client.search_prompts(f"experiment_id = \"77\" AND name = '{name}'")] == [name]
    assert client.search_prompts(f"experiment_id = \"7\" AND name = '{name}'") == []


def test_deleting(client: MlflowClient, name: str) -> None:
    for text in ("one", "two"):
        mlflow.genai.register_prompt(name, text)
    client.delete_prompt_version(name, "1")
    assert mlflow.genai.load_prompt(name, version=1, allow_missing=True) is None
    client.delete_prompt_version(name, "2")
    client.delete_prompt(name)
    assert client.get_prompt(name) is None
    assert mlflow.genai.register_prompt(name, "again").version == 1


def test_long_texts(client: MlflowClient, name: str) -> None:
    text = "é" * 100_000
    assert mlflow.genai.register_prompt(name, text).template == text
    assert mlflow.genai.load_prompt(name, version=1).template == text
    other = f"{name}-long"
    with pytest.raises(MlflowException, match="Prompt text exceeds max length of 100000 characters"):
        mlflow.genai.register_prompt(other, "é" * 100_001)
    # The client takes back a prompt whose first version failed.
    assert client.get_prompt(other) is None


def test_a_model_config_and_a_response_format(client: MlflowClient, name: str) -> None:
    shape = {"type": "object", "properties": {"answer": {"type": "string"}}}
    mlflow.genai.register_prompt(
        name, "Q {{q}}", response_format=shape, model_config={"model_name": "m", "temperature": 0.5}
    )
    loaded = mlflow.genai.load_prompt(name, version=1)
    assert loaded.response_format == shape
    assert loaded.model_config.items() >= {"model_name": "m", "temperature": 0.5}.items()
    mlflow.genai.set_prompt_model_config(name, 1, {"model_name": "n"})
    assert client.get_prompt_version(name, "1").model_config["model_name"] == "n"
    mlflow.genai.delete_prompt_model_config(name, 1)
    assert client.get_prompt_version(name, "1").model_config is None


def test_linking_to_a_run(client: MlflowClient, name: str) -> None:
    mlflow.genai.register_prompt(name, "x")
    run_id = client.create_run("0").info.run_id
    client.link_prompt_version_to_run(run_id, f"prompts:/{name}/1")
    assert name in client.get_run(run_id).data.tags["mlflow.linkedPrompts"]
