"""Use cases of the registry on both databases: what is stored, what is told to webhooks, what it costs."""

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from minleaf_server.db.read.registry_search import Readable
from minleaf_server.db.store import Store
from minleaf_server.entities.registry import ModelVersion, RegisteredModel, Stage
from minleaf_server.errors import AlreadyExists, InvalidParameter, NotFound
from minleaf_server.tracking import model_versions, registered_models, registry_search
from minleaf_server.tracking.model_versions import VersionRequest
from minleaf_server.tracking.registry_search import RegistryQuery
from minleaf_server.tracking.services import Services
from tests.conftest import fresh_database
from tests.support.services import services_over

SOURCE = "s3://bucket/model"
PROMPT = ("mlflow.prompt.is_prompt", "true")


@pytest.fixture
def services(store: Store) -> Services:
    return services_over(store)


async def version(services: Services, name: str, **more: Any) -> ModelVersion:
    return await model_versions.create(services, VersionRequest(name, SOURCE, **more))


async def names(services: Services, text: str = "", **more: Any) -> list[str]:
    page = await registry_search.models(services.store, RegistryQuery(text, **more))
    return [one.name for one in page.items]


@contextmanager
def statements() -> Generator[list[str]]:
    """Every statement that is sent to a database inside the block."""
    sent: list[str] = []

    def before(_conn: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "PRAGMA")):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", before)
    yield sent
    event.remove(Engine, "before_cursor_execute", before)


