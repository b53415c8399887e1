"""Which artifact stores this server serves, and which of them an address means."""

from dataclasses import dataclass

from minleaf_server.artifacts.repository import Repository
from minleaf_server.config import Settings
from minleaf_server.errors import PermissionDenied


@dataclass(frozen=True, slots=True)
class Place:
    """A path in one of the stores."""

    repository: Repository
    path: str


class Stores:
    """The configured stores by the prefix of the addresses that lie in them. No other address is ever opened."""

    def __init__(self, repositories: dict[str, Repository]) -> None:
        self._repositories = repositories

    @classmethod
    def open(cls, settings: Settings) -> "Stores":
        """The stores of `artifacts_destination` (as `mlflow-artifacts:/`) and of `default_artifact_root`."""
        return cls({})

    def locate(self, uri: str) -> Place:
        """Where an artifact address of the database lies. Raises PermissionDenied outside the configured stores."""
        raise PermissionDenied("This location lies outside the artifact stores of this server.")
