"""The searches of the registry are answered by indexes. SQLite says how it will run a query."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from minleaf_server.db.store import Store
from minleaf_server.tracking import model_versions, registered_models, registry_search
from minleaf_server.tracking.model_versions import VersionRequest
from minleaf_server.tracking.registry_search import RegistryQuery
from tests.db.test_plans import plans, scanned
from tests.support.services import services_over


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(f"sqlite:///{tmp_path}/minleaf.db")
    yield store
    store.close()


async def fill(store: Store) -> None:
    services = services_over(store)
    for name in "abc":
        await registered_models.create(services, name, [("t", "1")])
        for _ in range(3):
            await model_versions.create(services, VersionRequest(name, "s3://b/x", run_id="r", tags=[("t", "1")]))


@pytest.mark.parametrize("order", [(), ("name desc",), ("timestamp",), ("last_updated_timestamp desc",)])
@pytest.mark.parametrize("text", ["", "name = 'a'", "tags.t = '1'", "tags.`mlflow.prompt.is_prompt` = 'true'"])
async def test_searching_models(store: Store, text: str, order: tuple[str, ...]) -> None:
    await fill(store)
    token = (await registry_search.models(store, RegistryQuery(order_by=order, max_results=1))).next_token
    for after in (None, token):
        with plans() as steps:
            await registry_search.models(store, RegistryQuery(text, order, page_token=after))
        assert steps
        # What is named so has a row for each stage of the models that were found.
        assert not scanned(steps) - {"newest"}


@pytest.mark.parametrize(
    "order", [(), ("version_number",), ("creation_timestamp desc",), ("last_updated_timestamp",), ("name",)]
)
@pytest.mark.parametrize("text", ["", "name = 'a'", "run_id = 'r'", "source_path = 's3://b/x'", "tags.t = '1'"])
async def test_searching_versions(store: Store, text: str, order: tuple[str, ...]) -> None:
    await fill(store)
    token = (await registry_search.versions(store, RegistryQuery(order_by=order, max_results=1))).next_token
    for after in (None, token):
        with plans() as steps:
            await registry_search.versions(store, RegistryQuery(text, order, page_token=after))
        assert steps
        assert not scanned(steps)


async def test_a_page_of_the_natural_order_is_not_sorted_whole(store: Store) -> None:
    """The index has the order of the first key, so only versions of one moment are sorted among themselves."""
    await fill(store)
    with plans() as steps:
        await registry_search.versions(store, RegistryQuery(max_results=2))
    assert any("model_version_by_update" in step for step in steps)
    sorts = [step for step in steps if "TEMP B-TREE FOR" in step and "GROUP" not in step]
    # Newer versions of SQLite say LAST 2 TERMS.
    assert sorts[0].startswith(("USE TEMP B-TREE FOR RIGHT PART", "USE TEMP B-TREE FOR LAST")), sorts
