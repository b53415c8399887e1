"""What MLflow's own tests ask of prompts through `MlflowClient`: names, errors, tags, searches, deleting."""

from collections.abc import Callable, Iterator
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY
from pydantic import BaseModel

from tests.compat.prompts import connected, unique
from tests.support.server import RunningServer

CHAT = [
    {"role": "system", "content": "You are {{style}}."},
    {"role": "user", "content": "{{user.question}}"},
    {"role": "assistant", "content": "It is about {{ topic }}."},
]
SOURCE = "s3://bucket/model"


@pytest.fixture(autouse=True)
def client(shared_server: RunningServer) -> Iterator[MlflowClient]:
    with connected(shared_server.url) as found:
        yield found


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return unique(request.node.name)


def fails(call: Callable[[], object], text: str, code: str | None = None) -> None:
    with pytest.raises(MlflowException, match=text) as caught:
        call()
    assert code is None or caught.value.error_code == code


def store_of(client: MlflowClient) -> Any:
    """What sends the client's calls: it lets through what `MlflowClient` keeps prompts and models apart by."""
    return client._get_registry_client().store  # type: ignore[no-untyped-call]


class Answer(BaseModel):
    """What a prompt is to be answered with."""

    answer: str
    points: list[str]
    extra: dict[str, str] = {}


@pytest.mark.parametrize(
    ("template", "kept", "variables"),
    [
        ("Hi {{name}}, {{ name }}", "Hi {{name}}, {{ name }}", {"name"}),
        (CHAT, CHAT, {"style", "user.question", "topic"}),
        ([], "[]", set()),
        ([{"role": "user", "content": "é 😀 \\u0041 C:\\users\n\t{{x}}"}], None, {"x"}),
        ("{}{title} 100% 'it''s' \"q\" \\n", None, set()),
    ],
)
def test_templates_come_back_as_they_were(
    client: MlflowClient, name: str, template: Any, kept: Any, variables: set[str]
) -> None:
    made = client.register_prompt(name, template, commit_message="why", tags={"a": "b"}, response_format=Answer)
    for found in (made, client.get_prompt_version(name, 1), client.load_prompt(f"prompts:/{name}/1")):
        assert (found.name, found.version, found.commit_message) == (name, 1, "why")
        assert found.template == (template if kept is None else kept)
        assert found.is_text_prompt == isinstance(found.template, str)
        assert found.variables == variables
        assert found.tags == {"a": "b"}
        assert found.response_format == Answer.model_json_schema()
        assert found.aliases == []
        assert found.uri == f"prompts:/{name}/1"


def test_a_jinja_template_is_rendered_as_one(name: str) -> None:
    mlflow.genai.register_prompt(name, "Hello {% if who %}{{ who }}{% else %}Guest{% endif %}")
    loaded = mlflow.genai.load_prompt(name, version=1)
    assert (loaded.format(who="Bo"), loaded.format()) == ("Hello Bo", "Hello Guest")
    mlflow.genai.register_prompt(name, CHAT)
    shown = mlflow.genai.load_prompt(name, version=2).format(**{"style": "s", "user.question": "q", "topic": "t"})
    assert [one["content"] for one in shown] == ["You are s.", "q", "It is about t."]


def test_a_prompt_has_tags_and_each_version_its_own(client: MlflowClient, name: str) -> None:
    client.register_prompt(name, "one", tags={"author": "Ann"})
    client.set_prompt_tag(name, "use", "greeting")
    client.set_prompt_tag(name, "language", "en")
    client.register_prompt(name, "こんにちは、{{name}}", tags={"author": "Bo", "date": "2022-01-01"})
    client.set_prompt_tag(name, "language", "ja")
    assert client.get_prompt_version(name, 1).tags == {"author": "Ann"}
    assert client.get_prompt_version(name, 2).tags == {"author": "Bo", "date": "2022-01-01"}
    assert client.get_prompt_version(name, 2).template == "こんにちは、{{name}}"
    expected = {"author": "Bo", "date": "2022-01-01", "use": "greeting", "language": "ja"}
    # The client adds the experiment of the process when its thread comes to it.
    shown = mlflow.genai.get_prompt_tags(name)
    assert {key: value for key, value in shown.items() if not key.startswith("_mlflow")} == expected
    mlflow.genai.delete_prompt_tag(name, "use")
    assert "use" not in mlflow.genai.get_prompt_tags(name)
    client.set_prompt_version_tag(name, "1", "note", "")
    client.set_prompt_version_tag(name, "1", "author", "Cy")
    assert client.get_prompt_version(name, 1).tags == {"author": "Cy", "note": ""}
    for _ in range(2):
        client.delete_prompt_version_tag(name, "1", "note")
    assert client.get_prompt_version(name, 1).tags == {"author": "Cy"}


