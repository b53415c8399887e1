"""`runs/log-model`: how clients before MLflow 3 say that a run logged a model. It ends in a tag of the run."""

import json
from typing import Any

from minleaf_server.entities.limits import MAX_SHOWN_LENGTH
from minleaf_server.errors import InvalidParameter

_REQUIRED = ("artifact_path", "flavors", "run_id", "utc_time_created")


def entry_of(model_json: str) -> dict[str, Any]:
    """What the tag holds of a model's description: as in MLflow, its flavors without their `config`.

    Raises InvalidParameter for what is no JSON object or lacks a field.
    """
    try:
        model = json.loads(model_json)
    except (ValueError, RecursionError):
        raise InvalidParameter(
            f"Malformed model info. \n {model_json[:MAX_SHOWN_LENGTH]} \n is not a valid JSON."
        ) from None
    if not isinstance(model, dict):
        raise InvalidParameter("Malformed model info. It must be a JSON object.")
    if missing := [name for name in _REQUIRED if name not in model]:
        raise InvalidParameter(f"Model json is missing mandatory fields: {{{str(missing)[1:-1]}}}")
    flavors = model["flavors"]
    if not isinstance(flavors, dict):
        raise InvalidParameter("Malformed model info. Its 'flavors' must be a JSON object.")
    kept = {name: model.get(name) for name in ("run_id", "artifact_path", "utc_time_created", "model_uuid")}
    return {**kept, "flavors": {name: _without_config(flavor) for name, flavor in flavors.items()}}


def _without_config(flavor: Any) -> Any:
    if not isinstance(flavor, dict):
        return flavor
    return {key: value for key, value in flavor.items() if key != "config"}
