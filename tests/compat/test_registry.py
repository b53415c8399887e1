"""The real `mlflow` client's registry calls against a real server."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from tests.support.server import RunningServer

# MLflow warns that its stages are old; its users have them still.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated since 2.9.0:FutureWarning")

SOURCE = "s3://bucket/model"


@pytest.fixture
def client(shared_server: RunningServer) -> MlflowClient:
    return MlflowClient(shared_server.url)


@pytest.fixture
def name(client: MlflowClient, request: pytest.FixtureRequest) -> str:
    """A registered model of the test's own."""
    made: str = client.create_registered_model(f"{request.node.name} {time.time_ns()}").name
    return made


def now() -> int:
    return time.time_ns() // 1_000_000


def refused(call: Callable[[], object], code: str, text: str) -> None:
    with pytest.raises(MlflowException, match=text) as caught:
        call()
    assert caught.value.error_code == code


def numbers(found: list[ModelVersion]) -> list[int]:
    return [int(one.version) for one in found]


def test_the_life_of_a_registered_model(client: MlflowClient) -> None:
    name = f"life é {time.time_ns()}"
    start = now()
    made = client.create_registered_model(name, {"a key": "v", "n": 5, "empty": ""}, "what it is for")
    assert made.tags == {"a key": "v", "n": "5", "empty": ""}
    assert start <= made.creation_timestamp == made.last_updated_timestamp <= now()
    found = client.get_registered_model(name)
    assert (found.name, found.description, found.latest_versions) == (name, "what it is for", [])
    assert found.tags == made.tags
    refused(lambda: client.create_registered_model(name), "RESOURCE_ALREADY_EXISTS", r"Registered Model \(name=.+ alre")
    before = found.last_updated_timestamp
    time.sleep(0.002)
    client.update_registered_model(name, "better")
    client.rename_registered_model(name, name + " 2")
    renamed = client.get_registered_model(name + " 2")
    assert (renamed.description, renamed.creation_timestamp) == ("better", made.creation_timestamp)
    assert renamed.last_updated_timestamp > before
    missing = "Registered Model with name=.+ not found"
    refused(lambda: client.get_registered_model(name), "RESOURCE_DOES_NOT_EXIST", missing)
    client.delete_registered_model(name + " 2")
    refused(lambda: client.delete_registered_model(name + " 2"), "RESOURCE_DOES_NOT_EXIST", missing)
    assert client.create_registered_model(name + " 2").description == ""


def test_tags_of_a_registered_model(client: MlflowClient, name: str) -> None:
    for value in ("1", "2", ""):
        client.set_registered_model_tag(name, "k", value)
    client.set_registered_model_tag(name, "number", 12345)
    assert client.get_registered_model(name).tags == {"k": "", "number": "12345"}
    for _ in range(2):
        client.delete_registered_model_tag(name, "k")
    assert client.get_registered_model(name).tags == {"number": "12345"}
    refused(
        lambda: client.set_registered_model_tag(name, "k", "x" * 100_001),
        "INVALID_PARAMETER_VALUE",
        "'value' exceeds the maximum length of 100000 characters",
    )
    refused(lambda: client.set_registered_model_tag("no one", "k", "v"), "RESOURCE_DOES_NOT_EXIST", "not found")


def test_versions_are_numbered_and_never_numbered_again(client: MlflowClient, name: str) -> None:
    made = [client.create_model_version(name, SOURCE, "run_1", {"t": str(i)}) for i in range(3)]
    assert numbers(made) == [1, 2, 3]
    assert (made[0].current_stage, made[0].status, made[0].source) == ("None", "READY", SOURCE)
    assert made[0].run_id == "run_1"
    assert client.get_model_version(name, "2").tags == {"t": "1"}
    before = client.get_registered_model(name).last_updated_timestamp
    time.sleep(0.002)
    client.delete_model_version(name, "3")
    assert client.get_registered_model(name).last_updated_timestamp > before
    assert numbers([client.create_model_version(name, SOURCE)]) == [4]
    gone = r"Model Version \(name=.+, version=3\) not found"
    for call in (
        lambda: client.get_model_version(name, "3"),
        lambda: client.delete_model_version(name, "3"),
        lambda: client.update_model_version(name, "3", "d"),
        lambda: client.get_model_version_download_uri(name, "3"),
        lambda: client.transition_model_version_stage(name, "3", "Staging"),
        lambda: client.set_model_version_tag(name, "3", "k", "v"),
        lambda: client.set_registered_model_alias(name, "a", "3"),
    ):
        refused(call, "RESOURCE_DOES_NOT_EXIST", gone)
    refused(
        lambda: client.get_model_version(name, "x y"),
        "INVALID_PARAMETER_VALUE",
        "Parameter 'version' must be an integer, got 'x y'.",
    )
    assert sorted(numbers(client.search_model_versions(f"name = '{name}'"))) == [1, 2, 4]


