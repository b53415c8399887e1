"""Use cases of artifacts: where those of a run, a model or the proxied store lie, and what may be deleted there.

Nothing that a request names is ever opened as it stands. A location comes from the database and has to lie in one of
the configured stores; the path below it is checked.
"""

import re
from dataclasses import dataclass

from minleaf_server.artifacts.addresses import PROXIED
from minleaf_server.artifacts.paths import checked, checked_folder
from minleaf_server.artifacts.repository import FileInfo
from minleaf_server.artifacts.stores import Place
from minleaf_server.errors import InvalidParameter, NotFound
from minleaf_server.tracking import logged_models, model_versions, runs
from minleaf_server.tracking.services import Services

# Below what belongs to one run, one logged model or one trace. In front of it stands the location of the experiment.
_DELETABLE = re.compile(
    r"(?:[^/]+/)*(?:[0-9a-f]{32}|models/m-[0-9a-f]{32}|traces/[^/]+)/artifacts(?:/.*)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Root:
    """Where the artifacts of something start. `uri` is the address that clients know it by."""

    uri: str
    place: Place

    def at(self, path: str) -> Place:
        """The place of a file. Raises InvalidParameter for a path that is not one."""
        return Place(self.place.repository, _join(self.place.path, checked(path)))

    async def entries(self, folder: str) -> list[FileInfo]:
        """What a folder holds, sorted by path; "" is the root itself. Their paths are the store's.

        Raises InvalidParameter.
        """
        return await self.place.repository.entries(_join(self.place.path, checked_folder(folder)))


def proxied(services: Services) -> Root:
    """The store that clients reach through this server."""
    return Root(PROXIED, services.artifacts.locate(PROXIED))


async def of_run(services: Services, run_id: str) -> Root:
    """The artifacts of a run; of a deleted one too. Raises NotFound, PermissionDenied outside the stores."""
    info = (await runs.infos(services.store, [run_id]))[run_id]
    return _root(services, info.artifact_uri)


async def of_logged_model(services: Services, model_id: str) -> Root:
    """The artifacts of a logged model. Raises NotFound, PermissionDenied outside the stores."""
    return _root(services, await logged_models.artifact_uri(services.store, model_id))


async def of_model_version(services: Services, name: str, version: int) -> Root:
    """The artifacts of a version of a registered model. Raises NotFound, PermissionDenied outside the stores."""
    return _root(services, await model_versions.artifact_uri(services.store, name, version))


async def delete(services: Services, path: str) -> None:
    """Remove a file or folder of the proxied store. What is not there is no error: it may be the second attempt.

    Raises InvalidParameter for a bad path, and for one that is not below the artifacts of one run, model or trace: no
    single request may remove an experiment, and none the store.
    """
    path = path.removesuffix("/")  # MLflow's client adds it where it means all of a run's artifacts.
    place = proxied(services).at(path)
    if not _DELETABLE.fullmatch(path):
        raise InvalidParameter("Invalid path")
    try:
        await place.repository.delete(place.path)
    except NotFound:
        return


def _root(services: Services, uri: str) -> Root:
    return Root(uri, services.artifacts.locate(uri))


def _join(folder: str, path: str) -> str:
    return "/".join(part for part in (folder, path) if part)
