"""A whole server over a real folder of artifacts, on a socket, for requests that no client would send."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from minleaf_server.app import build
from minleaf_server.config import Settings, load
from minleaf_server.db.store import Store
from minleaf_server.tracking.services import Services
from tests.app.live import Answer, Live

PROXIED = "/api/2.0/mlflow-artifacts/artifacts"


@dataclass(frozen=True)
class Site:
    """`root` is the store's folder; `outside` is its parent's, in which canary files lie."""

    live: Live
    services: Services
    root: Path
    outside: Path
    prefix: str

    def call(self, method: str, path: str, *headers: str, body: bytes = b"") -> Answer:
        """One request with exactly this path, below the static prefix."""
        return self.live.request(method, self.prefix + path, *headers, body=body)

    def put(self, path: str, body: bytes = b"x") -> Answer:
        """An upload to a path as it stands in the address."""
        # Without a body there is no Content-Length either, and no file.
        length = () if body else ("Content-Length: 0",)
        return self.call("PUT", f"{PROXIED}/{path}", *length, body=body)

    def get(self, path: str, *headers: str) -> Answer:
        """A download from a path as it stands in the address."""
        return self.call("GET", f"{PROXIED}/{path}", *headers)

    def files(self) -> dict[str, bytes]:
        """Every file below the store's folder, by its path there."""
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in found}

    def around(self) -> dict[str, bytes]:
        """Every file outside the store's folder that a request could have reached by mistake, but the database's."""
        found = (path for path in self.outside.rglob("*") if path.is_file() and not path.is_relative_to(self.root))
        kept = (path for path in found if not path.name.startswith("minleaf."))
        return {str(path.relative_to(self.outside)): path.read_bytes() for path in kept}


@contextmanager
def site(folder: Path, **settings: object) -> Iterator[Site]:
    """A running server over an empty store. The database is SQLite: which one it is makes no difference here."""
    outside = folder / uuid4().hex
    root = outside / "data" / "artifacts"
    root.mkdir(parents=True)
    for canary in (outside / "canary", outside / "data" / "canary", outside / "data" / "artifacts-canary"):
        canary.write_text("untouched")
    complete: Settings = replace(load({"data": str(outside / "data")}, {}), **settings)  # type: ignore[arg-type]
    store = Store.open(complete.backend_store_uri, complete.default_artifact_root)
    services = Services.over(store, complete)
    try:
        with Live(lambda port: build(replace(complete, port=port), services)) as live:
            yield Site(live, services, root, outside, complete.static_prefix)
    finally:
        services.close()