def test_a_first_version_that_fails_leaves_no_prompt(client: MlflowClient, name: str) -> None:
    long = "a" * 100_001
    fails(lambda: client.register_prompt(name, long), "Prompt text exceeds max length of", "INVALID_PARAMETER_VALUE")
    fails(lambda: client.load_prompt(name, version=1), f"Prompt with name={name} not found")
    client.register_prompt(name, "fits")
    fails(lambda: client.register_prompt(name, long), "Prompt text exceeds max length of")
    assert client.load_prompt(name, version=1).template == "fits"
    assert client.register_prompt(name, "second").version == 2


@pytest.mark.parametrize("bad", ["", 123])
def test_a_prompt_needs_a_name(client: MlflowClient, bad: Any) -> None:
    fails(lambda: client.register_prompt(bad, "x"), "Prompt name must be a non-empty string")


@pytest.mark.parametrize("bad", ["a/2", "m%6fdel", "what?!?", "with space"])
def test_names_of_prompts_are_plain(client: MlflowClient, bad: str) -> None:
    fails(lambda: client.register_prompt(bad, "x"), "Prompt name can only contain alphanumeric")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("prompts:/{}/1", "Prompt with name={} not found"),
        ("prompts:/{}/2", "Prompt with name={} not found"),
        ("prompts:/{}@staging", "Prompt with name={} not found"),
        ("prompts:/{}@latest", "Prompt with name={} not found"),
    ],
)
def test_loading_a_prompt_that_is_not_there(client: MlflowClient, name: str, place: str, said: str) -> None:
    place = place.format(name)
    assert client.load_prompt(place, allow_missing=True) is None
    assert mlflow.genai.load_prompt(place, allow_missing=True) is None
    fails(lambda: client.load_prompt(place, allow_missing=False), said.format(name))


def test_loading_a_version_or_an_alias_that_is_not_there(client: MlflowClient, name: str) -> None:
    client.register_prompt(name, "x")
    no_version = rf"Prompt \(name={name}, version=999\) not found"
    for place in (f"prompts:/{name}/999", f"prompts:/{name}@nobody"):
        assert client.load_prompt(place, allow_missing=True) is None
    assert client.load_prompt(name, version=999, allow_missing=True) is None
    fails(lambda: client.load_prompt(name, version=999), no_version)
    fails(lambda: client.get_prompt_version(name, 999), no_version, "RESOURCE_DOES_NOT_EXIST")
    fails(lambda: client.load_prompt(f"prompts:/{name}@nobody"), "Prompt alias nobody not found")
    fails(lambda: client.set_prompt_alias(name, "a", 999), "version 999 does not exist")
    client.delete_prompt_alias(name, "nobody")
    assert client.get_prompt("no-one") is None


def test_an_alias_moves_and_goes(client: MlflowClient, name: str) -> None:
    for text in ("one", "two"):
        client.register_prompt(name, text)
    place = f"prompts:/{name}@production"
    for version, text in enumerate(("one", "two"), 1):
        client.set_prompt_alias(name, "production", version)
        found = mlflow.genai.load_prompt(place)
        assert (found.template, found.aliases) == (text, ["production"])
        assert client.get_prompt_version_by_alias(name, "production").version == version
    assert client.get_prompt_version(name, 1).aliases == []
    client.delete_prompt_alias(name, "production")
    fails(lambda: client.load_prompt(place), "Prompt alias production not found")
    assert client.load_prompt(f"prompts:/{name}@latest").template == "two"
    assert mlflow.genai.load_prompt(name).template == "two"


