"""Runs logged into a store for tests of the pages."""

import asyncio
import itertools
from collections.abc import Awaitable, Mapping, Sequence

from minleaf_server.db.store import Store
from minleaf_server.entities import Point, PointColumns, RunStatus
from minleaf_server.tracking import runs

START_MS = 1_700_000_000_000


async def log_run(
    store: Store,
    name: str = "a-run",
    *,
    experiment_id: int = 0,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, Sequence[float]] | None = None,
    tags: Mapping[str, str] | None = None,
    start_time: int = START_MS,
    user: str = "ana",
) -> str:
    """The id of a finished run with these values; a metric's values stand at steps 0, 1, …"""
    run = await runs.create(
        store, experiment_id, name=name, user=user, start_time=start_time, tags=list((tags or {}).items())
    )
    points = [Point(k, v, start_time + i, i) for k, values in (metrics or {}).items() for i, v in enumerate(values)]
    pairs = list((params or {}).items())
    await runs.log_batch(store, run.info.id, metrics=PointColumns.of(points[:900]), params=pairs[:100])
    for start in range(900, len(points), 1000):
        await runs.log_batch(store, run.info.id, metrics=PointColumns.of(points[start : start + 1000]))
    await runs.update(store, run.info.id, status=RunStatus.FINISHED, end_time=start_time + 60_000, name=None)
    return run.info.id


async def log_sweep(store: Store) -> dict[tuple[int, int], str]:
    """Fifteen runs by (max_depth, min_leaf), the accuracy of each computed from the two."""
    keys = list(itertools.product(range(1, 6), range(1, 4)))

    def logged(number: int, depth: int, leaf: int) -> Awaitable[str]:
        return log_run(
            store,
            f"tree-{depth}-{leaf}",
            params={"max_depth": str(depth), "min_leaf": str(leaf), "criterion": "gini"},
            metrics={"test_acc": [sweep_accuracy(depth, leaf)]},
            start_time=START_MS + 1000 * number,
        )

    ids = await asyncio.gather(*(logged(i, *key) for i, key in enumerate(keys)))
    return dict(zip(keys, ids, strict=True))


def sweep_accuracy(depth: int, leaf: int) -> float:
    """What `log_sweep` logs as test_acc."""
    return 0.40 + 0.02 * depth - 0.01 * (leaf - 1)
