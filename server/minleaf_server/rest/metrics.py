"""The endpoints under `metrics/`: the histories of metrics."""

from collections.abc import AsyncIterator

import msgspec
from msgspec import UnsetType

from minleaf_server.entities import Page, Point
from minleaf_server.errors import InvalidParameter
from minleaf_server.rest import choices, encode, messages, replies
from minleaf_server.rest.decode import SEE_DOCS
from minleaf_server.rest.endpoint import Endpoint, Parts
from minleaf_server.tracking import metrics
from minleaf_server.tracking.search import check_max_results
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access

MAX_RUNS = 100
MAX_BULK_RESULTS = 25_000
MAX_INTERVAL_RESULTS = 2_500
MAX_PAGE = 100_000
"""Points in one answer of a history that is asked for in pages. Whoever asks for more gets them on the next page."""
PART = 25_000
"""Points that are held at a time while a whole history is sent."""


@access(Access.READ, On.RUN)
async def history(services: Services, message: messages.GetMetricHistory) -> replies.MetricHistory | Parts:
    """All points of one metric of a run by time, step and value. Without `max_results` they come in one answer."""
    token = message.page_token or None
    if isinstance(message.max_results, UnsetType):
        return Parts(_whole_history(services, message.run_id, message.metric_key, token))
    size = min(message.max_results, MAX_PAGE)
    page = await metrics.history(services.store, message.run_id, message.metric_key, max_results=size, page_token=token)
    return replies.MetricHistory(choices.or_unset(encode.points(page.items)), choices.or_unset(page.next_token))


async def _whole_history(services: Services, run_id: str, key: str, token: str | None) -> AsyncIterator[bytes]:
    """The JSON of a whole history, page by page."""
    page = await metrics.history(services.store, run_id, key, max_results=PART, page_token=token)
    if not page.items:
        yield b"{}"
        return
    yield b'{"metrics":[' + _joined(page)
    while page.next_token is not None:
        page = await metrics.history(services.store, run_id, key, max_results=PART, page_token=page.next_token)
        if page.items:
            yield b"," + _joined(page)
    yield b"]}"


def _joined(page: Page[Point]) -> bytes:
    """The points as JSON, without the brackets of the list."""
    return msgspec.json.encode(encode.points(page.items))[1:-1]


@access(Access.READ, On.RUN)
async def history_bulk(services: Services, message: messages.GetMetricHistoryBulk) -> replies.MetricHistories:
    """The points of one metric of up to 100 runs, by run, time, step and value; the first 25,000 at most."""
    if not message.run_id:
        raise InvalidParameter("GetMetricHistoryBulk request must specify at least one run_id.")
    if len(message.run_id) > MAX_RUNS:
        raise InvalidParameter(
            f"GetMetricHistoryBulk request cannot specify more than {MAX_RUNS} run_ids. "
            f"Received {len(message.run_id)} run_ids."
        )
    if isinstance(message.metric_key, UnsetType):
        raise InvalidParameter("GetMetricHistoryBulk request must specify a metric_key.")
    asked = MAX_BULK_RESULTS if isinstance(message.max_results, UnsetType) else message.max_results
    size = min(asked, MAX_BULK_RESULTS)
    check_max_results(size)
    found = await metrics.history_bulk(services.store, sorted(set(message.run_id)), message.metric_key, size)
    return replies.MetricHistories(encode.points_of_runs(found))


@access(Access.READ, On.RUN)
async def history_interval(
    services: Services, message: messages.GetMetricHistoryBulkInterval
) -> replies.MetricIntervals:
    """A sample of one metric of up to 100 runs between two steps, the first and last point always included."""
    if len(message.run_ids) > MAX_RUNS:
        raise InvalidParameter(
            f"GetMetricHistoryBulkInterval request must specify at most {MAX_RUNS} run_ids. "
            f"Received {len(message.run_ids)} run_ids.{SEE_DOCS}"
        )
    start, end = _interval(choices.or_none(message.start_step), choices.or_none(message.end_step))
    found = await metrics.history_interval(
        services.store,
        message.run_ids,
        message.metric_key,
        start_step=start,
        end_step=end,
        max_results=_sample_size(message.max_results),
    )
    return replies.MetricIntervals(choices.or_unset(encode.points_of_runs(found)))


def _interval(start: int | None, end: int | None) -> tuple[int | None, int | None]:
    if (start is None) != (end is None):
        raise InvalidParameter("If either start step or end step are specified, both must be specified.")
    if start is not None and end is not None and start > end:
        raise InvalidParameter(
            f"end_step must be greater than start_step. Found start_step={start} and end_step={end}."
        )
    return start, end


def _sample_size(asked: int | UnsetType) -> int:
    if isinstance(asked, UnsetType):
        return MAX_INTERVAL_RESULTS
    if not 1 <= asked <= MAX_INTERVAL_RESULTS:
        raise InvalidParameter(f"max_results must be between 1 and {MAX_INTERVAL_RESULTS}.{SEE_DOCS}")
    return asked


ENDPOINTS = (
    Endpoint("GET", "/2.0/mlflow/metrics/get-history", history),
    Endpoint("GET", "/2.0/mlflow/metrics/get-history-bulk", history_bulk),
    Endpoint("GET", "/2.0/mlflow/metrics/get-history-bulk-interval", history_interval),
)
