"""Splitting a log-batch into requests that keep MLflow's limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from minleaf.entities import Metric

MAX_ITEMS = 1000
MAX_PARAMS = 100
MAX_TAGS = 100


@dataclass(frozen=True)
class Part:
    """What one request carries."""

    metrics: Sequence[Metric]
    params: Mapping[str, str]
    tags: Mapping[str, str]


def split(metrics: Sequence[Metric], params: Mapping[str, str], tags: Mapping[str, str]) -> Iterator[Part]:
    """Parts of at most 100 params, 100 tags and 1000 items in all, in the order given. Nothing in, nothing out."""
    more_params, more_tags = iter(params.items()), iter(tags.items())
    first = 0
    while True:
        some_params = dict(islice(more_params, MAX_PARAMS))
        some_tags = dict(islice(more_tags, MAX_TAGS))
        some_metrics = metrics[first : first + MAX_ITEMS - len(some_params) - len(some_tags)]
        if not (some_params or some_tags or some_metrics):
            return
        first += len(some_metrics)
        yield Part(some_metrics, some_params, some_tags)
