"""The names that the filter box suggests: every one parses and means what it says."""

import httpx
from hypothesis import given
from hypothesis import strategies as st

from minleaf_server import filters
from minleaf_server.db.store import Store
from minleaf_server.filters import Catalog
from minleaf_server.filters.tree import IsNull, Kind
from minleaf_server.ui.names import suggestions
from tests.ui.logged import log_run

KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
WORDS = st.sampled_from(["status", "and", "null", "lr", "metrics.acc", "Name", "my metric", "a`b", "max", "in", "acc"])
NAMES = st.lists(KEYS | WORDS, unique=True, max_size=5).map(tuple)
NOUNS = {"param": Kind.PARAM, "metric": Kind.METRIC, "tag": Kind.TAG, "attribute": Kind.ATTRIBUTE}


@given(st.builds(Catalog, metrics=NAMES, params=NAMES, tags=NAMES))
def test_every_suggestion_parses_and_names_one_thing(catalog: Catalog) -> None:
    named = []
    for suggestion in suggestions(catalog):
        tree = filters.check(filters.parse(f"{suggestion.text} is not null"), catalog)
        assert isinstance(tree, IsNull)
        assert tree.field.kind is NOUNS[suggestion.kind]
        named.append((tree.field.kind, tree.field.name))
    assert len(set(named)) == len(named)
    for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG):
        assert {name for known, name in named if known is kind} == set(catalog.names(kind))


async def test_the_page_asks_for_them_as_json(store: Store, pages: httpx.AsyncClient) -> None:
    await log_run(store, params={"lr": "1", "depth": "2"}, metrics={"lr": [0.1], "val acc": [1.0]})
    response = await pages.get("/experiments/0/names")
    found = {(each["text"], each["kind"]) for each in response.json()}
    assert {("params.lr", "param"), ("metrics.lr", "metric"), ("depth", "param"), ("`val acc`", "metric")} <= found
    assert ("status", "attribute") in found


async def test_every_suggestion_filters(store: Store, pages: httpx.AsyncClient) -> None:
    await log_run(store, params={"lr": "1", "a b": "2"}, metrics={"lr": [0.1], "status": [1.0]})
    for suggestion in (await pages.get("/experiments/0/names")).json():
        response = await pages.get("/experiments/0", params={"filter": f"{suggestion['text']} is not null"})
        assert 'class="problem"' not in response.text, suggestion
