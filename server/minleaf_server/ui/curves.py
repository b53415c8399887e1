"""What the charts load: the curves of a metric, thinned to what a screen shows, and a whole series as CSV."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from minleaf_server.db.store import Store
from minleaf_server.entities import RunInfo
from minleaf_server.entities.curve import Axis, Curve
from minleaf_server.errors import InvalidParameter, MinleafError, NotFound, Unavailable
from minleaf_server.points.series import Series
from minleaf_server.tracking import metrics, runs
from minleaf_server.web.policy import Access, On, access

RUNS_MAX = 200  # a chart of more runs asks several times
BUCKETS_DEFAULT = 1000
BUCKETS_MAX = 10_000
NUMBER_CHARS_MAX = 300  # every double fits, and no integer that is too large to be one


@dataclass(frozen=True, slots=True)
class CurvesRequest:
    """The query of `/charts/curves`, checked. `start` and `end` are places on the axis; None is open."""

    run_ids: tuple[str, ...]
    metric: str
    axis: Axis
    start: float | None
    end: float | None
    buckets: int


@access(Access.READ, On.RUN)
async def curves(request: Request) -> Response:
    """The curves of `metric` for every `run` that has it, from `start` to `end` of `axis`, in about `buckets` places.

    Every bucket keeps its first, lowest, highest and last value. A value that is not finite is null in `y` and named
    in `special` by its index. `before` and `after` are the nearest points outside the range.
    """
    try:
        body = await curves_body(request.app.state.services.store, read_query(request.query_params.multi_items()))
    except (InvalidParameter, NotFound, Unavailable) as error:
        return _refusal(error)
    return Response(msgspec.json.encode(body), media_type="application/json")


def _refusal(error: MinleafError) -> Response:
    """A script asks, so the answer is JSON and not the page that a person would get."""
    status = {NotFound: 404, Unavailable: 503}.get(type(error), 400)
    body = {"error_code": error.code, "message": error.message}
    return Response(msgspec.json.encode(body), status, media_type="application/json")


async def curves_body(store: Store, asked: CurvesRequest) -> dict[str, Any]:
    """What `/charts/curves` answers, before it is written as JSON. Raises NotFound for an unknown run."""
    infos = await runs.infos(store, asked.run_ids)
    found = await metrics.curves(
        store, asked.run_ids, asked.metric, axis=asked.axis, start=asked.start, end=asked.end, buckets=asked.buckets
    )
    return {
        "metric": asked.metric,
        "axis": asked.axis.value,
        "series": [series(curve, infos[curve.run_id]) for curve in found],
    }


def series(curve: Curve, info: RunInfo) -> dict[str, Any]:
    """One curve in the chart's own columnar form. JSON knows no NaN and no infinity, so `special` names them."""
    return {
        "run": curve.run_id,
        "name": info.name,
        "x": curve.x,
        "y": curve.y,  # msgspec writes every value that is not finite as null, every other one exactly
        "special": [[index, _kind(y)] for index, y in enumerate(curve.y) if not math.isfinite(y)],
        "before": _finite(curve.before),
        "after": _finite(curve.after),
        "total": curve.total,
        "in_range": curve.in_range,
        "nan_count": curve.nan_count,
        "inf_count": curve.inf_count,
    }


