"""What the source of a model version names, read from its text alone.

A source is an address that a client may later download from, and of which this server serves what lies in its own
store. So everything that could lead elsewhere than it seems to is refused before anything is looked up.
"""

import posixpath
import re
from dataclasses import dataclass
from urllib.parse import unquote

from minleaf_server.entities import limits
from minleaf_server.entities.registry_rules import LATEST
from minleaf_server.entities.validation import validate_text
from minleaf_server.errors import InvalidParameter

_HTTP = ("http", "https", "ftp", "sftp")
_OBJECTS = (
    "s3",
    "s3a",
    "s3n",
    "r2",
    "b2",
    "gs",
    "gcs",
    "wasb",
    "wasbs",
    "abfs",
    "abfss",
    "adl",
    "azureml",
    "oss",
    "cos",
    "obs",
    "swift",
)
_FILES = ("dbfs", "uc", "hdfs", "viewfs", "hf")
REMOTE_SCHEMES = frozenset((*_HTTP, *_OBJECTS, *_FILES))
"""Stores that MLflow's clients open themselves. This server never does."""

_OWN = ("mlflow-artifacts", "runs", "models")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
_ROUTE = re.compile(r"/(?:ajax-)?api/2\.0/mlflow-artifacts/artifacts(?=/|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_SEPARATORS = re.compile(r"[/:?#;&=,]")


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A file of the server's machine, as an absolute path without `..`."""

    path: str


@dataclass(frozen=True, slots=True)
class StorePath:
    """Something that a server serves to MLflow's clients: the parts of `mlflow-artifacts:/…`, or of the same as http.

    Which server is not told: an address with a host may well be this one's.
    """

    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunArtifact:
    """Something in the artifacts of a run, `runs:/<id>/…`."""

    run_id: str


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A logged model, `models:/m-…`."""

    model_id: str


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version of a registered model: by number, by alias, by stage, or the newest where all three are None."""

    name: str
    version: int | None = None
    alias: str | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """Something in a store that is not this server's."""


Source = LocalPath | StorePath | RunArtifact | LoggedModel | RegisteredVersion | Remote


def read_source(text: str) -> Source:
    """What `text` names. Raises InvalidParameter."""
    if len(text) > limits.MAX_SOURCE_LENGTH:
        raise InvalidParameter(
            f"Invalid model version source: it has {len(text)} characters; at most {limits.MAX_SOURCE_LENGTH} are "
            "allowed."
        )
    validate_text(text, "source")
    scheme = _SCHEME.match(text)
    if scheme is None or scheme[1].lower() == "file":
        return LocalPath(_local_path(text))
    if len(scheme[1]) == 1:  # a drive of Windows
        raise outside_run(text)
    return _addressed(text, scheme[1].lower(), text[scheme.end() :])


def outside_run(text: str) -> InvalidParameter:
    """The error for a local path that does not lie in the artifacts of the run or model that the request names."""
    return InvalidParameter(
        f"Invalid model version source: '{_cut(text)}'. To use a local path as a model version source, the run_id "
        "request parameter has to be specified and the local path has to be contained within the artifact directory "
        "of the run specified by the run_id."
    )


def not_of(text: str, parameter: str) -> InvalidParameter:
    """The error for a source that is not in what `parameter` (run_id or model_id) names."""
    return InvalidParameter(
        f"Invalid model version source: '{_cut(text)}'. The {parameter} request parameter must identify the resource "
        "that contains the source."
    )


def _local_path(text: str) -> str:
    """The path of a plain path or of a `file:` address, resolved without a look at the disk."""
    match = _SCHEME.match(text)
    raw = text[match.end() :] if match else text
    if raw.startswith("//"):
        host, slash, rest = raw[2:].partition("/")
        # Without the scheme it would be a path that some systems take for a host's.
        if match is None or host not in ("", "localhost"):
            raise outside_run(text)
        raw = slash + rest
    path = _decoded(raw)
    hidden = path.split("/").count("..") != raw.split("/").count("..")
    if hidden or not path.startswith("/") or path.startswith("//") or _CONTROL.search(path) or _has_url_mark(path):
        raise outside_run(text)
    return posixpath.normpath(path)


def _has_url_mark(path: str) -> bool:
    return "#" in path or "?" in path


def _addressed(text: str, scheme: str, rest: str) -> Source:
    decoded = _decoded(rest)
    segments = decoded.split("/")
    if _CONTROL.search(decoded) or "#" in decoded or "." in segments or ".." in _SEPARATORS.split(decoded):
        raise InvalidParameter(
            f"Invalid model version source: '{_cut(text)}'. If supplying a source as an http, https, local file path, "
            "ftp, objectstore, or mlflow-artifacts uri, give an absolute path: without '.', '..', '#', a backslash or "
            "a control character, encoded or not."
        )
    host, path = _split_host(decoded)
    served = _ROUTE.search(path) if scheme in ("http", "https") else None
    if scheme in REMOTE_SCHEMES and not served:
        return Remote()
    if scheme in _OWN and _is_disguised(text, scheme, rest):
        raise InvalidParameter(
            f"Invalid model version source: '{_cut(text)}'. Write what it names in lower case and without escapes."
        )
    if served or (scheme == "mlflow-artifacts" and "?" not in path and path.startswith("/")):
        return StorePath(_parts(path[served.end() :] if served else path))
    if scheme not in _OWN or not path.startswith("/") or "?" in path:
        raise InvalidParameter(f"Invalid model version source: '{_cut(text)}'. No artifact store has such addresses.")
    parts = _parts(path)
    if host or not parts:
        raise not_of(text, "run_id" if scheme == "runs" else "model_id")
    return RunArtifact(parts[0]) if scheme == "runs" else _model(text, parts)


def _is_disguised(text: str, scheme: str, rest: str) -> bool:
    """Whether what an address of this server names (an experiment, a run, a model) is spelled in another way.

    Permissions are asked for what is named, by its plain spelling.
    """
    return not text.startswith(f"{scheme}:") or "%" in _split_host(rest)[1].lstrip("/").partition("/")[0]


def _split_host(rest: str) -> tuple[str, str]:
    """The host and the path of what follows the scheme."""
    if not rest.startswith("//"):
        return "", rest
    host, slash, path = rest[2:].partition("/")
    return host, slash + path


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part)


def _model(text: str, parts: tuple[str, ...]) -> Source:
    name, at, alias = parts[0].partition("@")
    if len(parts) == 1:
        return RegisteredVersion(name, alias=alias) if at and name and alias else LoggedModel(parts[0])
    if len(parts) > 2 or at:
        raise not_of(text, "model_id")
    suffix = parts[1]
    if suffix.isascii() and suffix.isdigit() and len(suffix) < len(str(limits.INT64_MAX)):
        return RegisteredVersion(name, version=int(suffix))
    return RegisteredVersion(name) if suffix.lower() == LATEST else RegisteredVersion(name, stage=suffix)


def _decoded(text: str) -> str:
    """The text with every layer of percent-encoding taken off, so that `%252e%252e` is seen for what it is."""
    while (plain := unquote(text)) != text:
        text = plain
    return text


def _cut(text: str) -> str:
    return text if len(text) <= limits.MAX_SHOWN_LENGTH else text[: limits.MAX_SHOWN_LENGTH] + "…"
