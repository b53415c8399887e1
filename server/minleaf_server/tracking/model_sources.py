"""Where the artifacts of a new model version lie, and whether the request may say so.

MLflow 3.17's rules, but that what names no run of this server is let through as in 3.6: there is nothing to protect.
"""

import posixpath
from dataclasses import dataclass, replace

from minleaf_server.db.read import registry
from minleaf_server.db.read import registry_places as places
from minleaf_server.db.store import Connection
from minleaf_server.entities.model_source import (
    LocalPath,
    LoggedModel,
    RegisteredVersion,
    RunArtifact,
    StorePath,
    not_of,
    outside_run,
    read_source,
)
from minleaf_server.entities.registry import PROMPT_SOURCES
from minleaf_server.entities.registry_rules import parse_stage
from minleaf_server.errors import InvalidParameter, NotFound


@dataclass(frozen=True, slots=True)
class Origin:
    """What a version is made from. None for what the request leaves out; `storage_location` is where it really lies."""

    source: str
    run_id: str | None
    model_id: str | None
    storage_location: str = ""


def of_prompt(asked: Origin) -> Origin:
    """A prompt has no artifacts: only what MLflow's client sends in their place. Raises InvalidParameter."""
    if asked.source not in PROMPT_SOURCES:
        raise InvalidParameter(
            f"Invalid prompt source: {asked.source[:100]!r}. Prompt sources must use an MLflow placeholder: "
            f"{' or '.join(PROMPT_SOURCES)}."
        )
    return replace(asked, storage_location=asked.source)


def resolve(conn: Connection, asked: Origin, root: str) -> Origin:
    """The origin with its storage location, run and logged model. `root` is where default artifact locations start.

    Raises InvalidParameter for a source that the run or logged model named does not contain, NotFound for a model
    that does not exist.
    """
    source = read_source(asked.source)
    if asked.model_id and places.of_logged_model(conn, asked.model_id) is None:
        raise NotFound(f"Logged model with ID '{asked.model_id}' not found.")
    if isinstance(source, RegisteredVersion):
        return _of_version(conn, asked, source)
    if isinstance(source, LoggedModel):
        return _of_logged_model(conn, asked, source)
    if isinstance(source, LocalPath):
        _check_local(conn, asked, source.path)
    elif isinstance(source, RunArtifact):
        if asked.run_id and asked.run_id != source.run_id and places.of_run(conn, source.run_id) is not None:
            raise not_of(asked.source, "run_id")
    else:
        parts = source.parts if isinstance(source, StorePath) else _below(root, asked.source)
        if parts is not None:
            _check_own(conn, asked, parts)
    return _with_run(conn, replace(asked, storage_location=asked.source))


def location(conn: Connection, storage_location: str) -> str:
    """A stored location as one that needs no run to be known: `runs:/…` leads into that run. Raises NotFound."""
    run_id, _, path = storage_location.removeprefix("runs:/").partition("/")
    if not storage_location.startswith("runs:/"):
        return storage_location
    root = places.of_run(conn, run_id)
    if root is None:
        raise NotFound(f"Run with id={run_id} not found")
    return f"{root.rstrip('/')}/{path}"


def _of_version(conn: Connection, asked: Origin, source: RegisteredVersion) -> Origin:
    """As the version it copies: its place, its run and its logged model."""
    row = registry.model_row(conn, source.name)
    if row.is_prompt:
        raise InvalidParameter(
            f"Invalid model version source: '{asked.source}'. Prompt versions cannot be used as model version sources."
        )
    copied = registry.load_version(conn, _version_id(conn, row.id, source))
    for given, own in ((asked.run_id, copied.run_id), (asked.model_id, copied.model_id)):
        if given is not None and given != own:
            raise InvalidParameter(
                f"Invalid model version source: '{asked.source}'. The run_id and model_id request parameters must "
                "match the referenced model version."
            )
    address = f"models:/{copied.name}/{copied.version}"
    return Origin(address, copied.run_id, copied.model_id, copied.storage_location)


def _version_id(conn: Connection, model_id: int, source: RegisteredVersion) -> int:
    if source.version is not None:
        return registry.version_id(conn, source.name, source.version)
    if source.alias is not None:
        return registry.aliased_version_id(conn, model_id, source.alias)
    found = registry.newest_version_id(conn, model_id, parse_stage(source.stage) if source.stage else None)
    if found is None:
        stage = f" and stage '{source.stage}'" if source.stage else ""
        raise NotFound(f"No versions of model with name '{source.name}'{stage} found")
    return found


def _of_logged_model(conn: Connection, asked: Origin, source: LoggedModel) -> Origin:
    if asked.model_id and asked.model_id != source.model_id:
        raise not_of(asked.source, "model_id")
    found = places.of_logged_model(conn, source.model_id)
    if found is None:
        raise NotFound(
            f"Unable to fetch model from model URI source artifact location '{asked.source}'. Logged model with ID "
            f"'{source.model_id}' not found."
        )
    return replace(asked, storage_location=found.artifact_uri, run_id=asked.run_id or found.source_run_id)


def _with_run(conn: Connection, origin: Origin) -> Origin:
    """Of a logged model without a run, the run that made it."""
    if origin.run_id or not origin.model_id:
        return origin
    found = places.of_logged_model(conn, origin.model_id)
    return origin if found is None else replace(origin, run_id=found.source_run_id)


def _check_local(conn: Connection, asked: Origin, path: str) -> None:
    """A path of this machine has to lie in the artifacts of the run, or of the logged model, that is named."""
    place = _named_place(conn, asked)
    directory = _local_directory(place) if place else None
    if directory is None or not _is_inside(path, directory):
        raise outside_run(asked.source)


def _check_own(conn: Connection, asked: Origin, parts: tuple[str, ...]) -> None:
    """What lies in an experiment has to lie in what the request names, where it names something."""
    if not parts or not places.is_experiment(conn, parts[0]):
        return
    if not (asked.run_id or asked.model_id) and asked.source.startswith("mlflow-artifacts:"):
        return
    parameter = "model_id" if asked.model_id else "run_id"
    place = _named_place(conn, asked)
    inside = _parts(place) if place else None
    # The models that a run logged lie beside the runs of its experiment.
    beside = (*inside[:-2], "models") if inside and parameter == "run_id" else inside
    if inside is None or (parts[: len(inside)] != inside and (not beside or parts[: len(beside)] != beside)):
        raise not_of(asked.source, parameter)


def _named_place(conn: Connection, asked: Origin) -> str | None:
    """The artifact location of the logged model that is named, else of the run; None where there is none."""
    if asked.model_id:
        found = places.of_logged_model(conn, asked.model_id)
        return found.artifact_uri if found else None
    return places.of_run(conn, asked.run_id) if asked.run_id else None


def _below(root: str, address: str) -> tuple[str, ...] | None:
    """The parts of an address below the root of this server's artifacts; None elsewhere."""
    base = root.rstrip("/")
    return _parts(address[len(base) :]) if ":/" in base and address.startswith(f"{base}/") else None


def _parts(address: str) -> tuple[str, ...]:
    path = address.partition(":")[2] if address.startswith("mlflow-artifacts:") else address
    return tuple(part for part in path.split("/") if part)


def _local_directory(address: str) -> str | None:
    """The folder of a local artifact location, None for another kind of location."""
    path = address.removeprefix("file:")
    if path.startswith("//"):
        path = path.removeprefix("//")
    return posixpath.normpath(path) if path.startswith("/") else None


def _is_inside(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
