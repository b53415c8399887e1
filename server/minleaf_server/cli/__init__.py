"""The command line: reads flags, calls what does the work, and turns a SetupError into one line and exit code 2.

Nothing here imports the web framework or SQLAlchemy before it is needed, so that `minleaf --help` answers at once.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from minleaf_server.cli import auth_file
from minleaf_server.cli.arguments import parse
from minleaf_server.config import Settings, load
from minleaf_server.errors import SetupError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; `arguments` are those of the process where None. Returns the exit code of the process."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except SetupError as error:
        print(f"minleaf: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _run(arguments: Sequence[str]) -> int:
    chosen = parse(arguments)
    settings = auth_file.completed(load(chosen.settings, os.environ), chosen.default_permission)
    if chosen.command == "db":
        return _database(chosen, settings)
    return _serve(chosen, settings)


def _serve(chosen: Namespace, settings: Settings) -> int:
    from minleaf_server.cli import mlflow_flags
    from minleaf_server.cli.serve import serve

    for line in mlflow_flags.remarks(chosen, os.environ):
        print(f"minleaf: {line}", file=sys.stderr)
    serve(settings, greet=chosen.command == "ui")
    return 0


def _database(chosen: Namespace, settings: Settings) -> int:
    from minleaf_server.cli import database

    commands = {
        "upgrade": database.upgrade,
        "current": database.current,
        "check": database.check,
        "compact": database.compact,
    }
    return commands[chosen.action](settings)