def test_what_moves_which_time(client: MlflowClient, name: str) -> None:
    def times() -> tuple[int, int]:
        time.sleep(0.002)
        model, version = client.get_registered_model(name), client.get_model_version(name, "1")
        return model.last_updated_timestamp, version.last_updated_timestamp

    client.create_model_version(name, SOURCE)
    first = times()
    assert client.update_model_version(name, "1", "described").description == "described"
    second = times()
    assert (second[0], second[1] > first[1]) == (first[0], True)
    client.transition_model_version_stage(name, "1", "Production")
    third = times()
    assert third[0] == third[1] > second[1]
    client.set_model_version_tag(name, "1", "k", "v")
    client.set_registered_model_tag(name, "k", "v")
    client.set_registered_model_alias(name, "a", "1")
    assert times() == third
    client.create_model_version(name, SOURCE)
    assert times()[0] > third[0]


def test_stages_and_the_latest_version_of_each(client: MlflowClient, name: str) -> None:
    stages = ("Archived", "Production", "Archived", "production", "STAGING", "Staging", "None")
    for number, stage in enumerate(stages, 1):
        client.create_model_version(name, SOURCE)
        moved = client.transition_model_version_stage(name, str(number), stage)
        assert moved.current_stage == stage.capitalize()

    def latest(wanted: list[str] | None) -> dict[str, str]:
        return {one.current_stage: one.version for one in client.get_latest_versions(name, wanted)}

    everything = {"Archived": "3", "Production": "4", "Staging": "6", "None": "7"}
    assert latest(None) == latest([]) == everything
    assert latest(["none", "Staging"]) == {"None": "7", "Staging": "6"}
    of_model = {one.current_stage: one.version for one in client.get_registered_model(name).latest_versions}
    assert of_model == everything
    client.transition_model_version_stage(name, "7", "Production", archive_existing_versions=True)
    archived = {
        one.version for one in client.search_model_versions(f"name='{name}'") if one.current_stage == "Archived"
    }
    assert archived == {"1", "2", "3", "4"}
    bogus = "Invalid Model Version stage: bogus. Value must be one of None, Staging, Production, Archived."
    refused(lambda: client.transition_model_version_stage(name, "1", "bogus"), "INVALID_PARAMETER_VALUE", bogus)
    refused(lambda: client.get_latest_versions(name, ["bogus"]), "INVALID_PARAMETER_VALUE", bogus)
    with pytest.raises(MlflowException, match="'Archived' is not an Active stage"):
        client.transition_model_version_stage(name, "1", "Archived", archive_existing_versions=True)


def test_tags_of_a_version(client: MlflowClient, name: str) -> None:
    client.create_model_version(name, SOURCE)
    client.set_model_version_tag(name, "1", "k", "v")
    client.set_model_version_tag(name, "1", "empty", "")
    assert client.get_model_version(name, "1").tags == {"k": "v", "empty": ""}
    client.delete_model_version_tag(name, "1", "k")
    client.delete_model_version_tag(name, "1", "never")
    assert client.get_model_version(name, "1").tags == {"empty": ""}


def test_aliases(client: MlflowClient, name: str) -> None:
    for _ in range(2):
        client.create_model_version(name, SOURCE)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "Other-1", "1")
    assert client.get_registered_model(name).aliases == {"Other-1": "1", "champion": "1"}
    assert sorted(client.get_model_version(name, "1").aliases) == ["Other-1", "champion"]
    assert client.get_model_version_by_alias(name, "champion") == client.get_model_version(name, "1")
    client.set_registered_model_alias(name, "champion", "2")
    assert client.get_model_version_by_alias(name, "champion").version == "2"
    client.delete_model_version(name, "2")
    lost = "Registered model alias champion not found."
    refused(lambda: client.get_model_version_by_alias(name, "champion"), "INVALID_PARAMETER_VALUE", lost)
    for _ in range(2):
        client.delete_registered_model_alias(name, "Other-1")
    assert client.get_registered_model(name).aliases == {}
    for alias, text in {
        "latest": "'latest' alias name",
        "LATEST": "'latest' alias name",
        "v12": "Version alias name 'v12' is reserved",
        "a b": "Invalid alias name: 'a b'",
        "a" * 256: "exceeds the maximum length of 255 characters",
    }.items():
        refused(
            lambda alias=alias: client.set_registered_model_alias(name, alias, "1"),  # type: ignore[misc]
            "INVALID_PARAMETER_VALUE",
            text,
        )


