"""Where the server is and who the client is, from the environment.

Every variable is read as `MINLEAF_X` first and as `MLFLOW_X` after it.
"""

import base64
import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

from minleaf.exceptions import ConfigurationError

DEFAULT_URI = "http://127.0.0.1:5000"


def variable(name: str) -> str | None:
    """The value of `MINLEAF_<name>`, else of `MLFLOW_<name>`; an empty one counts as absent."""
    return os.environ.get(f"MINLEAF_{name}") or os.environ.get(f"MLFLOW_{name}") or None


def forget_variable(name: str) -> None:
    """Remove both twins from the environment."""
    os.environ.pop(f"MINLEAF_{name}", None)
    os.environ.pop(f"MLFLOW_{name}", None)


@dataclass(frozen=True)
class Endpoint:
    """A tracking server: `address` without a trailing slash or credentials, and the Authorization header or None."""

    address: str
    authorization: str | None

    def __repr__(self) -> str:
        # Without the credentials, which would end up in logs.
        return f"Endpoint({self.address!r})"


def endpoint(uri: str) -> Endpoint:
    """The server that a tracking URI names, with the credentials of the URI, else those of the environment.

    A path in the URI is kept as a prefix. Raises ConfigurationError.
    """
    address, from_uri = _split(uri)
    return Endpoint(address, from_uri or _authorization("MINLEAF") or _authorization("MLFLOW"))


def _split(uri: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(uri.strip())
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"The tracking URI cannot be read: {error}.") from error
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"The tracking URI {_without_credentials(uri)!r} does not start with http:// or https://. This client logs "
            "to a server: start one with `minleaf ui` and use the address it prints."
        )
    if not parts.hostname or parts.query or parts.fragment:
        raise ConfigurationError(
            f"The tracking URI {_without_credentials(uri)!r} is not of the form http://host:port/prefix."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    address = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
    if parts.username is None:
        return address, None
    return address, _basic(unquote(parts.username), unquote(parts.password or ""))


def _without_credentials(uri: str) -> str:
    scheme, separator, rest = uri.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{separator}{place.rpartition('@')[2]}{slash}{path}"


def _authorization(prefix: str) -> str | None:
    """Basic with user name and password, else Bearer with the token, as MLflow decides it."""
    user = os.environ.get(f"{prefix}_TRACKING_USERNAME")
    password = os.environ.get(f"{prefix}_TRACKING_PASSWORD")
    if user and password:
        return _basic(user, password)
    token = os.environ.get(f"{prefix}_TRACKING_TOKEN")
    if not token:
        return None
    if not token.isascii() or any(sign.isspace() for sign in token):
        raise ConfigurationError(f"{prefix}_TRACKING_TOKEN must be plain ASCII without spaces or line breaks.")
    return f"Bearer {token}"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def user_name() -> str | None:
    """The name under which the client signs in, if the environment has one."""
    return variable("TRACKING_USERNAME")
