"""Sending clients to an S3-compatible store itself: signed addresses for whole files and for uploads in parts."""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, unescape

from minleaf_server.artifacts.repository import FileInfo, SignedRequest, SignedUpload
from minleaf_server.artifacts.s3_settings import S3Settings
from minleaf_server.artifacts.s3_signing import signed_url
from minleaf_server.errors import InvalidParameter, NotFound, NotSupported, Unavailable

if TYPE_CHECKING:
    import httpx

MAX_PARTS = 10_000
# For a part of an upload: what takes longer has to be begun again.
_PART_SECONDS = 6 * 3600
_OWN_SECONDS = 60
_TIMEOUT_SECONDS = 60
_WRONG_PARTS = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML", "InvalidRequest"}

log = logging.getLogger(__name__)


class S3Presigning:
    """The half of `S3Repository` that obeys `artifacts.repository.Presigning`."""

    bucket: str

    @property
    def settings(self) -> S3Settings:
        """How the store is reached."""
        raise NotImplementedError

    def key(self, path: str) -> str:
        """The key of an object in the bucket."""
        raise NotImplementedError

    async def stat(self, path: str) -> FileInfo:
        """What a path names. Raises NotFound."""
        raise NotImplementedError

    async def create(self, path: str, number_of_parts: int) -> SignedUpload:
        """Begin an upload in 1 to 10,000 parts. Raises InvalidParameter for another number."""
        if not 1 <= number_of_parts <= MAX_PARTS:
            raise InvalidParameter(f"An upload has 1 to {MAX_PARTS} parts, not {number_of_parts}.")
        answer = await self._ask("POST", path, {"uploads": ""})
        match = re.search("<UploadId>([^<]+)</UploadId>", answer)
        if match is None:
            raise Unavailable("The artifact store does not answer as it should.")
        upload_id = unescape(match[1])
        queries = ({"partNumber": str(part), "uploadId": upload_id} for part in range(1, number_of_parts + 1))
        urls = [self._signed("PUT", path, query, _PART_SECONDS) for query in queries]
        return SignedUpload(upload_id, [SignedRequest(url, {}) for url in urls])

    async def complete(self, path: str, upload_id: str, etags: dict[int, str]) -> None:
        """Make the file of its parts, by part number. Raises InvalidParameter where they do not fit, NotFound."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
            for number, etag in sorted(etags.items())
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"
        await self._ask("POST", path, {"uploadId": upload_id}, body)

    async def abort(self, path: str, upload_id: str) -> None:
        """Give the upload up. Raises NotFound where there is none of this id."""
        await self._ask("DELETE", path, {"uploadId": upload_id})

    async def signed_get(self, path: str, seconds: int) -> tuple[SignedRequest, FileInfo]:
        """An address from which a file can be read, as a download and never as a page, and its size."""
        found = await self.stat(path)
        if found.is_dir:
            raise NotFound(f"No such artifact: '{path}'")
        url = self._signed("GET", path, {"response-content-disposition": "attachment"}, seconds)
        return SignedRequest(url, {}), found

    async def signed_put(self, path: str, seconds: int) -> SignedRequest:
        """An address to which a file can be written in one piece."""
        return SignedRequest(self._signed("PUT", path, {}, seconds), {})

    def _signed(self, method: str, path: str, query: Mapping[str, str], seconds: int) -> str:
        if not self.settings.keys:
            raise NotSupported("Signed addresses need credentials in AWS_ACCESS_KEY_ID or a credentials file")
        return signed_url(self.settings, method, self.bucket, self.key(path), query, seconds, datetime.now(UTC))

    async def _ask(self, method: str, path: str, query: Mapping[str, str], body: str = "") -> str:
        import httpx

        # It would write every address with its signature to the log.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        url = self._signed(method, path, query, _OWN_SECONDS)
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, verify=self.settings.verify) as client:
                response = await client.request(method, url, content=body.encode())
        except httpx.HTTPError as error:
            log.error("the artifact store does not answer", extra={"fields": {"error": type(error).__name__}})
            raise Unavailable("The artifact store does not answer.", 5) from None
        # S3 may also say in an answer with status 200 that parts could not be put together.
        if response.is_success and "<Error>" not in response.text:
            return response.text
        raise _refusal(response)


def _refusal(response: "httpx.Response") -> Exception:
    match = re.search("<Code>([A-Za-z]+)</Code>", response.text)
    code = match[1] if match else ""
    if code == "NoSuchUpload":
        return NotFound("There is no such upload. It may have been completed or given up.")
    if code in _WRONG_PARTS:
        return InvalidParameter(f"The parts of the upload do not make a file: {code}.")
    log.error("the artifact store refused", extra={"fields": {"status": response.status_code, "code": code}})
    return Unavailable("The artifact store does not answer as it should. The log of the server says why.", 5)
