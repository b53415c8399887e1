"""Every address a page links to is made here, below the prefix the server is mounted at."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

Query = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Links:
    """`prefix` is the request's root path without a slash at its end; `version` changes with the static files."""

    prefix: str = ""
    version: str = ""

    def home(self, query: Query = ()) -> str:
        return self._url("/", query)

    def search(self) -> str:
        return self._url("/search")

    def experiment(self, experiment_id: int, query: Query = ()) -> str:
        return self._url(f"/experiments/{experiment_id}", query)

    def names(self, experiment_id: int) -> str:
        """The names that the filter box of an experiment suggests, as JSON."""
        return self._url(f"/experiments/{experiment_id}/names")

    def run(self, run_id: str, query: Query = ()) -> str:
        return self._url(f"/runs/{quote(run_id, safe='')}", query)

    def compare(self, run_ids: Iterable[str] = (), query: Query = ()) -> str:
        return self._url("/compare", [*(("run", run_id) for run_id in run_ids), *query])

    def static(self, path: str) -> str:
        return self._url(f"/static/{path}", [("v", self.version)] if self.version else ())

    def _url(self, path: str, query: Query = ()) -> str:
        encoded = urlencode(list(query), quote_via=quote, safe="", errors="replace")
        return f"{self.prefix}{path}?{encoded}" if encoded else f"{self.prefix}{path}"


def outside_url(text: str) -> str | None:
    """`text` itself where it is an http or https address that a page may link to, else None."""
    if not text.isprintable() or any(c.isspace() for c in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc else None
