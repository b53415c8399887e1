"""The names that the filter box suggests: `/experiments/{id}/names`, as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from minleaf_server import filters
from minleaf_server.filters import RUNS, Catalog, FilterError
from minleaf_server.filters.printer import field_to_text
from minleaf_server.filters.tree import Field, Kind
from minleaf_server.tracking import experiments, search
from minleaf_server.ui.ids import experiment_id
from minleaf_server.ui.page import store_of
from minleaf_server.web.policy import Access, On, access

_NOUNS = {Kind.PARAM: "param", Kind.METRIC: "metric", Kind.TAG: "tag", Kind.ATTRIBUTE: "attribute"}
_ATTRIBUTES = ("name", "status", "started", "ended", "duration", "user", "run_id")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` is the name as the filter language writes it, `kind` "param", "metric", "tag" or "attribute"."""

    text: str
    kind: str


@access(Access.READ, On.EXPERIMENT)
async def names(request: Request) -> Response:
    """Every name of the experiment, each in a form that means exactly this param, metric or tag."""
    store = store_of(request)
    experiment = await experiments.get(store, experiment_id(request.path_params["experiment_id"]))
    catalog = await search.catalog(store, (experiment.id,))
    return JSONResponse([asdict(each) for each in suggestions(catalog)], headers={"cache-control": "no-cache"})


def suggestions(catalog: Catalog) -> list[Suggestion]:
    """The names of the catalog and the attributes of a run, in the order in which they are offered."""
    kinds: tuple[tuple[Kind, Iterable[str]], ...] = (
        (Kind.PARAM, catalog.params),
        (Kind.METRIC, catalog.metrics),
        (Kind.ATTRIBUTE, _ATTRIBUTES),
        (Kind.TAG, catalog.tags),
    )
    return [Suggestion(_text(kind, name, catalog), _NOUNS[kind]) for kind, listed in kinds for name in listed]


def _text(kind: Kind, name: str, catalog: Catalog) -> str:
    """The bare name where it can mean nothing else, the qualified one otherwise."""
    bare = field_to_text(Field(None, name))
    if kind is Kind.ATTRIBUTE:
        return bare
    alone = RUNS.attribute(name) is None and catalog.kinds(name) == [kind]
    return bare if alone and _parses(bare, catalog) else field_to_text(Field(kind, name))


def _parses(name: str, catalog: Catalog) -> bool:
    try:
        filters.check(filters.parse(f"{name} is not null"), catalog)
    except FilterError:
        return False
    return True
