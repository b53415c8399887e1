"""An S3 server as a store: its keys, what others put there, faults, and how it is reached."""

import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from minleaf_server.artifacts.repository import Presigning
from minleaf_server.artifacts.s3 import S3Repository
from minleaf_server.artifacts.s3_settings import S3Settings
from minleaf_server.artifacts.s3_signing import signed_url
from minleaf_server.errors import InvalidParameter, NotFound, NotSupported, Unavailable
from tests.support.artifacts import body_of, paths_in, put
from tests.support.scripted_server import ScriptedServer, answer
from tests.support.server import free_port

PART = 5 * 2**20


def keys_in(s3_client: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3_client.list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.parametrize("prefix", ["", "a/b"])
async def test_keys_are_the_prefix_and_the_path(
    s3_client: Any, bucket: str, s3_settings: S3Settings, prefix: str
) -> None:
    store = S3Repository(bucket, prefix, s3_settings)
    await put(store, "0/run/a #?%41.txt", b"hello")
    assert keys_in(s3_client, bucket) == [f"{prefix}/0/run/a #?%41.txt".lstrip("/")]
    assert await paths_in(store) == ["0/"]
    assert await paths_in(store, "0/run") == ["0/run/a #?%41.txt"]


async def test_another_prefix_of_the_bucket_is_out_of_reach(s3_client: Any, bucket: str, s3: S3Repository) -> None:
    for key in ("outside", "store2/x", "store"):
        s3_client.put_object(Bucket=bucket, Key=key, Body=b"canary")
    await put(s3, "a")
    assert await paths_in(s3) == ["a"]
    await s3.delete("a")
    assert keys_in(s3_client, bucket) == ["outside", "store", "store2/x"]


async def test_marks_of_folders_are_no_files(s3_client: Any, bucket: str, s3: S3Repository) -> None:
    for key in ("store/", "store/a/", "store/a/b/", "store/a/c"):
        s3_client.put_object(Bucket=bucket, Key=key, Body=b"")
    assert await paths_in(s3) == ["a/"]
    assert await paths_in(s3, "a") == ["a/b/", "a/c"]


async def test_more_than_a_thousand_files_are_listed_and_deleted(s3_client: Any, bucket: str, s3: S3Repository) -> None:
    for number in range(1_050):
        s3_client.put_object(Bucket=bucket, Key=f"store/run/{number}", Body=b"")
    assert len(await s3.entries("run")) == 1_050
    await s3.delete("run")
    assert keys_in(s3_client, bucket) == []


async def test_a_key_that_is_too_long_is_refused(s3: S3Repository) -> None:
    path = "/".join(["x" * 200] * 5) + "/" + "x" * 20
    for call in (s3.open(path), s3.stat(path), s3.delete(path), put(s3, path)):
        with pytest.raises(InvalidParameter, match="Invalid path"):
            await call


@pytest.mark.parametrize("size", [10, 20 * 2**20])
async def test_a_store_that_is_not_there_is_unavailable(size: int) -> None:
    keys = {"access_key_id": "key", "secret_access_key": "secret"}
    settings = S3Settings(f"http://127.0.0.1:{free_port()}", "us-east-1", keys, verify=True)
    store = S3Repository("bucket", "", settings)
    for call in (store.entries(""), store.stat("a"), store.open("a"), store.delete("a"), put(store, "a", b"x" * size)):
        with pytest.raises(Unavailable) as raised:
            await call
        assert "127.0.0.1" not in str(raised.value)
    with pytest.raises(Unavailable):
        await store.create("a", 1)


@pytest.mark.parametrize("status", [401, 403])
async def test_credentials_that_are_refused(status: int) -> None:
    with ScriptedServer([answer(status, "<Error><Code>AccessDenied</Code></Error>", "application/xml")]) as server:
        keys = {"access_key_id": "key", "secret_access_key": "secret"}
        store = S3Repository("bucket", "", S3Settings(server.url, "us-east-1", keys, verify=True))
        for call in (store.entries(""), store.stat("a"), store.open("a"), put(store, "a")):
            with pytest.raises(Unavailable, match="refuses the credentials"):
                await call


async def test_a_bucket_that_does_not_exist(s3_settings: S3Settings) -> None:
    store = S3Repository("no-such-bucket", "", s3_settings)
    with pytest.raises((Unavailable, NotFound)):
        await put(store, "a", b"x")


async def test_presigned_upload_in_parts(s3: S3Repository, s3_client: Any, bucket: str) -> None:
    assert isinstance(s3, Presigning)
    path = "run/a #+?%41.bin"
    begun = await s3.create(path, 3)
    bodies = [b"a" * PART, b"b" * PART, b"end"]
    etags = {}
    async with httpx.AsyncClient() as client:
        for number, (signed, body) in enumerate(zip(begun.parts, bodies, strict=True), start=1):
            response = await client.put(signed.url, content=body, headers=signed.headers)
            assert response.status_code == 200, response.text
            etags[number] = response.headers["etag"]
    with pytest.raises(NotFound):
        await s3.stat(path)
    await s3.complete(path, begun.upload_id, etags)
    assert await body_of(s3, path) == b"".join(bodies)
    assert keys_in(s3_client, bucket) == [f"store/{path}"]


async def test_signed_addresses_do_not_go_to_the_log(s3: S3Repository, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("httpx").setLevel(logging.NOTSET)
    with caplog.at_level(logging.INFO):
        begun = await s3.create("a", 1)
        await s3.abort("a", begun.upload_id)
    assert "X-Amz" not in caplog.text


async def test_presigned_upload_given_up(s3: S3Repository, s3_client: Any, bucket: str) -> None:
    begun = await s3.create("a", 1)
    assert len(s3_client.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 1
    await s3.abort("a", begun.upload_id)
    assert "Uploads" not in s3_client.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(NotFound):
        await s3.abort("a", begun.upload_id)
    for number in (0, -1, 10_001):
        with pytest.raises(InvalidParameter):
            await s3.create("a", number)


@pytest.mark.parametrize("etags", [{}, {1: '"wrong"'}, {1: "</ETag><x>"}, {7: "&"}])
async def test_parts_that_do_not_fit(s3: S3Repository, etags: dict[int, str]) -> None:
    begun = await s3.create("a", 2)
    async with httpx.AsyncClient() as client:
        await client.put(begun.parts[0].url, content=b"a")
    with pytest.raises(InvalidParameter):
        await s3.complete("a", begun.upload_id, etags)
    assert await s3.entries("") == []


async def test_presigned_addresses_of_whole_files(s3: S3Repository) -> None:
    path = "run/a #+?%41.html"
    async with httpx.AsyncClient() as client:
        signed = await s3.signed_put(path, 60)
        assert (await client.put(signed.url, content=b"<script>", headers=signed.headers)).status_code == 200
        signed, info = await s3.signed_get(path, 60)
        assert info.size == 8
        response = await client.get(signed.url, headers=signed.headers)
        assert response.content == b"<script>"
        assert response.headers["content-disposition"] == "attachment"
        assert (await client.get(signed.url, headers={"Range": "bytes=1-3"})).content == b"scr"
    for missing in ("nothing", "run"):
        with pytest.raises(NotFound):
            await s3.signed_get(missing, 60)


def test_the_signature_is_amazons_own() -> None:
    keys = {"access_key_id": "AKID", "secret_access_key": "s/+cret", "token": "to/k+en=="}
    settings = S3Settings("https://s3.example:9000/base", "eu-central-1", keys, verify=True)
    query = {"partNumber": "3", "uploadId": "x/y=+"}
    now = datetime.now(UTC)
    ours = signed_url(settings, "PUT", "bucket", "a b/é#?%41+~", query, 900, now)
    request = AWSRequest("PUT", ours.partition("?")[0], params=query)
    signer = S3SigV4QueryAuth(Credentials(*keys.values()), "s3", "eu-central-1", expires=900)
    with patch("botocore.auth.get_current_datetime", lambda *_args, **_kwargs: now.replace(tzinfo=None)):
        signer.add_auth(request)
    assert httpx.URL(request.url).params == httpx.URL(ours).params


async def test_without_lasting_credentials_nothing_is_signed(s3_endpoint: str) -> None:
    store = S3Repository("bucket", "", S3Settings(s3_endpoint, "us-east-1", {}, verify=True))
    with pytest.raises(NotSupported, match="AWS_ACCESS_KEY_ID"):
        await store.create("a", 1)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, S3Settings("", "us-east-1", {}, True)),
        (
            {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-west-1"},
            S3Settings("", "eu-west-1", {"access_key_id": "k", "secret_access_key": "s"}, True),
        ),
        (
            {
                "AWS_ACCESS_KEY_ID": "k",
                "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_SESSION_TOKEN": "t",
                "AWS_REGION": "a",
                "AWS_DEFAULT_REGION": "b",
                "MLFLOW_S3_ENDPOINT_URL": "http://minio:9000/",
                "AWS_ENDPOINT_URL": "http://other",
                "MLFLOW_S3_IGNORE_TLS": "true",
            },
            S3Settings("http://minio:9000", "a", {"access_key_id": "k", "secret_access_key": "s", "token": "t"}, False),
        ),
        (
            {"AWS_ENDPOINT_URL_S3": "http://a", "AWS_ENDPOINT_URL": "http://b"},
            S3Settings("http://a", "us-east-1", {}, True),
        ),
        (
            {"AWS_PROFILE": "lab"},
            S3Settings("", "eu-north-1", {"access_key_id": "lk", "secret_access_key": "l%s"}, True),
        ),
        ({"AWS_PROFILE": "lab", "AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}, S3Settings("", "eu-north-1", {}, True)),
        ({"AWS_PROFILE": "nobody"}, S3Settings("", "us-east-1", {}, True)),
    ],
)
def test_how_the_store_is_reached(tmp_path: Path, environ: dict[str, str], expected: S3Settings) -> None:
    (tmp_path / "credentials").write_text("[lab]\naws_access_key_id = lk\naws_secret_access_key = l%s\n")
    (tmp_path / "config").write_text("[profile lab]\nregion = eu-north-1\n")
    files = {"AWS_SHARED_CREDENTIALS_FILE": f"{tmp_path}/credentials", "AWS_CONFIG_FILE": f"{tmp_path}/config"}
    assert S3Settings.read({**files, **environ}) == expected


MEMORY = """
import asyncio, resource, sys
from minleaf_server.artifacts.s3 import S3Repository
from minleaf_server.artifacts.s3_settings import S3Settings

BLOCK = bytes(65536)

async def body(count):
    for _ in range(count):
        yield BLOCK

async def main():
    keys = {"access_key_id": "key", "secret_access_key": "secret"}
    store = S3Repository(sys.argv[2], "", S3Settings(sys.argv[1], "us-east-1", keys, True))
    await store.write("small", body(200))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await store.write("large", body(200 * 16))
    size = 0
    async for part in (await store.open("large")).parts:
        size += len(part)
    assert size == 200 * 2**20
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)

asyncio.run(main())
"""


async def test_memory_does_not_grow_with_the_file(s3_endpoint: str, bucket: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MEMORY, s3_endpoint, bucket]
    grown = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: ASYNC221
    assert int(grown) < 60
