"""Addresses with Amazon's signature (version 4) in their query. Pure.

obstore signs whole objects only, not the parts of an upload.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from minleaf_server.artifacts.s3_settings import S3Settings

_ALGORITHM = "AWS4-HMAC-SHA256"


def signed_url(
    settings: S3Settings,
    method: str,
    bucket: str,
    key: str,
    query: Mapping[str, str],
    seconds: int,
    now: datetime,
) -> str:
    """An address that is good for one method on one object, for `seconds` from `now` (UTC).

    `settings.keys` must not be empty. The body of the request is not signed.
    """
    base = settings.endpoint or f"https://s3.{settings.region}.amazonaws.com"
    path = quote(f"{urlsplit(base).path}/{bucket}/{key}", safe="/-_.~")
    time = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{time[:8]}/{settings.region}/s3/aws4_request"
    values = {
        **query,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{settings.keys['access_key_id']}/{scope}",
        "X-Amz-Date": time,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if "token" in settings.keys:
        values["X-Amz-Security-Token"] = settings.keys["token"]
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in values.items())
    text = "&".join(f"{name}={value}" for name, value in pairs)
    origin = f"{urlsplit(base).scheme}://{urlsplit(base).netloc}"
    request = "\n".join([method, path, text, f"host:{urlsplit(base).netloc}", "", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = _sign(_signing_key(settings, scope), "\n".join([_ALGORITHM, time, scope, digest])).hex()
    return f"{origin}{path}?{text}&X-Amz-Signature={signature}"


def _signing_key(settings: S3Settings, scope: str) -> bytes:
    key = b"AWS4" + settings.keys["secret_access_key"].encode()
    for step in scope.split("/"):
        key = _sign(key, step)
    return key


def _sign(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
