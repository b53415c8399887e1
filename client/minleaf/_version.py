"""The version of the installed distribution."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The distribution's version, or "0+unknown" where the package runs from a folder that was never installed."""
    try:
        return version("minleaf")
    except PackageNotFoundError:
        return "0+unknown"


__version__ = installed_version()