def test_prompts_and_models_share_no_names(client: MlflowClient, name: str) -> None:
    client.create_registered_model(name)
    client.create_model_version(name, SOURCE)
    fails(lambda: client.register_prompt(name, "x"), f"Model '{name}' exists with the same name")
    a_model = f"Name `{name}` is registered as a model"
    fails(lambda: client.load_prompt(name, version=1), a_model)
    fails(lambda: client.load_prompt(name, version=1, allow_missing=False), a_model)
    assert client.get_prompt(name) is None
    other = name + "-2"
    client.register_prompt(other, "x")
    fails(
        lambda: client.create_registered_model(other),
        "Tried to create a registered model with name .+, but the name is already taken by a prompt",
        "RESOURCE_ALREADY_EXISTS",
    )
    # The client turns the word `registered model` of the answer into `prompt`; its store shows what was said.
    fails(
        lambda: store_of(client).create_prompt(name),
        "Tried to create a prompt with name .+, but the name is already taken by a registered model",
        "RESOURCE_ALREADY_EXISTS",
    )
    fails(lambda: client.create_prompt(other), rf"Prompt \(name={other}\) already exists", "RESOURCE_ALREADY_EXISTS")
    for make in (
        lambda: client.create_registered_model(name + "-3", tags={IS_PROMPT_TAG_KEY: "true"}),
        lambda: client.create_model_version(name, SOURCE, tags={IS_PROMPT_TAG_KEY: "false"}),
    ):
        fails(make, "Prompts cannot be registered")


def test_the_calls_for_models_find_no_prompts(client: MlflowClient, name: str) -> None:
    client.register_prompt(name, "x")
    client.set_prompt_alias(name, "alias", 1)
    for call in (
        lambda: client.rename_registered_model(name, "new"),
        lambda: client.update_registered_model(name, "d"),
        lambda: client.delete_registered_model(name),
        lambda: client.get_registered_model(name),
        lambda: client.set_registered_model_tag(name, "k", "v"),
        lambda: client.delete_registered_model_tag(name, "k"),
        lambda: client.update_model_version(name, "1", "d"),
        lambda: client.delete_model_version(name, "1"),
        lambda: client.get_model_version(name, "1"),
        lambda: client.get_model_version_download_uri(name, "1"),
        lambda: client.set_model_version_tag(name, "1", "k", "v"),
        lambda: client.delete_model_version_tag(name, "1", "k"),
        lambda: client.set_registered_model_alias(name, "alias", "1"),
        lambda: client.delete_registered_model_alias(name, "alias"),
        lambda: client.get_model_version_by_alias(name, "alias"),
    ):
        fails(call, f"Registered Model with name='{name}' not found")
    fails(lambda: client.copy_model_version(f"models:/{name}/1", "new"), f"'models:/{name}/1' not found")
    assert client.search_registered_models(f"name = '{name}'") == []
    assert client.search_model_versions(f"name = '{name}'") == []
    found = client.get_prompt_version(name, 1)
    assert (found.template, found.aliases, found.tags) == ("x", ["alias"], {})


def test_searching_prompts(client: MlflowClient, name: str) -> None:
    names = [f"{name}-{word}" for word in ("a", "b", "c", "d", "e")]
    for one in names:
        client.register_prompt(one, "x", commit_message="m", tags={"team": name, "last": one[-1]})
    client.create_registered_model(name, {"team": name})

    def found(filter_string: str, **options: Any) -> list[str]:
        return [one.name for one in client.search_prompts(filter_string, **options)]

    assert found(f"name = '{names[1]}'") == [names[1]]
    assert found(f"name='{name}'") == []
    assert found(f"name LIKE '{name}%'") == names
    assert found(f"name ILIKE '{name.upper()}%'") == names
    assert found(f"tags.team = '{name}' AND tags.last != 'b'") == [names[0], *names[2:]]
    assert found(f"tag.`team` = '{name}' and name LIKE '%-e'") == names[4:]
    assert set(names) <= {one.name for one in client.search_prompts(max_results=1000)}
    first = client.search_prompts(f"tags.team = '{name}'", max_results=2)
    rest = client.search_prompts(f"tags.team = '{name}'", max_results=10, page_token=first.token)
    assert [one.name for one in [*first, *rest]] == names
    assert not rest.token
    # The registry sees a prompt's tags, its user only their own.
    assert {key: value for key, value in first[0].tags.items() if not key.startswith("_mlflow")} == {
        "team": name,
        "last": "a",
    }
    assert found(f"tags.team = '{name}'", order_by=["name DESC"]) == names[::-1]
    fails(lambda: client.search_prompts("template = 'x'"), "Invalid attribute key 'template'")


