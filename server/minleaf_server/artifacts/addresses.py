"""Addresses of artifacts, brought to one notation each, so that they can be compared. Pure."""

import re
from collections.abc import Collection
from urllib.parse import unquote, urlsplit

PROXIED = "mlflow-artifacts:/"
"""What clients send through the server, in its one notation."""

_ROUTE = re.compile(r".*?/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts(?=/|$)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")


def scheme_of(address: str) -> str:
    """The scheme in lower case, "" for the path of a file."""
    match = _SCHEME.match(address)
    return match[1].lower() if match else ""


def canonical(address: str, own_hosts: Collection[str] = ()) -> str | None:
    """The one notation of an address, without a slash at its end, or None where it is none that a store can have.

    `/srv/a` for a path, `file:/srv/a`, `file:///srv/a/` and `file://localhost/srv/a`; `s3://bucket/key`; and
    `mlflow-artifacts:/a` for `mlflow-artifacts:a`, `mlflow-artifacts:///a`, and, where `own_hosts` has the host (in
    lower case, with or without its port), for `mlflow-artifacts://host:port/a` and this server's own
    `http://host:port/…/api/2.0/mlflow-artifacts/artifacts/a`. In `file:`, `http:` and `mlflow-artifacts:` addresses `%`
    begins an escape, as it does for MLflow's client; elsewhere it is a character.
    """
    scheme = scheme_of(address)
    if scheme == "":
        return _path(address)
    if any(sign in address for sign in "?#\\"):
        return None
    rest = address[len(scheme) + 1 :]
    if scheme == "file":
        return _path(unquote(_without_host(rest, ("localhost",))))
    if scheme == "s3":
        return f"s3://{rest.strip('/')}" if re.match("//[^/]", rest) else None
    if scheme == "mlflow-artifacts":
        return _proxied(_without_host(rest, own_hosts) if rest.startswith("//") else f"/{rest}")
    if scheme in ("http", "https"):
        path = _without_host(rest, own_hosts)
        match = _ROUTE.match(path)
        return _proxied(path[match.end() :] or "/") if match else None
    return None


def is_below(address: str, root: str) -> bool:
    """Whether a canonical address is `root`, canonical too, or lies below it."""
    return address == root or address.startswith(f"{root.rstrip('/')}/")


def tail(address: str, root: str) -> str:
    """The path from `root` to an address that lies below it; "" for the root itself."""
    return address[len(root) :].strip("/")


def host_of(address: str) -> str:
    """Host and port of an address in lower case, "" where it has none."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        return ""


def _without_host(rest: str, hosts: Collection[str]) -> str:
    """The path of what follows a scheme; "" where it names a host that is not among `hosts`."""
    if not rest.startswith("//"):
        return rest
    host, slash, path = rest[2:].partition("/")
    name = host.lower()
    known = not host or name in hosts or re.sub(r":[0-9]+$", "", name) in hosts
    return slash + path if known and slash else ("/" if known and not slash and host else "")


def _proxied(path: str) -> str | None:
    found = _path(unquote(path))
    return None if found is None else f"mlflow-artifacts:{found}"


def _path(text: str) -> str | None:
    """An absolute path without doubled slashes and without one at its end. None where it is relative."""
    return "/" + re.sub("/+", "/", text).strip("/") if text.startswith("/") else None
