"""Which server the calls of this process go to."""

import os

from minleaf._settings import DEFAULT_URI, endpoint, variable

_chosen: str | None = None


def get_tracking_uri() -> str:
    """The address set with `set_tracking_uri`, else MINLEAF_TRACKING_URI, MLFLOW_TRACKING_URI, http://127.0.0.1:5000."""
    return _chosen or variable("TRACKING_URI") or DEFAULT_URI


def set_tracking_uri(uri: str | None) -> None:
    """Choose the server. None or "" goes back to the environment. Raises ConfigurationError for an unusable address.

    As with MLflow, the address is also put into the environment for the processes started from here.
    """
    global _chosen
    if uri:
        endpoint(uri)
        os.environ["MINLEAF_TRACKING_URI"] = uri
    elif _chosen:
        os.environ.pop("MINLEAF_TRACKING_URI", None)
    _chosen = uri or None