def test_renaming_takes_everything_along(client: MlflowClient, name: str) -> None:
    client.create_model_version(name, SOURCE, tags={"t": "1"})
    client.set_registered_model_alias(name, "a", "1")
    client.set_registered_model_tag(name, "k", "v")
    new = name + " renamed"
    client.rename_registered_model(name, new)
    found = client.get_registered_model(new)
    assert found.latest_versions[0].name == new
    assert (found.tags, found.aliases) == ({"k": "v"}, {"a": "1"})
    assert client.get_model_version_by_alias(new, "a").tags == {"t": "1"}
    assert client.search_model_versions(f"name = '{name}'") == []
    other = client.create_registered_model(name).name
    refused(
        lambda: client.rename_registered_model(new, other),
        "RESOURCE_ALREADY_EXISTS",
        r"Registered Model \(name=.+\) already exists",
    )
    client.delete_registered_model(new)
    refused(lambda: client.get_model_version(new, "1"), "RESOURCE_DOES_NOT_EXIST", "not found")


def test_a_version_copied_from_another(client: MlflowClient, name: str) -> None:
    client.create_model_version(name, "runs:/run_id/model", "run_id_1", description="d", tags={"hello": "world"})
    client.set_registered_model_alias(name, "a", "1")
    copied = client.copy_model_version(f"models:/{name}@a", name + " copy")
    assert (copied.version, copied.source, copied.run_id) == ("1", f"models:/{name}/1", "run_id_1")
    assert (copied.description, copied.tags) == ("d", {"hello": "world"})
    assert client.get_model_version_download_uri(name + " copy", "1") == "runs:/run_id/model"


def test_searching_registered_models_page_by_page(client: MlflowClient) -> None:
    prefix = f"page{time.time_ns()}"
    made = [client.create_registered_model(f"{prefix}-RM{i:03}").name for i in range(12)]

    def found(text: str, **more: object) -> list[str]:
        names: list[str] = []
        token = None
        while True:
            page = client.search_registered_models(text, page_token=token, **more)
            names += [one.name for one in page]
            token = page.token
            if not token:
                return names

    like = f"name LIKE '{prefix}%'"
    for size in (1, 5, 12, 100):
        assert found(like, max_results=size) == made
    assert found(like, max_results=5, order_by=["name DESC"]) == made[::-1]
    for order in ("timestamp DESC", "last_updated_timestamp  desc"):
        assert found(like, max_results=5, order_by=[order]) == made[::-1]
    assert found(f"name ILIKE '{prefix.upper()}-rm01%'") == made[10:]
    assert found(f"name LIKE '{prefix}-rm%'") == []
    assert found(f"name = '{made[3]}'") == [made[3]]
    assert found(f"{like} and name != '{made[3]}'") == made[:3] + made[4:]
    assert found(f"name IN ('{made[1]}', '{made[2]}')") == made[1:3]
    client.set_registered_model_tag(made[4], "t 1", "abc")
    client.set_registered_model_tag(made[5], "t 1", "aBc")
    assert found(f"{like} AND tags.`t 1` ILIKE 'AB%'") == made[4:6]
    assert found(f"{like} AND tag.`t 1` = 'abc' AND tag.`t 1` != 'x'") == [made[4]]
    assert found(f"{like} AND tags.`t 1` != 'abc'") == [made[5]]


