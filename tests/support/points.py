"""Histories as points, for tests."""

from collections.abc import Sequence

from minleaf_server.db.store import Store
from minleaf_server.entities import Page, Point
from minleaf_server.points.series import Series
from minleaf_server.tracking import metrics


async def history(
    store: Store, run_id: str, key: str, *, max_results: int | None = None, page_token: str | None = None
) -> Page[Point]:
    """The points of a metric, or a page of them."""

    def points(series: Series) -> Sequence[Point]:
        columns = series.values.tolist(), series.timestamps.tolist(), series.steps.tolist()
        return [Point(key, *row) for row in zip(*columns, strict=True)]

    found: list[Point] = []
    token = None
    async for part in metrics.history(store, run_id, key, points, max_results=max_results, page_token=page_token):
        found += [point for rendered in part.rendered for point in rendered]
        token = part.next_token
    return Page(found, token)
