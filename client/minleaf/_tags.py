"""The tags that every run starts with: who ran what, and from which commit."""

import getpass
import json
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from minleaf._git import git_tags
from minleaf._settings import user_name, variable

USER = "mlflow.user"
SOURCE_NAME = "mlflow.source.name"
SOURCE_TYPE = "mlflow.source.type"
RUN_NAME = "mlflow.runName"
NOTE = "mlflow.note.content"
PARENT_RUN_ID = "mlflow.parentRunId"

_log = logging.getLogger("minleaf")


def start_tags() -> dict[str, str]:
    """MLflow's default tags. `MINLEAF_RUN_CONTEXT` or `MLFLOW_RUN_CONTEXT`, a JSON object, adds to them."""
    shell = notebook_shell()
    path = os.getcwd() if shell else _script()
    return {
        USER: _user(),
        SOURCE_NAME: _notebook_name(shell) or _script() or "<console>",
        SOURCE_TYPE: "NOTEBOOK" if shell else _job_or_local(),
        **(git_tags(path) if path else {}),
        **_from_environment(),
    }


def notebook_shell() -> Any:
    """IPython's shell inside a Jupyter kernel, or None. IPython is only asked where it is imported already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell if hasattr(shell, "kernel") else None


def _notebook_name(shell: Any) -> str | None:
    if not shell:
        return None
    path = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or os.environ.get("IPYNB_FILE")
    return os.path.basename(path) if path else None


def _script() -> str | None:
    return sys.argv[0] if getattr(sys, "argv", None) and sys.argv[0] else None


def _job_or_local() -> str:
    """JOB under a batch system, which MLflow says for Databricks jobs alone."""
    return "JOB" if any(name in os.environ for name in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID")) else "LOCAL"


def _user() -> str:
    try:
        return user_name() or getpass.getuser()
    except (ImportError, KeyError, OSError):
        # A container's user id without an entry in the user database.
        return "unknown"


def _from_environment() -> dict[str, str]:
    text = variable("RUN_CONTEXT")
    if text is None:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        _log.warning("MINLEAF_RUN_CONTEXT is no JSON object and was left out: %.80s", text)
        return {}
    return {str(key): str(value) for key, value in found.items()}
