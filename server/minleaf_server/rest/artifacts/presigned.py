"""Sending a client to the store itself: uploads in parts and signed addresses, where the store can do that.

A folder on this machine cannot. MLflow's client is told so in MLflow's words, upon which it sends the file through the
server as usual.
"""

import re

from msgspec import UNSET

from minleaf_server.artifacts.paths import checked
from minleaf_server.artifacts.repository import Presigning, Repository
from minleaf_server.artifacts.stores import Place
from minleaf_server.errors import InvalidParameter, NotSupported
from minleaf_server.rest import replies
from minleaf_server.rest.artifacts import messages
from minleaf_server.rest.endpoint import Endpoint
from minleaf_server.tracking import artifacts
from minleaf_server.tracking.services import Services
from minleaf_server.web.policy import Access, On, access

MAX_SECONDS = 7 * 24 * 3600
"""The longest that S3 lets an address be good."""

_DOWNLOAD_SECONDS = 300
_WINDOWS = re.compile(r"[A-Za-z]:\\|\\\\")


@access(Access.LOG, On.ARTIFACT)
async def create(services: Services, message: messages.CreateMultipartUpload) -> messages.MultipartUpload:
    """Begin an upload in parts, into the folder in the address, under the name of the client's file."""
    place = _target(services, message.artifact_path, message.path)
    begun = await _direct(place.repository, "Multipart upload").create(place.path, message.num_parts)
    credentials = [
        messages.MultipartUploadCredential(part.url, number, part.headers)
        for number, part in enumerate(begun.parts, start=1)
    ]
    return messages.MultipartUpload(begun.upload_id, credentials)


@access(Access.LOG, On.ARTIFACT)
async def complete(services: Services, message: messages.CompleteMultipartUpload) -> replies.Empty:
    """Make the file of its parts."""
    place = _target(services, message.artifact_path, message.path)
    etags = {part.part_number: part.etag for part in message.parts}
    await _direct(place.repository, "Multipart upload").complete(place.path, message.upload_id, etags)
    return replies.Empty()


@access(Access.LOG, On.ARTIFACT)
async def abort(services: Services, message: messages.AbortMultipartUpload) -> replies.Empty:
    """Give an upload in parts up."""
    place = _target(services, message.artifact_path, message.path)
    await _direct(place.repository, "Multipart upload").abort(place.path, message.upload_id)
    return replies.Empty()


@access(Access.READ, On.ARTIFACT)
async def download(services: Services, message: messages.GetPresignedDownload) -> messages.PresignedDownload:
    """An address from which a file of the proxied store can be read directly."""
    place = artifacts.proxied(services).at(message.artifact_path)
    signed, file = await _direct(place.repository, "Multipart download").signed_get(place.path, _DOWNLOAD_SECONDS)
    return messages.PresignedDownload(signed.url, signed.headers, UNSET if file.size is None else file.size)


@access(Access.LOG, On.RUN)
async def upload_url(services: Services, message: messages.CreatePresignedUploadUrl) -> messages.PresignedUploadUrl:
    """An address to which a file of a run or a logged model can be written directly."""
    if bool(message.run_id) == bool(message.model_id):
        raise InvalidParameter("Exactly one of run_id and model_id must be provided.")
    path = checked(message.path)
    if message.run_id:
        root = await artifacts.of_run(services, message.run_id)
    else:
        root = await artifacts.of_logged_model(services, message.model_id)
    place = _direct_place(root, path, "upload")
    signed = await _direct(place.repository, "Presigned upload").signed_put(place.path, _seconds(message.expiration))
    return messages.PresignedUploadUrl(signed.url, signed.headers)


@access(Access.READ, On.RUN)
async def download_url(
    services: Services, message: messages.CreatePresignedDownloadUrl
) -> messages.PresignedDownloadUrl:
    """An address from which a file of a run can be read directly."""
    path = checked(message.path)
    place = _direct_place(await artifacts.of_run(services, message.run_id), path, "download")
    repository = _direct(place.repository, "Presigned download")
    signed, file = await repository.signed_get(place.path, _seconds(message.expiration))
    return messages.PresignedDownloadUrl(signed.url, signed.headers, UNSET if file.size is None else file.size)


def _target(services: Services, folder: str, local: str) -> Place:
    """Where an upload in parts ends up. Of the client's own path only the name counts, as in MLflow's S3 store."""
    separator = r"[/\\]" if _WINDOWS.match(local) else "/"
    segments = re.split(separator, local)
    if ".." in segments:
        raise InvalidParameter("Invalid path")
    return artifacts.proxied(services).at(f"{checked(folder)}/{checked(segments[-1])}")


def _direct(repository: Repository, what: str) -> Presigning:
    if not isinstance(repository, Presigning):
        raise NotSupported(f"{what} is not supported for the current artifact repository")
    return repository


def _direct_place(root: artifacts.Root, path: str, what: str) -> Place:
    """The place of a file. Raises InvalidParameter where clients are meant to go through this server."""
    scheme = root.uri.partition(":")[0]
    if scheme in ("http", "https", "mlflow-artifacts"):
        raise InvalidParameter(
            f"Presigned {what} is not supported for proxied artifact storage (artifact URI scheme: {scheme}). "
            "This endpoint requires a direct cloud storage artifact URI."
        )
    return root.at(path)


def _seconds(expiration: int) -> int:
    if not 1 <= expiration <= MAX_SECONDS:
        raise InvalidParameter(f"expiration must be between 1 and {MAX_SECONDS} seconds (got {expiration}).")
    return expiration


_MULTIPART = "/2.0/mlflow-artifacts/mpu"

ENDPOINTS = (
    Endpoint("POST", f"{_MULTIPART}/create/{{artifact_path:artifact}}", create),
    Endpoint("POST", f"{_MULTIPART}/complete/{{artifact_path:artifact}}", complete),
    Endpoint("POST", f"{_MULTIPART}/abort/{{artifact_path:artifact}}", abort),
    Endpoint("GET", "/2.0/mlflow-artifacts/presigned/{artifact_path:artifact}", download),
    Endpoint("POST", "/2.0/mlflow/artifacts/presigned-upload-url", upload_url),
    Endpoint("POST", "/2.0/mlflow/artifacts/presigned-download-url", download_url),
)
