"""The flags and their help texts."""

import sys
import textwrap
from argparse import Action, ArgumentParser, HelpFormatter, Namespace, _SubParsersAction
from collections.abc import Sequence
from typing import Any, NoReturn

from minleaf_server.cli import mlflow_flags
from minleaf_server.config import TABLE, Setting
from minleaf_server.errors import SetupError

# `-h` is the host, as in `mlflow server`; help is `--help`.
_SHORT = {"host": "-h", "port": "-p", "workers": "-w"}
_GROUPS = {
    "Where it listens": ("host", "port", "static_prefix", "workers"),
    "Where data is kept": (
        "data",
        "backend_store_uri",
        "artifacts_destination",
        "default_artifact_root",
        "serve_artifacts",
        "artifacts_only",
        "allow_artifact_location",
    ),
    "Who may call it": (
        "allowed_hosts",
        "cors_allowed_origins",
        "x_frame_options",
        "auth",
        "admin_username",
        "admin_password",
        "default_permission",
        "auth_config_path",
        "insecure_no_auth",
        "trusted_proxy",
    ),
    "Webhooks": (
        "webhook_schemes",
        "webhook_private_networks",
        "webhook_secret_key",
        "webhook_timeout",
        "webhook_retries",
        "webhook_threads",
        "webhook_cache_seconds",
    ),
}
"""The settings in the order of the help text. Those in no group stand under "Other"."""
_ABOUT = """Track machine-learning experiments: logs what MLflow's client sends, shows and compares runs.

  minleaf ui        serve the pages and the API on this machine
  minleaf server    the same, said as `mlflow server` is said
  minleaf db        upgrade, look at or compact the database

`minleaf COMMAND --help` explains the flags of a command."""
_ABOUT_SERVE = """Serve the pages and the API. Without any flag: at http://127.0.0.1:5000, data in ./minleaf-data.

Every flag can also be given as the environment variable in [brackets], a secret also as a file that
<VARIABLE>_FILE names. A flag wins over a variable. The variables of `mlflow server` are read too, after these."""


def parse(arguments: Sequence[str]) -> Namespace:
    """Return the command, its settings (`.settings`, name to text) and the flags of MLflow that were given.

    Prints help or the version and exits with code 0 where that is asked for. Raises SetupError for a wrong flag.
    """
    if list(arguments[1:]) == ["-h"]:
        arguments = [arguments[0], "--help"]
    chosen = _parser().parse_args(arguments)
    given = {row.name: getattr(chosen, row.name, None) for row in TABLE}
    chosen.settings = {name: _joined(found) for name, found in given.items() if found is not None}
    chosen.default_permission = ""
    if getattr(chosen, mlflow_flags.APP_NAME.name, None) == mlflow_flags.BASIC_AUTH:
        # Whoever asks for MLflow's app by its name expects what it does.
        chosen.settings["auth"] = "true"
        chosen.default_permission = "READ"
    return chosen


def _joined(found: str | list[str]) -> str:
    """A list that was given as several flags, as the text of one."""
    return found if isinstance(found, str) else ",".join(found)


class _Parser(ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, formatter_class=_Formatter, **options)

    def error(self, message: str) -> NoReturn:
        raise SetupError(f"{message}. See {self.prog} --help.")


class _Formatter(HelpFormatter):
    """Keeps the line breaks of descriptions, and gives flags and their help lines of their own."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=6, width=100)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return textwrap.indent(text, indent)

    def _format_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None) -> str:
        last = {"minleaf": "COMMAND", "minleaf db": "ACTION"}.get(self._prog, "[FLAGS]")
        return f"Usage: {self._prog} {last}\n\n"


class _Version(Action):
    def __call__(self, *_arguments: object, **_options: object) -> NoReturn:
        from minleaf_server.resources import version

        print(f"minleaf {version()}")
        sys.exit(0)


def _parser() -> ArgumentParser:
    parser = _Parser(prog="minleaf", description=_ABOUT)
    parser.add_argument("--version", action=_Version, nargs=0, help="Print the version.")
    _add_help(parser, "-h", "--help")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for name in ("ui", "server"):
        _add_serve(commands.add_parser(name, prog=f"minleaf {name}", description=_ABOUT_SERVE))
    _add_database(commands)
    return parser


def _add_help(parser: ArgumentParser, *flags: str) -> None:
    parser.add_argument(*flags, action="help", help="Print this text.")


def _add_serve(parser: ArgumentParser) -> None:
    rows = {row.name: row for row in TABLE}
    groups = {title: [rows.pop(name) for name in names] for title, names in _GROUPS.items()}
    for title, settings in {**groups, "Other": list(rows.values())}.items():
        group = parser.add_argument_group(title)
        for row in settings:
            _add_setting(group, row)
    _add_help(parser.add_argument_group("Help"), "--help")  # type: ignore[arg-type]
    mlflow_flags.add(parser.add_argument_group("Flags of `mlflow server` that are taken and do nothing here"))


def _add_setting(parser: Any, row: Setting) -> None:
    flags = [flag for flag in (row.flag, _SHORT.get(row.name)) if flag]
    text = f"{row.help} Default: {row.default}. [{row.variable}]".replace("%", "%%")
    if row.metavar.endswith(",..."):
        parser.add_argument(*flags, dest=row.name, metavar=row.metavar, help=text, action="append")
    elif row.metavar:
        parser.add_argument(*flags, dest=row.name, metavar=row.metavar, help=text)
    else:
        parser.add_argument(*flags, dest=row.name, action="store_const", const="true", help=text)
    if row.default == "on":
        off = f"--no-{row.flag.removeprefix('--')}"
        parser.add_argument(off, dest=row.name, action="store_const", const="false", help=f"Switch {row.flag} off.")


def _add_database(commands: "_SubParsersAction[Any]") -> None:
    parser = commands.add_parser("db", prog="minleaf db", description="Upgrade, look at or compact the database.")
    _add_help(parser, "-h", "--help")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    texts = {
        "upgrade": "Bring the database to the schema of this version. A server does the same when it starts.",
        "current": "Print the schema version of the database.",
        "compact": "Pack the points that were logged since the last time. A running server does the same by itself.",
        "check": "Exit with code 0 where the database has the schema of this version, with 1 where it is older.",
    }
    for name, text in texts.items():
        action = actions.add_parser(name, prog=f"minleaf db {name}", description=text, help=text)
        for row in TABLE:
            if row.name in ("backend_store_uri", "data"):
                _add_setting(action, row)
        _add_help(action, "-h", "--help")
