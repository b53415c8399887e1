"""The page of a run shows what the run read and made."""

import httpx

from minleaf_server.db.store import Store
from minleaf_server.entities import Dataset, ModelOutput
from minleaf_server.entities.dataset import CONTEXT_TAG
from minleaf_server.tracking import inputs
from tests.ui.logged import log_run
from tests.ui.page import Node, read
from tests.ui.test_costs import cost


async def get(pages: httpx.AsyncClient, url: str) -> Node:
    response = await pages.get(url)
    assert response.status_code == 200, response.text
    return read(response.text)


def section(page: Node, id_: str) -> list[list[str]]:
    """The texts of the rows of a section's table, after their head."""
    found = page.one("section", aria_labelledby=id_).one("tbody")
    return [[cell.text for cell in row.children if isinstance(cell, Node)] for row in found.all("tr")]


async def test_datasets_and_models_of_a_run(store: Store, pages: httpx.AsyncClient) -> None:
    run_id = await log_run(store)
    wine = Dataset("wine <b>", "a1b2", "http", "https://example.org/wine.csv", schema="s" * 10, profile="p")
    file = Dataset("file", "c3", "local", '{"uri": "javascript:alert(1)"}')
    await inputs.log_inputs(
        store, run_id, datasets=[(wine, [(CONTEXT_TAG, "train & test"), ("other", "x")]), (file, [])], models=["m-1"]
    )
    await inputs.log_outputs(store, run_id, [ModelOutput("m-2", 1200), ModelOutput("m-3")])
    page = await get(pages, f"/runs/{run_id}")
    assert section(page, "datasets") == [
        ["wine <b>", "train & test", "a1b2", "http: https://example.org/wine.csv"],
        ["file", "", "c3", 'local: {"uri": "javascript:alert(1)"}'],
    ]
    assert section(page, "models") == [["m-1", "input", ""], ["m-2", "output", "1,200"], ["m-3", "output", "0"]]
    # A source is text: neither this page nor this server follows it.
    addresses = [node.attributes.get(name, "") for node in page.all() for name in ("href", "src")]
    assert not [address for address in addresses if "example.org" in address or "javascript" in address]


async def test_a_run_without_inputs_has_no_such_sections(store: Store, pages: httpx.AsyncClient) -> None:
    page = await get(pages, f"/runs/{await log_run(store)}")
    titles = {title.text.split(" ")[0] for title in page.all("h2")}
    assert "Params" in titles
    assert not titles & {"Datasets", "Models"}


async def test_very_many_inputs_are_cut_and_told(store: Store, pages: httpx.AsyncClient) -> None:
    run_id = await log_run(store)
    many = [(Dataset(f"d{number}", "1", "code", "x" * 5000), []) for number in range(250)]
    await inputs.log_inputs(store, run_id, datasets=many, models=[f"m-{number}" for number in range(230)])
    page = await get(pages, f"/runs/{run_id}")
    assert (len(section(page, "datasets")), len(section(page, "models"))) == (200, 200)
    more = {link.text: link.attributes["href"] for link in page.all("a") if "more" in link.text}
    assert set(more) == {"Show 50 more", "Show 30 more"}
    whole = await get(pages, more["Show 50 more"])
    assert (len(section(whole, "datasets")), len(section(whole, "models"))) == (250, 230)
    assert "code: " + "x" * 5000 not in section(page, "datasets")[0][3], "a long source is folded"
    assert "x" * 5000 in section(page, "datasets")[0][3]


async def test_statements_of_a_page_do_not_grow_with_inputs(store: Store, pages: httpx.AsyncClient) -> None:
    plain, rich = await log_run(store), await log_run(store)
    table = await cost(pages, "/experiments/0")
    for number in range(30):
        await inputs.log_inputs(
            store, rich, datasets=[(Dataset(f"d{number}", "1", "code", "x"), [])], models=[f"m-{number}"]
        )
        await inputs.log_outputs(store, rich, [ModelOutput(f"m-{number}")])
    assert await cost(pages, f"/runs/{rich}") == await cost(pages, f"/runs/{plain}") + 1
    assert await cost(pages, "/experiments/0") == table, "the table does not show inputs and does not read them"
