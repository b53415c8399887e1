"""What logged models can be searched by. A metric is any of a model's points here, not the latest, as in MLflow."""

from minleaf_server.filters.schema import AttributeType, Schema
from minleaf_server.filters.tree import Kind

LOGGED_MODELS = Schema(
    noun="logged models",
    name="name",
    types={
        "model_id": AttributeType.TEXT,
        "name": AttributeType.TEXT,
        "model_type": AttributeType.TEXT,
        "status": AttributeType.TEXT,
        "source_run_id": AttributeType.TEXT,
        "artifact_location": AttributeType.TEXT,
        "experiment_id": AttributeType.INTEGER,
        "creation_timestamp": AttributeType.TIME,
        "last_updated_timestamp": AttributeType.TIME,
    },
    aliases={
        "model_name": "name",
        "creation_time": "creation_timestamp",
        "creation_timestamp_ms": "creation_timestamp",
        "created": "creation_timestamp",
        "last_updated_timestamp_ms": "last_updated_timestamp",
        "updated": "last_updated_timestamp",
    },
    kinds=frozenset({Kind.ATTRIBUTE, Kind.METRIC, Kind.PARAM, Kind.TAG}),
    # Its order_by is no text but names with datasets; see entities.logged_model.ModelOrder.
    sorted_by=frozenset(),
)
