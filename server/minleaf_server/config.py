"""The settings: one table, from which the flags, the environment variables and docs/configuration.md follow.

A value is taken from the flag, else from MINLEAF_<NAME>, else (secrets only) from the file that MINLEAF_<NAME>_FILE
names, else from the variable that `mlflow server` reads for the same thing, else it is the default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, TypeVar

from minleaf_server import parsing
from minleaf_server.errors import SetupError
from minleaf_server.uri import database_uri, resolved

T = TypeVar("T")


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


def _setting(
    default: Any,
    help: str,
    *,
    metavar: str = "",
    parse: Callable[[str], Any] = parsing.filled,
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
        "machine's own needs --auth or --insecure-no-auth.",
        metavar="HOST",
        mlflow="MLFLOW_HOST",
    )
    port: int = _setting(
        5000,
        "Port to listen on; 0 takes a free one.",
        metavar="PORT",
        parse=parsing.integer(0, 65535),
        mlflow="MLFLOW_PORT",
    )
    data: str = _setting("./minleaf-data", "Folder for the database and the artifacts.", metavar="DIR")
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
        "Where artifacts that clients send through the server are kept: a folder, a file:// address or "
        "s3://bucket/prefix.",
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
    serve_artifacts: bool = _setting(
        True,
        "Take artifacts from clients and give them out. Switched off, new experiments get the artifacts destination "
        "itself as their location, and clients need access to it.",
        parse=parsing.boolean,
        shown="on",
        mlflow="MLFLOW_SERVE_ARTIFACTS",
    )
    artifacts_only: bool = _setting(
        False,
        "Do nothing but take artifacts from clients and give them out.",
        parse=parsing.boolean,
        mlflow="MLFLOW_ARTIFACTS_ONLY",
    )
    allow_artifact_location: tuple[str, ...] = _setting(
        (),
        "Further folders, file:// and s3:// addresses, separated by commas, that the server reads and writes where an "
        "experiment has its artifacts there. Every other location is refused.",
        metavar="URI,...",
        parse=parsing.names,
        shown="none",
    )
    model_version_sources: str = _setting(
        "",
        "Regular expression that the source of every new model version has to match somewhere, such as "
        "^mlflow-artifacts:/; that of a prompt too, which is dummy-source or prompt-template.",
        metavar="REGEX",
        parse=parsing.pattern,
        shown="none",
        mlflow="MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX",
    )
    static_prefix: str = _setting(
        "",
        "Path under which a proxy in front serves Minleaf, such as /minleaf.",
        metavar="PATH",
        parse=parsing.prefix,
        shown="none",
        mlflow="MLFLOW_STATIC_PREFIX",
    )
    workers: int = _setting(
        1,
        "Processes that answer requests. More than one needs Postgres.",
        metavar="N",
        parse=parsing.integer(1, 256),
        mlflow="MLFLOW_WORKERS",
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (),
        "Further names under which browsers and clients may call this server, with or without a port, separated by "
        "commas; `*.example.org` stands for every name below a domain. This machine's own names are always allowed.",
        metavar="HOST[:PORT],...",
        parse=parsing.names,
        shown="none",
        mlflow="MLFLOW_SERVER_ALLOWED_HOSTS",
    )
    cors_allowed_origins: tuple[str, ...] = _setting(
        (),
        "Origins of other web pages that may call this server, such as https://app.example.org, separated by commas. "
        "`https://*.example.org` stands for every name below a domain; a bare * is not taken.",
        metavar="ORIGIN,...",
        parse=parsing.names,
        shown="none",
        mlflow="MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
    )
    x_frame_options: str = _setting(
        "SAMEORIGIN",
        "The X-Frame-Options header of every answer: DENY, SAMEORIGIN, or NONE for no such header. The "
        "Content-Security-Policy forbids every frame in any case.",
        metavar="VALUE",
        parse=parsing.frame_options,
        mlflow="MLFLOW_SERVER_X_FRAME_OPTIONS",
    )
    auth: bool = _setting(
        False,
        "Ask for a login: users, passwords and permissions as in MLflow's basic-auth. `--app-name basic-auth` means "
        "the same.",
        parse=parsing.boolean,
    )
    admin_username: str = _setting(
        "",
        "Name of the administrator who is made when a server with --auth first starts.",
        metavar="NAME",
        shown="admin",
        mlflow="MLFLOW_AUTH_ADMIN_USERNAME",
    )
    admin_password: str = _setting(
        "",
        "Password of that administrator, at least 12 characters. It counts only while there is no such user, and has "
        "no default. Give it as a variable or a file: a flag can be read by every user of the machine.",
        metavar="PASSWORD",
        shown="none",
        mlflow="MLFLOW_AUTH_ADMIN_PASSWORD",
        secret=True,
    )
    default_permission: str = _setting(
        "",
        "With --auth: what a user may do with experiments and models on which nothing was granted: NO_PERMISSIONS, "
        "READ, EDIT or MANAGE. With `--app-name basic-auth` the default is READ, as with MLflow.",
        metavar="PERMISSION",
        parse=parsing.permission,
        shown="NO_PERMISSIONS",
    )
    auth_config_path: str = _setting(
        "",
        "File in the form of MLflow's basic_auth.ini, from which the name and the password of the administrator and "
        "the default permission are taken where they are not given otherwise.",
        metavar="FILE",
        shown="none",
        mlflow="MLFLOW_AUTH_CONFIG_PATH",
    )
    insecure_no_auth: bool = _setting(
        False,
        "Listen on an address that others can reach although nobody has to log in. For networks in which everyone "
        "may read and write everything.",
        parse=parsing.boolean,
    )
    trusted_proxy: str = _setting(
        "",
        "Address of the proxy in front of this server. Requests that a proxy has passed on are refused otherwise.",
        metavar="IP[,IP...]",
        shown="none",
        parse=lambda text: text,
    )
    max_body_bytes: int = _setting(
        20 * 2**20,
        "Largest request body that is taken, in bytes.",
        metavar="N",
        parse=parsing.integer(2**10, 2**40),
    )
    search_memory_mb: int = _setting(
        256,
        "Memory of each process for the columns by which runs are searched, in MB; 0 for none. Those used least "
        "recently are dropped, and a search that needs more is answered by the database, which takes longer.",
        metavar="MB",
        parse=parsing.integer(0, 2**20),
    )
    answer_memory_mb: int = _setting(
        64,
        "Memory of each process for runs as they were last answered, in MB, so that a run that has not changed is not "
        "read again; 0 for none.",
        metavar="MB",
        parse=parsing.integer(0, 2**20),
    )
    graphql_max_root_fields: int = _setting(
        10,
        "How many root fields one GraphQL query may have.",
        metavar="N",
        parse=parsing.integer(1, 1000),
        mlflow="MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS",
    )
    graphql_max_aliases: int = _setting(
        10,
        "How many aliases one selection of a GraphQL query may have.",
        metavar="N",
        parse=parsing.integer(1, 1000),
        mlflow="MLFLOW_SERVER_GRAPHQL_MAX_ALIASES",
    )
    webhook_schemes: tuple[str, ...] = _setting(
        ("https",),
        "Kinds of address that webhooks may have: https, http or both. With http, webhooks may also call this machine "
        "itself by http://localhost.",
        metavar="SCHEME,...",
        parse=parsing.schemes,
        shown="https",
        mlflow="MLFLOW_WEBHOOK_ALLOWED_SCHEMES",
    )
    webhook_private_networks: tuple[IPv4Network | IPv6Network, ...] = _setting(
        (),
        "Networks of non-public addresses that webhooks may call, separated by commas, such as 10.1.0.0/16; true "
        "stands for this machine and every private network. Other non-public addresses are never called.",
        metavar="NETWORK,...",
        parse=parsing.networks,
        shown="none",
        mlflow="MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS",
    )
    webhook_secret_key: tuple[str, ...] = _setting(
        (),
        "Fernet key with which the secrets of webhooks are encrypted. Postgres needs it as soon as a webhook has a "
        "secret, the same on every server.",
        metavar="KEY",
        parse=parsing.fernet_keys,
        shown="with SQLite the file <data>/webhook.key",
        mlflow="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
        secret=True,
    )
    webhook_timeout: int = _setting(
        5,
        "Seconds that one call of a webhook may take as a whole.",
        metavar="SECONDS",
        parse=parsing.integer(1, 300),
        mlflow="MLFLOW_WEBHOOK_REQUEST_TIMEOUT",
    )
    webhook_retries: int = _setting(
        3,
        "How often a webhook that does not answer, or answers 429, 500, 502, 503 or 504, is called again.",
        metavar="N",
        parse=parsing.integer(0, 20),
        mlflow="MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES",
    )
    webhook_threads: int = _setting(
        10,
        "Webhooks that are called at the same time.",
        metavar="N",
        parse=parsing.integer(1, 100),
        mlflow="MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS",
    )
    webhook_cache_seconds: int = _setting(
        60,
        "Seconds after which another process on the same database learns of a change to a webhook.",
        metavar="SECONDS",
        parse=parsing.integer(0, 86_400),
        mlflow="MLFLOW_WEBHOOK_CACHE_TTL",
    )
    log_level: str = _setting(
        "info", f"How much is written to stderr: {', '.join(parsing.LOG_LEVELS)}.", metavar="LEVEL", parse=parsing.level
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
    root = settings.default_artifact_root
    if not settings.serve_artifacts and root == "mlflow-artifacts:/":
        root = destination
    values = {row.name: getattr(settings, row.name) for row in TABLE}
    completed = {
        "backend_store_uri": database_uri(uri),
        "artifacts_destination": destination,
        "default_artifact_root": resolved(root, Path.cwd()),
    }
    return Settings(**values | completed)
