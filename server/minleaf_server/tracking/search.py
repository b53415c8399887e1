"""TEMPORARY, so that the others can start the server: no filter, no order, no paging. The search task replaces this file."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from minleaf_server.db.read import experiments as read_experiments
from minleaf_server.db.read import runs as read
from minleaf_server.db.store import Store
from minleaf_server.db.tables import experiment, key, run
from minleaf_server.entities import Page, ViewType

try:
    from minleaf_server.filters import Catalog
except ImportError:
    @dataclass(frozen=True)
    class Catalog:
        metrics: tuple[str, ...]
        params: tuple[str, ...]
        tags: tuple[str, ...]


@dataclass(frozen=True)
class RunQuery:
    experiment_ids: tuple[int, ...]
    filter: str = ""
    order_by: tuple[str, ...] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    max_results: int = 1000
    page_token: str | None = None


def _ids(q):
    return (
        select(run.c.id)
        .where(run.c.experiment_id.in_(q.experiment_ids), run.c.lifecycle.in_([int(x) for x in q.view.lifecycles]))
        .order_by(run.c.start_time.desc(), run.c.uuid)
    )


async def runs(store: Store, query: RunQuery) -> Page:
    return Page(await store.read(lambda c: read.load(c, c.execute(_ids(query).limit(query.max_results)).scalars().all())))


async def count(store: Store, query: RunQuery) -> int:
    return await store.read(lambda c: len(c.execute(_ids(query)).all()))


async def experiments(store: Store, *, filter="", order_by=(), view=ViewType.ACTIVE_ONLY, max_results=1000, page_token=None) -> Page:
    return Page(await store.read(lambda c: read_experiments.load(c, c.execute(select(experiment.c.id).where(experiment.c.lifecycle.in_([int(x) for x in view.lifecycles]))).scalars().all())))


async def catalog(store: Store, experiment_ids: Any) -> Catalog:
    def names(c):
        rows = c.execute(select(key.c.kind, key.c.name).where(key.c.experiment_id.in_(experiment_ids)).order_by(key.c.name)).all()
        return Catalog(*(tuple(r.name for r in rows if r.kind == k) for k in (1, 2, 3)))
    return await store.read(names)