def test_searching_versions(client: MlflowClient) -> None:
    prefix = f"mv{time.time_ns()}"
    names = [client.create_registered_model(f"{prefix}-{i}").name for i in range(3)]
    made = []
    for name in [*names, names[0]]:
        time.sleep(0.002)
        made.append(client.create_model_version(name, f"s3://b/{name}", f"run-{name}", {"t": name[-1]}))
    like = f"name LIKE '{prefix}%'"
    expected = [(one.name, one.version) for one in reversed(made)]

    def found(text: str, **more: object) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        token = None
        while True:
            page = client.search_model_versions(text, page_token=token, **more)
            pairs += [(one.name, one.version) for one in page]
            token = page.token
            if not token:
                return pairs

    for size in (1, 3, 4, 1000):
        assert found(like, max_results=size) == expected
    assert found(like, order_by=["name DESC"], max_results=2) == sorted(
        expected, key=lambda pair: (pair[0], pair[1]), reverse=True
    )
    assert found(like, order_by=["version_number"], max_results=2)[-1] == (names[0], "2")
    assert found(like, order_by=["creation_timestamp ASC"], max_results=3) == expected[::-1]
    assert found(f"{like} AND version_number > 1") == [(names[0], "2")]
    assert found(f"run_id IN ('run-{names[1]}', 'run-{names[2]}')") == expected[1:3]
    assert found(f"run_id = 'run-{names[1]}'") == [(names[1], "1")]
    assert found(f"source_path = 's3://b/{names[2]}'") == [(names[2], "1")]
    assert found(f"{like} AND tags.t = '0' AND tags.t LIKE '%'") == [(names[0], "2"), (names[0], "1")]
    before = client.get_model_version(names[1], "1").last_updated_timestamp
    client.update_model_version(names[1], "1", "touched")
    assert client.get_model_version(names[1], "1").last_updated_timestamp > before
    assert found(like, max_results=2)[0] == (names[1], "1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run_id IN (1,2,3)", "expected string value, punctuation, or whitespace, but got different type in list"),
        ("run_id IN ()", "expected a non-empty list of string values, but got empty list"),
        ("run_id IN (", r"Invalid clause\(s\) in filter string"),
        ("run_id IN", r"Invalid clause\(s\) in filter string"),
        ("name LIKE", r"Invalid clause\(s\) in filter string"),
        ("run_id IN (,)", "expected a non-empty list of string values, but got ill-formed list"),
        ("run_id IN ('runid1',,'runid2')", "expected a non-empty list of string values, but got ill-formed list"),
        ("evilhax = true", r"Invalid clause\(s\) in filter string"),
        ("evilhax = 'true'", "Invalid attribute key 'evilhax' specified"),
        (
            "name!=something",
            "Parameter value is either not quoted or unidentified quote types used for string value so",
        ),
        ("params.x = 'y'", "Invalid entity type 'params'"),
        ("name > 'a'", "Invalid comparator for attribute: >"),
        ("tags.a >= 'b'", "Invalid comparator for tag: >="),
        ("version_number = 'x'", "Invalid value for numeric attribute 'version_number': 'x'"),
    ],
)
def test_filters_that_are_refused(client: MlflowClient, text: str, message: str) -> None:
    refused(lambda: client.search_model_versions(text), "INVALID_PARAMETER_VALUE", message)


def test_other_searches_that_are_refused(client: MlflowClient) -> None:
    code = "INVALID_PARAMETER_VALUE"
    for search in (client.search_registered_models, client.search_model_versions):
        refused(lambda s=search: s(page_token="evilhax"), code, "Invalid page token, could not base64-decode")  # type: ignore[misc]
        refused(lambda s=search: s(order_by=["name ASC blah"]), code, "Invalid order_by clause 'name ASC blah'")  # type: ignore[misc]
        refused(lambda s=search: s(order_by=["name", "name DESC"]), code, "`order_by` contains duplicate fields")  # type: ignore[misc]
        refused(lambda s=search: s(max_results=10**6), code, "Invalid value 1000000 for parameter 'max_results'")  # type: ignore[misc]
    refused(lambda: client.search_registered_models("run_id='x'"), code, "Invalid attribute key 'run_id' specified.")
    key = "Invalid order by key 'creation_timestamp' specified"
    refused(lambda: client.search_registered_models(order_by=["name", "creation_timestamp DESC"]), code, key)
    key = "Invalid attribute key 'run_id' specified"
    refused(lambda: client.search_model_versions(order_by=["name ASC", "run_id DESC"]), code, key)
    refused(lambda: client.search_model_versions(max_results=0), code, "Invalid value for max_results.")


def test_a_page_goes_on_where_it_ended_though_others_write(client: MlflowClient) -> None:
    prefix = f"moving{time.time_ns()}"
    made = [client.create_registered_model(f"{prefix}-{i}").name for i in range(6)]
    page = client.search_registered_models(f"name LIKE '{prefix}%'", max_results=2)
    client.create_registered_model(f"{prefix}-0a")
    client.delete_registered_model(made[1])
    rest = client.search_registered_models(f"name LIKE '{prefix}%'", max_results=100, page_token=page.token)
    names = [one.name for one in rest]
    assert names == made[2:]
    assert all(one < other for one, other in pairwise(names))
