"""Where the folders templates, static and migrations are, and which version this is."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from minleaf_server.errors import SetupError

_PACKAGE = Path(__file__).resolve().parent

# In a wheel the folders lie inside the package; in a checkout at its root, two levels above the package.
_ROOTS = (_PACKAGE / "_data", _PACKAGE.parents[1])


def folder(name: Literal["templates", "static", "migrations"]) -> Path:
    """Return the absolute path of one of the data folders. Raises SetupError where the installation lacks it."""
    for root in _ROOTS:
        if (root / name).is_dir():
            return root / name
    raise SetupError(f"This installation of Minleaf lacks its folder {name!r}. Install Minleaf again.")


@lru_cache
def version() -> str:
    """Return the version of Minleaf as installed, such as "0.1.0"."""
    # Imported here because it takes longer than the rest of the start of the command line.
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("minleaf")
    except PackageNotFoundError:
        return "0+unknown"