def test_the_versions_of_a_prompt(client: MlflowClient, name: str) -> None:
    client.create_prompt(name, description="about", tags={"k": "v"})
    for number in (1, 2, 3):
        client.create_prompt_version(name, f"v{number}", description=f"d{number}", tags={"number": str(number)})
    client.set_prompt_alias(name, "old", 1)
    first = client.search_prompt_versions(name, max_results=2)
    rest = client.search_prompt_versions(name, max_results=2, page_token=first.token)
    assert [(one.version, one.template, one.commit_message) for one in [*first, *rest]] == [
        (number, f"v{number}", f"d{number}") for number in (3, 2, 1)
    ]
    assert (rest[0].tags, rest[0].aliases) == ({"number": "1"}, ["old"])
    assert not rest.token
    fails(lambda: client.search_prompt_versions(name + "-2"), "not found")
    client.create_registered_model(name + "-3")
    fails(lambda: client.search_prompt_versions(name + "-3"), "registered as a model, not a prompt")


@pytest.mark.parametrize(
    ("filter_string", "kinds"),
    [
        ("", "model"),
        ("tags.fruit = 'apple'", "model"),
        ("tags.`{p}` = 'false'", "model"),
        ("tags.`{p}` != 'true'", "model"),
        ("tags.`{p}` = 'true'", "prompt"),
        ("tags.`{p}` = 'true' and tags.fruit = 'apple'", "prompt"),
        ("tags.fruit = 'apple' AND tag.`{p}` = 'true'", "prompt"),
        ("tags.`{p}` = 'true' and tags.fruit = 'pear'", ""),
        ("tags.`{p}` = 'false' and tags.`{p}` = 'true'", ""),
    ],
)
def test_a_search_finds_prompts_where_it_says_so(
    client: MlflowClient, name: str, filter_string: str, kinds: str
) -> None:
    client.create_registered_model(f"{name}-model", {"fruit": "apple"})
    client.create_model_version(f"{name}-model", SOURCE, tags={"fruit": "apple"})
    client.register_prompt(f"{name}-prompt", "x", tags={"fruit": "apple"})
    store = store_of(client)
    asked = " and ".join(filter(None, [filter_string.format(p=IS_PROMPT_TAG_KEY), f"name LIKE '{name}-%'"]))
    expected = [f"{name}-{kinds}"] if kinds else []
    assert [one.name for one in store.search_registered_models(asked, 10)] == expected
    assert [one.name for one in store.search_model_versions(asked, 10)] == expected


def test_deleting_versions_keeps_the_prompt(client: MlflowClient, name: str) -> None:
    for number in (1, 2, 3):
        client.register_prompt(name, f"v{number}")
    for version in ("1", "2", "3"):
        client.delete_prompt_version(name, version)
    found = client.get_prompt(name)
    assert found is not None
    assert found.name == name
    fails(lambda: client.get_prompt_version(name, 1), f"Prompt.*name={name}.*version=1.*not found")
    fails(lambda: client.delete_prompt_version(name, "999"), f"Prompt.*name={name}.*version=999.*not found")
    assert client.register_prompt(name, "again").version == 4
    client.delete_prompt(name)
    assert client.get_prompt(name) is None
    fails(lambda: client.delete_prompt(name), f"Prompt with name={name} not found", "RESOURCE_DOES_NOT_EXIST")
