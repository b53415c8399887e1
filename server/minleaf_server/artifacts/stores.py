"""Which artifact stores this server serves, and which of them an address means."""

import os.path
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from minleaf_server.artifacts.addresses import PROXIED, canonical, host_of, is_below, scheme_of, tail
from minleaf_server.artifacts.local import LocalRepository
from minleaf_server.artifacts.paths import checked_folder
from minleaf_server.artifacts.repository import Repository
from minleaf_server.config import Settings
from minleaf_server.errors import InvalidParameter, PermissionDenied, SetupError
from minleaf_server.uri import resolved, sqlite_path

# What the server keeps in its data folder beside the artifacts.
_STATE = ("minleaf.", "webhook.key")
_FORMS = "a folder, a file:// address or s3://bucket/prefix"


@dataclass(frozen=True, slots=True)
class Place:
    """A path in one of the stores; "" is the root of the store."""

    repository: Repository
    path: str


class Stores:
    """The configured stores by the canonical address under which they lie. No other address is ever opened."""

    def __init__(
        self, repositories: Mapping[str, Repository], destination: str, own_hosts: frozenset[str] = frozenset()
    ) -> None:
        # The longest first: a store may lie within another.
        self._repositories = dict(sorted(repositories.items(), key=lambda item: -len(item[0])))
        self._destination = destination
        self._own_hosts = own_hosts

    @classmethod
    def open(cls, settings: Settings) -> "Stores":
        """The stores of `artifacts_destination` (as `mlflow-artifacts:/`), `default_artifact_root` and
        `allow_artifact_location`.

        Makes no folder and no connection. Raises SetupError where one of the settings names no possible store.
        """
        hosts = _own_hosts(settings)
        repositories = {PROXIED: _repository(settings.artifacts_destination, "--artifacts-destination", settings)}
        root = canonical(resolved(settings.default_artifact_root, Path.cwd()), hosts)
        if root is not None and not is_below(root, PROXIED):
            repositories[root] = _repository(root, "--default-artifact-root", settings)
        for prefix in settings.allow_artifact_location:
            name = _canonical_store(prefix, "--allow-artifact-location")
            repositories.setdefault(name, _repository(name, "--allow-artifact-location", settings))
        return cls(repositories, _canonical_store(settings.artifacts_destination, "--artifacts-destination"), hosts)

    def locate(self, uri: str) -> Place:
        """Where an artifact address of the database lies. Raises PermissionDenied outside the configured stores."""
        address = canonical(uri, self._own_hosts)
        for root, repository in self._repositories.items():
            if address is not None and is_below(address, root):
                try:
                    return Place(repository, checked_folder(tail(address, root)))
                except InvalidParameter:
                    break
        raise PermissionDenied(
            "This location lies outside the artifact stores of this server. Whoever runs it can add the location with "
            "--allow-artifact-location."
        )

    def covers(self, uri: str) -> bool:
        """Whether `locate` finds the address in a store. Pure: nothing is opened."""
        try:
            self.locate(uri)
        except PermissionDenied:
            return False
        return True

    def real_address(self, uri: str) -> str | None:
        """The canonical address of what `locate` would open, of the proxied store that behind it; None outside.

        So two addresses of one file are one, although a store may be configured under several.
        """
        address = canonical(uri, self._own_hosts)
        if address is None or not self.covers(uri):
            return None
        if not is_below(address, PROXIED):
            return address
        return "/".join((self._destination.rstrip("/"), tail(address, PROXIED))).rstrip("/")

    def prefixes(self) -> tuple[str, ...]:
        """The stores in every notation in which a client may write them, for checks that compare text."""
        return tuple(prefix for root in self._repositories for prefix in _notations(root))


def _notations(root: str) -> Iterator[str]:
    yield root
    if root.startswith("/"):
        yield f"file://{quote(root)}"
        yield f"file:{quote(root)}"


def _own_hosts(settings: Settings) -> frozenset[str]:
    """Hosts whose proxied artifacts are ours: this machine's names with our port, and what the operator has named."""
    names = {"localhost", "127.0.0.1", "[::1]", f"[{settings.host}]" if ":" in settings.host else settings.host}
    hosts = {f"{name}:{settings.port}".lower() for name in names} | {name.lower() for name in settings.allowed_hosts}
    if scheme_of(settings.default_artifact_root) in ("http", "https", "mlflow-artifacts"):
        hosts.add(host_of(settings.default_artifact_root))
    return frozenset(hosts - {""})


def _canonical_store(location: str, flag: str) -> str:
    if not location:
        # It would mean the folder in which the server was started, with whatever lies there.
        raise SetupError(f"{flag} is empty: give {_FORMS}.")
    address = canonical(resolved(location, Path.cwd()))
    if address is not None and address.startswith("/"):
        address = os.path.normpath(address)
    if address is None or is_below(address, PROXIED):
        raise SetupError(f"{flag} {location!r} names no artifact store that Minleaf knows: give {_FORMS}.")
    if address == "/":
        raise SetupError(f"{flag} {location!r} would serve the whole disk: name a folder in it.")
    return address


def _repository(location: str, flag: str, settings: Settings) -> Repository:
    address = _canonical_store(location, flag)
    if not address.startswith("s3:"):
        return LocalRepository(Path(address), _files_of_the_server(Path(address), settings))
    if find_spec("obstore") is None:
        raise SetupError(f'{flag} {location!r} needs one more package: pip install "minleaf[s3]".')
    from minleaf_server.artifacts.s3 import S3Repository

    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    return S3Repository(bucket, prefix)


def _files_of_the_server(root: Path, settings: Settings) -> list[str]:
    """How the paths of what lies below the root and is no artifact begin: the database with the files beside it, keys.

    MLflow is often given one folder for everything, and then its database can be downloaded as an artifact.
    """
    database = sqlite_path(settings.backend_store_uri)
    kept = [Path(settings.data) / name for name in _STATE] + ([] if database is None else [database])
    absolute = [Path(os.path.abspath(path)) for path in kept]
    return [str(path.relative_to(root)) for path in absolute if path.is_relative_to(root)]