@pytest.fixture
def fired(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """What webhooks were told, in order."""
    told: list[tuple[str, str, dict[str, Any]]] = []

    async def fire(_services: Services, entity: str, action: str, payload: dict[str, Any]) -> None:
        told.append((entity, action, payload))

    for module in (registered_models, model_versions):
        monkeypatch.setattr(module, "fire", fire)
    return told


async def test_a_model_with_everything(services: Services) -> None:
    made = await registered_models.create(services, "m", [("b", "1"), ("a", ""), ("b", "2")], "d")
    assert made == await registered_models.get(services.store, "m")
    assert isinstance(made, RegisteredModel)
    assert made.tags == {"a": "", "b": "2"}
    first = await version(services, "m", run_id="r", run_link="l", description="x", tags=[("t", "1")])
    second = await version(services, "m")
    assert (first.version, second.version, second.run_id, second.description) == (1, 2, "", "")
    await registered_models.set_alias(services, "m", "a", 1)
    found = await registered_models.get(services.store, "m")
    assert (found.aliases, found.latest) == ({"a": 1}, (second,))
    with_alias = await model_versions.get(services.store, "m", 1)
    assert (with_alias.aliases, with_alias.tags, with_alias.run_link) == (("a",), {"t": "1"}, "l")
    assert with_alias.storage_location == SOURCE
    await registered_models.delete(services.store, "m")
    again = await registered_models.create(services, "m")
    assert (again.tags, again.aliases, again.latest) == ({}, {}, ())
    assert (await version(services, "m")).version == 1


async def test_a_name_is_taken_once(services: Services) -> None:
    await registered_models.create(services, "m")
    await registered_models.create(services, "p", [PROMPT])
    for name, tags, text in (
        ("m", [], r"^Registered Model \(name=m\) already exists\.$"),
        ("p", [PROMPT], r"^Prompt \(name=p\) already exists\.$"),
        ("m", [PROMPT], "^Tried to create a prompt with name 'm', but the name is already taken by a registered model"),
        ("p", [], "^Tried to create a registered model with name 'p', but the name is already taken by a prompt"),
    ):
        with pytest.raises(AlreadyExists, match=text):
            await registered_models.create(services, name, tags)
    with pytest.raises(AlreadyExists, match=r"Registered Model \(name=p\) already exists"):
        await registered_models.rename(services.store, "m", "p")
    assert (await registered_models.rename(services.store, "m", "m")).name == "m"


async def test_a_tag_makes_a_prompt_and_unmakes_it(services: Services) -> None:
    await registered_models.create(services, "x")
    await version(services, "x")
    query = RegistryQuery("name = 'x'")
    await registered_models.set_tag(services, "x", *PROMPT)
    assert await names(services) == []
    assert len((await registry_search.versions(services.store, query)).items) == 1
    await model_versions.set_tag(services, "x", 1, *PROMPT)
    assert (await registry_search.versions(services.store, query)).items == []
    await registered_models.delete_tag(services, "x", PROMPT[0])
    await model_versions.set_tag(services, "x", 1, PROMPT[0], "false")
    assert await names(services) == ["x"]
    assert len((await registry_search.versions(services.store, query)).items) == 1


async def test_a_filter_may_ask_for_models_and_prompts(services: Services) -> None:
    await registered_models.create(services, "m")
    await registered_models.create(services, "p", [PROMPT])
    tag = "tags.`mlflow.prompt.is_prompt`"
    assert await names(services, f"{tag} = 'true' or name = 'm'") == ["m", "p"]
    assert await names(services, f"not {tag} = 'true'") == ["m"]
    assert await names(services, f"{tag} in ('true', 'false')") == ["m", "p"]


async def test_only_what_the_caller_may_read(services: Services) -> None:
    for name in "abcd":
        await registered_models.create(services, name)
        await version(services, name)
    some = Readable(only=frozenset("abc"), hidden=frozenset("b"))
    assert await names(services, readable=some, max_results=2) == ["a", "c"]
    found = await registry_search.versions(services.store, RegistryQuery(order_by=("name",), readable=some))
    assert [one.name for one in found.items] == ["a", "c"]
    assert await names(services, readable=Readable(only=frozenset())) == []


async def test_paging_in_every_order(services: Services) -> None:
    for name in ("b", "a", "c"):
        await registered_models.create(services, name)
        for _ in range(3):
            await version(services, name)
    orders: list[tuple[str, ...]] = [
        (),
        ("name",),
        ("name desc",),
        ("version_number",),
        ("version_number desc", "name desc"),
        ("creation_timestamp",),
        ("last_updated_timestamp desc", "version_number"),
    ]
    for order in orders:
        whole = await registry_search.versions(services.store, RegistryQuery(order_by=order, max_results=9))
        assert whole.next_token is None
        found: list[ModelVersion] = []
        token = None
        for _ in range(5):
            page = await registry_search.versions(
                services.store, RegistryQuery(order_by=order, max_results=2, page_token=token)
            )
            found += page.items
            token = page.next_token
        assert token is None
        assert found == list(whole.items)
    numbered = await registry_search.versions(services.store, RegistryQuery(order_by=("version_number",)))
    assert [(one.version, one.name) for one in numbered.items] == [(n, name) for n in (1, 2, 3) for name in "abc"]


async def test_a_token_belongs_to_its_order(services: Services) -> None:
    for name in "ab":
        await registered_models.create(services, name)
    token = (await registry_search.models(services.store, RegistryQuery(max_results=1))).next_token
    with pytest.raises(InvalidParameter, match="another order_by"):
        await names(services, page_token=token, order_by=("name desc",))
    with pytest.raises(InvalidParameter, match="could not base64-decode"):
        await names(services, page_token="evilhax")


async def test_a_page_costs_a_fixed_number_of_queries(services: Services) -> None:
    async def costs() -> tuple[int, int, int]:
        counts = []
        for search in (
            registry_search.models(services.store, RegistryQuery("tags.t = '1'", max_results=50)),
            registry_search.versions(services.store, RegistryQuery("tags.t = '1'", max_results=50)),
            registered_models.get(services.store, "m0"),
        ):
            with statements() as sent:
                await search
            counts.append(len(sent))
        return counts[0], counts[1], counts[2]

    await registered_models.create(services, "m0", [("t", "1")])
    await version(services, "m0", tags=[("t", "1")])
    few = await costs()
    for number in range(1, 8):
        await registered_models.create(services, f"m{number}", [("t", "1")])
        for stage in ("None", "Staging", "Production"):
            made = await version(services, f"m{number}", tags=[("t", "1")])
            await model_versions.transition(services.store, made.name, made.version, stage)
            await registered_models.set_alias(services, made.name, stage, made.version)
    assert await costs() == few == (8, 4, 8)


async def test_what_webhooks_are_told(services: Services, fired: list[tuple[str, str, dict[str, Any]]]) -> None:
    await registered_models.create(services, "m", [("a", "1")], "d")
    await version(services, "m", run_id="r", tags=[("b", "2")])
    await registered_models.set_tag(services, "m", "a", "2")
    await registered_models.delete_tag(services, "m", "a")
    await model_versions.set_tag(services, "m", 1, "c", "3")
    await model_versions.delete_tag(services, "m", 1, "c")
    await registered_models.set_alias(services, "m", "x", 1)
    await registered_models.delete_alias(services, "m", "x")
    about = {"name": "m", "version": "1"}
    assert fired == [
        ("registered_model", "created", {"name": "m", "tags": {"a": "1"}, "description": "d"}),
        (
            "model_version",
            "created",
            {**about, "source": SOURCE, "run_id": "r", "tags": {"b": "2"}, "description": None},
        ),
        ("model_version_tag", "set", {**about, "key": "c", "value": "3"}),
        ("model_version_tag", "deleted", {**about, "key": "c"}),
        ("model_version_alias", "created", {**about, "alias": "x"}),
        ("model_version_alias", "deleted", {"name": "m", "alias": "x"}),
    ]


async def test_what_webhooks_are_told_of_prompts(
    services: Services, fired: list[tuple[str, str, dict[str, Any]]]
) -> None:
    kind = ("_mlflow_prompt_type", "text")
    await registered_models.create(services, "p", [PROMPT, kind, ("a", "1")], "d")
    tags = [PROMPT, kind, ("mlflow.prompt.text", "Hi"), ("b", "2")]
    await model_versions.create(services, VersionRequest("p", "dummy-source", tags=tags))
    await registered_models.set_tag(services, "p", "a", "2")
    await registered_models.delete_tag(services, "p", "a")
    await model_versions.set_tag(services, "p", 1, "c", "3")
    await model_versions.delete_tag(services, "p", 1, "c")
    await registered_models.set_alias(services, "p", "x", 1)
    await registered_models.delete_alias(services, "p", "x")
    about = {"name": "p", "version": "1"}
    assert fired == [
        ("prompt", "created", {"name": "p", "tags": {"a": "1"}, "description": "d"}),
        ("prompt_version", "created", {**about, "template": "Hi", "tags": {"b": "2"}, "description": None}),
        ("prompt_tag", "set", {"name": "p", "key": "a", "value": "2"}),
        ("prompt_tag", "deleted", {"name": "p", "key": "a"}),
        ("prompt_version_tag", "set", {**about, "key": "c", "value": "3"}),
        ("prompt_version_tag", "deleted", {**about, "key": "c"}),
        ("prompt_alias", "created", {**about, "alias": "x"}),
        ("prompt_alias", "deleted", {"name": "p", "alias": "x"}),
    ]


async def test_nothing_is_told_of_what_was_refused(
    services: Services, fired: list[tuple[str, str, dict[str, Any]]]
) -> None:
    with pytest.raises(NotFound):
        await version(services, "nobody")
    with pytest.raises(InvalidParameter):
        await registered_models.create(services, "a/b")
    with pytest.raises(NotFound):
        await registered_models.set_alias(services, "nobody", "a", 1)
    assert fired == []


@pytest.fixture
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Services]]:
    """Two servers on one Postgres."""
    with fresh_database("postgres", tmp_path, request) as uri:
        stores = [Store.open(uri), Store.open(uri)]
        yield [services_over(store) for store in stores]
        for store in stores:
            store.close()