def _kind(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _finite(point: tuple[int, float] | None) -> tuple[int, float] | None:
    return point if point is not None and math.isfinite(point[1]) else None


@access(Access.READ, On.RUN)
async def series_csv(request: Request) -> Response:
    """Every point of `metric` in `run` as CSV, streamed: step, timestamp (ms) and value; several runs get a column run.

    Values are written with as many digits as it takes to read the same double back.
    """
    store: Store = request.app.state.services.store
    fields = _fields(request.query_params.multi_items(), {"run", "metric"})
    run_ids, metric = _run_ids(fields), _metric(fields)
    await runs.infos(store, run_ids)  # an unknown run is an error before the first line, not in the middle
    disposition = f"attachment; filename=\"metric.csv\"; filename*=UTF-8''{quote(_file_name(metric), safe='')}"
    return StreamingResponse(
        csv_lines(store, run_ids, metric),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": disposition},
    )


async def csv_lines(store: Store, run_ids: Sequence[str], metric: str) -> AsyncIterator[bytes]:
    """The lines of the file, a few thousand at a time, so that a long series is never held whole."""
    several = len(run_ids) > 1
    yield b"run,step,timestamp,value\n" if several else b"step,timestamp,value\n"
    for run_id in run_ids:
        lead = f"{run_id},".encode() if several else b""
        async for part in metrics.history(store, run_id, metric, partial(_csv_text, lead)):
            for text in part.rendered:
                yield text


def _csv_text(lead: bytes, series: Series) -> bytes:
    """The points as lines that begin with `lead`."""
    values: list[float | str] = series.values.tolist()
    for index in np.flatnonzero(~np.isfinite(series.values)).tolist():
        values[index] = repr(values[index])
    # Numbers are written in JSON as in CSV, and a list of lists of them needs only other signs between the rows.
    rows = msgspec.json.encode(list(zip(series.steps.tolist(), series.timestamps.tolist(), values, strict=True)))
    return lead + rows[2:-2].replace(b"],[", b"\n" + lead).replace(b'"', b"") + b"\n"


def _file_name(metric: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.@ " else "_" for c in metric)[:100] + ".csv"


def read_query(items: Sequence[tuple[str, str]]) -> CurvesRequest:
    """The checked query. Raises InvalidParameter with what was wrong and what would be right."""
    fields = _fields(items, {"run", "metric", "axis", "start", "end", "buckets"})
    start, end = _number(fields, "start"), _number(fields, "end")
    if start is not None and end is not None and start > end:
        raise InvalidParameter(f"start ({start}) lies behind end ({end})")
    return CurvesRequest(_run_ids(fields), _metric(fields), _axis(fields), start, end, _buckets(fields))


def _fields(items: Sequence[tuple[str, str]], known: set[str]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {name: [] for name in known}
    for name, value in items:
        if name not in known:
            raise InvalidParameter(f"Unknown field {name!r}; known are {', '.join(sorted(known))}")
        fields[name].append(value)
    return fields


def _run_ids(fields: dict[str, list[str]]) -> tuple[str, ...]:
    run_ids = tuple(dict.fromkeys(fields["run"]))
    if not 1 <= len(run_ids) <= RUNS_MAX:
        raise InvalidParameter(f"Give 1 to {RUNS_MAX} runs as run=ID, each in a field of its own; got {len(run_ids)}")
    return run_ids


def _metric(fields: dict[str, list[str]]) -> str:
    metric = _single(fields, "metric")
    if not metric:
        raise InvalidParameter("Missing the field metric: the name of the metric to draw")
    return metric


def _axis(fields: dict[str, list[str]]) -> Axis:
    text = _single(fields, "axis") or Axis.STEP.value
    try:
        return Axis(text)
    except ValueError:
        known = ", ".join(axis.value for axis in Axis)
        raise InvalidParameter(f"Unknown axis {text!r}; known are {known}") from None


def _buckets(fields: dict[str, list[str]]) -> int:
    text = _single(fields, "buckets") or str(BUCKETS_DEFAULT)
    # Checked as text: int() would take any length and any alphabet's digits.
    if text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= BUCKETS_MAX:
        return int(text)
    raise InvalidParameter(f"buckets must be a whole number from 1 to {BUCKETS_MAX}")


def _number(fields: dict[str, list[str]], name: str) -> float | None:
    """A bound; a whole number stays an int, because a float would move a bound beyond 2^53."""
    text = _single(fields, name)
    if not text:
        return None
    if len(text) <= NUMBER_CHARS_MAX and text.isascii() and "_" not in text:
        for read in (int, float):
            try:
                value = read(text)
            except ValueError:
                continue
            if math.isfinite(value):
                return value
    raise InvalidParameter(f"{name} must be a finite number")


def _single(fields: dict[str, list[str]], name: str) -> str | None:
    values = fields[name]
    if len(values) > 1:
        raise InvalidParameter(f"The field {name} is given {len(values)} times; give it once")
    return values[0] if values else None
