"""The tables, in SQLAlchemy Core, an area of the product a module.

docs/storage.md explains them; migrations/versions creates them. Times are milliseconds since 1970.
"""

from minleaf_server.db.tables import auth, inputs, logged_models, registry, webhooks
from minleaf_server.db.tables.base import Float, RowId, String, metadata
from minleaf_server.db.tables.runs import (
    KeyKind,
    change,
    chunk,
    experiment,
    experiment_tag,
    key,
    metric_summary,
    param,
    run,
    segment,
    tag,
)

__all__ = [
    "Float",
    "KeyKind",
    "RowId",
    "String",
    "auth",
    "change",
    "chunk",
    "experiment",
    "experiment_tag",
    "inputs",
    "key",
    "logged_models",
    "metadata",
    "metric_summary",
    "param",
    "registry",
    "run",
    "segment",
    "tag",
    "webhooks",
]