async def test_two_servers_number_versions_without_gaps(replicas: list[Services]) -> None:
    models = ["a", "b", "c"]
    for name in models:
        await registered_models.create(replicas[0], name)

    async def work(worker: int) -> None:
        for turn in range(10):
            name = models[(worker + turn) % 3] if worker % 2 else models[(worker - turn) % 3]
            made = await version(replicas[(worker + turn) % 2], name, tags=[("w", str(worker))])
            server = replicas[turn % 2]
            await model_versions.transition(server.store, name, made.version, "Staging", archive_existing=True)
            await registered_models.set_tag(server, name, f"t{worker}", str(turn))
            await registered_models.set_alias(server, name, "newest", made.version)
            with pytest.raises(NotFound):
                await version(server, "nobody")

    await asyncio.gather(*(work(worker) for worker in range(12)))
    total = 0
    for name in models:
        query = RegistryQuery(f"name = '{name}'", ("version_number",), max_results=1000)
        found = (await registry_search.versions(replicas[1].store, query)).items
        assert [one.version for one in found] == list(range(1, len(found) + 1))
        assert sum(one.stage is Stage.STAGING for one in found) == 1
        total += len(found)
    assert total == 120


async def test_two_servers_make_one_model_of_a_name(replicas: list[Services]) -> None:
    for number in range(10):
        outcomes = await asyncio.gather(
            *(registered_models.create(services, f"same-{number}") for services in replicas), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in outcomes) == ["AlreadyExists", "RegisteredModel"]


async def test_stages_make_room_and_aliases_go_with_their_version(services: Services) -> None:
    for name in ("m", "other"):
        await registered_models.create(services, name)
        for _ in range(3):
            await version(services, name)
            await model_versions.transition(services.store, name, 1, "Staging")
    await model_versions.transition(services.store, "m", 2, "Production")
    await model_versions.transition(services.store, "m", 3, "staging", archive_existing=True)
    latest = await registered_models.latest_versions(services.store, "m")
    assert [(one.version, one.stage) for one in latest] == [
        (1, Stage.ARCHIVED),
        (2, Stage.PRODUCTION),
        (3, Stage.STAGING),
    ]
    assert (await model_versions.get(services.store, "other", 1)).stage is Stage.STAGING
    await version(services, "m")
    newest = await registered_models.latest_versions(services.store, "other", ["None"])
    assert [one.version for one in newest] == [3]
    for alias, number in (("a", 1), ("b", 2), ("c", 1)):
        await registered_models.set_alias(services, "m", alias, number)
    await model_versions.delete(services.store, "m", 1)
    assert (await registered_models.get(services.store, "m")).aliases == {"b": 2}
