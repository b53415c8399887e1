"""The requests and answers of the artifact endpoints that are not files themselves."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from minleaf_server.rest.messages import PageToken, Request, RunUuid, Text

Folder = Annotated[str, Meta(description="A folder, relative to the root; left out, the root itself.")]
File = Annotated[str, Meta(min_length=1, description="A file, relative to the root.")]
LocalFile = Annotated[str, Meta(min_length=1, description="The file on the client's disk; only its name counts.")]
PositiveInt = Annotated[int, Meta(ge=1, le=10_000)]
Seconds = Annotated[int, Meta(description="For how long the address is good, from 1 to 604800.")]


class ListProxiedArtifacts(Request):
    path: Folder = ""


class ListRunArtifacts(Request):
    run_id: Text
    path: Folder = ""
    # MLflow never gives a token either: every answer is whole.
    page_token: PageToken = ""
    run_uuid: RunUuid = ""


class GetRunArtifact(Request):
    run_id: Text
    path: File
    run_uuid: RunUuid = ""


class UploadRunArtifact(Request):
    run_uuid: str = ""
    path: str = ""
    run_id: str = ""


class GetModelVersionArtifact(Request):
    name: Text
    version: Text
    path: File


class ListLoggedModelArtifacts(Request):
    model_id: Text
    artifact_directory_path: Folder = ""
    page_token: PageToken = ""


class GetLoggedModelArtifact(Request):
    model_id: Text
    artifact_file_path: File


class CreateMultipartUpload(Request):
    artifact_path: str
    path: LocalFile
    num_parts: PositiveInt = 1


class UploadedPart(Request):
    part_number: PositiveInt
    etag: Text
    # Not looked at: the store knows where it has the part.
    url: str = ""


class CompleteMultipartUpload(Request):
    artifact_path: str
    path: LocalFile
    parts: list[UploadedPart]
    upload_id: str = ""


class AbortMultipartUpload(Request):
    artifact_path: str
    path: LocalFile
    upload_id: str = ""


class GetPresignedDownload(Request):
    artifact_path: str


class CreatePresignedUploadUrl(Request):
    path: File
    run_id: str = ""
    model_id: str = ""
    expiration: Seconds = 900


class CreatePresignedDownloadUrl(Request):
    run_id: Text
    path: File
    expiration: Seconds = 300


class ArtifactFile(Struct):
    path: str
    is_dir: bool
    file_size: int | UnsetType = UNSET


class ProxiedArtifacts(Struct):
    files: list[ArtifactFile] | UnsetType = UNSET


class Artifacts(Struct):
    root_uri: str
    files: list[ArtifactFile] | UnsetType = UNSET


class MultipartUploadCredential(Struct):
    """Where one part goes, as the body of a PUT."""

    url: str
    part_number: int
    headers: dict[str, str]


class MultipartUpload(Struct):
    upload_id: str
    credentials: list[MultipartUploadCredential]


class PresignedDownload(Struct):
    url: str
    headers: dict[str, str]
    file_size: int | UnsetType = UNSET


class PresignedUploadUrl(Struct):
    presigned_url: str
    headers: dict[str, str]


class PresignedDownloadUrl(Struct):
    presigned_url: str
    headers: dict[str, str]
    file_size: int | UnsetType = UNSET
