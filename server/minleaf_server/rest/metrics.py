"""The endpoints under `metrics/`: the histories of metrics."""

from collections.abc import AsyncIterator
from functools import partial
from itertools import repeat

import msgspec
import numpy as np
from msgspec import UnsetType

from minleaf_server.errors import InvalidParameter
from minleaf_server.points.series import Series
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

_encode = msgspec.json.Encoder().encode


@access(Access.READ, On.RUN)
async def history(services: Services, message: messages.GetMetricHistory) -> replies.MetricHistory | Parts:
    """All points of one metric of a run by time, step and value. Without `max_results` they come in one answer."""
    size = None if isinstance(message.max_results, UnsetType) else min(message.max_results, MAX_PAGE)
    parts = metrics.history(
        services.store,
        message.run_id,
        message.metric_key,
        partial(_json, message.metric_key),
        max_results=size,
        page_token=message.page_token or None,
    )
    return Parts(_answer(parts))


async def _answer(parts: AsyncIterator[metrics.Part[bytes]]) -> AsyncIterator[bytes]:
    """The JSON of a `MetricHistory`, part by part."""
    token = None
    before = b'{"metrics":['
    async for part in parts:
        yield before + b",".join(part.rendered)
        before, token = b",", part.next_token
    if before != b",":
        yield b"{}"
    elif token is None:
        yield b"]}"
    else:
        yield b'],"next_page_token":' + _encode(token) + b"}"


def _json(key: str, series: Series) -> bytes:
    """The points as JSON, without the brackets of the list."""
    values: list[float | str] = series.values.tolist()
    for index in np.flatnonzero(~np.isfinite(series.values)).tolist():
        values[index] = encode.value(series.values[index])
    columns = values, series.timestamps.tolist(), series.steps.tolist()
    # Made by `map`, a point costs half of what it does in a loop.
    return _encode(list(map(replies.Metric, repeat(key), *columns)))[1:-1]


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
