"""Addresses: which databases are understood, how they are shown without their password, and where artifacts lie."""

import re
from pathlib import Path, PurePosixPath

from minleaf_server.errors import SetupError

_EXAMPLES = "sqlite:///minleaf.db, sqlite:////absolute/path.db or postgresql://user:password@host/name"
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+psycopg2cffi")
_SQLITE = ("sqlite", "sqlite+pysqlite")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
# To the last @: a password that was not percent-encoded may hold a slash, a question mark or an @ of its own.
_USER_INFO = re.compile(r"(?s)(?<=//)([^:/?#@]*):.*(?=@)")
_SERVER = re.compile(
    r"://([^:/?#@]*(:[^/?#@]*)?@)?"  # user and password
    r"([^:/?#@\[\]]*|\[[0-9A-Fa-f:.%]+\])(:[0-9]{1,5})?"  # host and port
    r"/[^/?#@]*(\?[^#]*)?"  # name and options
)
_SECRET_OPTION = re.compile(r"(?i)(?<=[?&])((?:ssl)?password)=[^&#]*")


def without_password(uri: str) -> str:
    """Return the address with every password replaced by ***, fit for logs and messages."""
    return _SECRET_OPTION.sub(r"\1=***", _USER_INFO.sub(r"\1:***", uri))


def database_uri(uri: str) -> str:
    """Return the address of a database as Minleaf uses it: sqlite:///… or postgresql+psycopg://…

    Takes what MLflow takes, with other names of the Postgres driver too. Raises SetupError for anything else.
    """
    match = _SCHEME.match(uri)
    scheme = match.group().lower() if match else ""
    if scheme in _SQLITE:
        return _sqlite(uri[len(scheme) :])
    if scheme in _POSTGRES:
        rest = uri[len(scheme) :]
        if not _SERVER.fullmatch(rest):
            raise _wrong(uri, "it cannot be read (in a password, write @ as %40, / as %2F, ? as %3F, # as %23)")
        return f"postgresql+psycopg{rest}"
    if scheme in ("mysql", "mssql", "oracle") or "+" in scheme:
        raise _wrong(uri, f"{scheme.split('+')[0]} is not supported")
    if scheme in ("", "file") and "@" not in uri:
        raise _wrong(uri, "a folder of files (an mlruns folder) is not supported")
    raise _wrong(uri, "it names no database that Minleaf knows")


def resolved(location: str, folder: Path) -> str:
    """A place for artifacts with a relative path (`runs`, `file:runs`) made absolute in `folder`, any other as it is.

    As MLflow writes it: a plain path stays one, and a `file:` address has three slashes.
    """
    scheme, path = "", location
    if location.startswith("file:"):
        scheme, path = "file://", location.removeprefix("file:")
    if path.startswith("/") or _SCHEME.match(path):
        return location
    return scheme + str(PurePosixPath(folder.as_posix()) / path)


def appended(location: str, *names: str) -> str:
    """The place `names` below this one: behind its path, and before the query and fragment that an address may have."""
    base, rest = location, ""
    if _SCHEME.match(location):
        end = min((location.find(mark) for mark in "?#" if mark in location), default=len(location))
        base, rest = location[:end], location[end:]
    return "/".join([base.rstrip("/"), *names]) + rest


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite address that `database_uri` returned, or None for Postgres."""
    if not uri.startswith("sqlite:///"):
        return None
    return Path(uri.removeprefix("sqlite:///").partition("?")[0])


def _sqlite(rest: str) -> str:
    path = rest.removeprefix(":///").partition("?")[0]
    if not rest.startswith(":///"):
        raise _wrong(f"sqlite{rest}", "three slashes have to follow the colon, and then the path of a file")
    if path in ("", ":memory:") or path.startswith("file:"):
        raise _wrong(f"sqlite{rest}", "SQLite needs the path of a file, or nothing would be kept")
    return f"sqlite{rest}"


def _wrong(uri: str, reason: str) -> SetupError:
    return SetupError(f"The backend store URI {without_password(uri)!r} cannot be used: {reason}. Give {_EXAMPLES}.")
