"""The settings: one table, from which the flags, the environment variables and docs/configuration.md follow.

A value is taken from the flag, else from MINLEAF_<NAME>, else (secrets only) from the file that MINLEAF_<NAME>_FILE
names, else from the variable that `mlflow server` reads for the same thing, else it is the default.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from minleaf_server.errors import SetupError
from minleaf_server.uri import database_uri

T = TypeVar("T")

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Setting:
    """One row of the table: how a field of Settings is read and explained. `metavar` "" marks a switch."""

    name: str
    default: str
    """The default as a person would write it."""
    help: str
    metavar: str
    parse: Callable[[str], Any]
    mlflow: str
    """The variable of `mlflow server` with the same meaning, or ""."""
    secret: bool

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "MINLEAF_" + self.name.upper()


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
        if value is None or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def _boolean(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _prefix(text: str) -> str:
    if text and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise ValueError("a path such as /minleaf: it begins with a slash, does not end with one, and has no odd signs")
    return text


def _level(text: str) -> str:
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"one of {', '.join(LOG_LEVELS)}")
    return text.lower()


def _filled(text: str) -> str:
    if not text:
        raise ValueError("a value that is not empty")
    return text


def _setting(
    default: Any,
    help: str,
    *,
    metavar: str = "",
    parse: Callable[[str], Any] = _filled,
    shown: str | None = None,
    mlflow: str = "",
    secret: bool = False,
) -> Any:
    row = {"help": help, "metavar": metavar, "parse": parse, "mlflow": mlflow, "secret": secret}
    text = "off" if default is False else str(default)
    return field(default=default, metadata={**row, "default": text if shown is None else shown})


@dataclass(frozen=True)
class Settings:
    """How a server runs. Make it with `load`, which fills in the defaults that depend on other values."""

    host: str = _setting(
        "127.0.0.1",
        "Address to listen on. Anyone who can reach it can read and write everything, so any address but this "
        "machine's own needs --insecure-no-auth.",
        metavar="HOST",
        mlflow="MLFLOW_HOST",
    )
    port: int = _setting(
        5000,
        "Port to listen on; 0 takes a free one.",
        metavar="PORT",
        parse=_integer(0, 65535),
        mlflow="MLFLOW_PORT",
    )
    data: str = _setting(
        "./minleaf-data", "Folder for the database, and for the artifacts when they come.", metavar="DIR"
    )
    backend_store_uri: str = _setting(
        "",
        "Database, as an SQLAlchemy address: sqlite:///file.db or postgresql://user:password@host/name.",
        metavar="URI",
        parse=lambda text: text,
        shown="sqlite:///<data>/minleaf.db",
        mlflow="MLFLOW_BACKEND_STORE_URI",
        secret=True,
    )
    artifacts_destination: str = _setting(
        "",
        "Where artifacts that clients send through the server are to be kept. This version takes no artifacts yet.",
        metavar="URI",
        parse=lambda text: text,
        shown="<data>/artifacts",
        mlflow="MLFLOW_ARTIFACTS_DESTINATION",
    )
    default_artifact_root: str = _setting(
        "mlflow-artifacts:/",
        "Where the artifact locations of new experiments start. The default names this server.",
        metavar="URI",
        mlflow="MLFLOW_DEFAULT_ARTIFACT_ROOT",
    )
    static_prefix: str = _setting(
        "",
        "Path under which a proxy in front serves Minleaf, such as /minleaf.",
        metavar="PATH",
        parse=_prefix,
        shown="none",
        mlflow="MLFLOW_STATIC_PREFIX",
    )
    workers: int = _setting(
        1,
        "Processes that answer requests. More than one needs Postgres.",
        metavar="N",
        parse=_integer(1, 256),
        mlflow="MLFLOW_WORKERS",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        "Further names under which browsers and clients may call this server, with or without a port, separated by "
        "commas. This machine's own names are always allowed.",
        metavar="HOST[:PORT],...",
        parse=_names,
        shown="none",
        mlflow="MLFLOW_SERVER_ALLOWED_HOSTS",
    )
    insecure_no_auth: bool = _setting(
        False,
        "Listen on an address that others can reach although nobody has to log in. For networks in which everyone "
        "may read and write everything.",
        parse=_boolean,
    )
    trusted_proxy: str = _setting(
        "",
        "Address of the proxy in front of this server. Requests that a proxy has passed on are refused otherwise.",
        metavar="IP[,IP...]",
        shown="none",
        parse=lambda text: text,
    )
    max_body_bytes: int = _setting(
        16 * 2**20,
        "Largest request body that is taken, in bytes.",
        metavar="N",
        parse=_integer(2**10, 2**40),
    )
    log_level: str = _setting(
        "info", f"How much is written to stderr: {', '.join(LOG_LEVELS)}.", metavar="LEVEL", parse=_level
    )


TABLE: tuple[Setting, ...] = tuple(Setting(name=row.name, **row.metadata) for row in fields(Settings))
"""Every setting, in the order of the help text."""


def load(flags: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """Return the settings from flags (name of the setting to its text) and environment variables.

    Raises SetupError that names the flag or the variable whose value is wrong, without showing a secret.
    """
    known = {row.name for row in TABLE}
    if unknown := flags.keys() - known:
        raise KeyError(f"no such setting: {sorted(unknown)}")
    values = {}
    for row in TABLE:
        found = _find(row, flags, environ)
        if found is not None:
            values[row.name] = _parse(row, *found)
    return _complete(Settings(**values))


def _find(row: Setting, flags: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return where the value comes from and its text, or None where the default holds."""
    if row.name in flags:
        return row.flag, flags[row.name]
    file = f"{row.variable}_FILE"
    if row.secret and environ.get(file):
        if row.variable in environ:
            raise SetupError(f"{row.variable} and {file} are both set: keep one of them.")
        return file, _read_secret(file, environ[file])
    for variable in (row.variable, row.mlflow):
        # An empty variable is what a compose file makes of one that is not set.
        if environ.get(variable):
            return variable, environ[variable]
    return None


def _read_secret(variable: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SetupError(f"{variable} names {path!r}, which cannot be read: {reason}.") from None
    if not text:
        raise SetupError(f"{variable} names {path!r}, which is empty.")
    return text


def _parse(row: Setting, source: str, text: str) -> Any:
    try:
        return row.parse(text)
    except ValueError as error:
        shown = "" if row.secret else f" {text!r}"
        raise SetupError(f"{source}{shown} is not right: it has to be {error}.") from None


def _complete(settings: Settings) -> Settings:
    data = Path(settings.data)
    uri = settings.backend_store_uri or f"sqlite:///{data / 'minleaf.db'}"
    destination = settings.artifacts_destination or str(data / "artifacts")
    values = {row.name: getattr(settings, row.name) for row in TABLE}
    return Settings(**{**values, "backend_store_uri": database_uri(uri), "artifacts_destination": destination})
