"""The command `minleaf`, also `python -m minleaf_server`."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec

# One module of each package of the extra "server" that every start needs.
_REQUIRED = ("alembic", "jinja2", "msgspec", "numpy", "sqlalchemy", "starlette", "uvicorn", "zstandard")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; 2 with a hint where the server's packages are not installed."""
    # Asks for the packages instead of catching ImportError, which would hide a real mistake in an import.
    missing = [name for name in _REQUIRED if find_spec(name) is None]
    if missing:
        hint = 'pip install "minleaf[server]"'
        print(f"minleaf: the server is not installed ({', '.join(missing)} missing). Run: {hint}", file=sys.stderr)
        return 2
    from minleaf_server import cli

    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
