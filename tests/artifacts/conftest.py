"""Stores to try: a folder, and a bucket of a real S3 server on this machine."""

import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from minleaf_server.artifacts.local import LocalRepository
from minleaf_server.artifacts.repository import Repository
from minleaf_server.artifacts.s3 import S3Repository
from minleaf_server.artifacts.s3_settings import S3Settings
from tests.support.server import free_port

START_SECONDS_MAX = 60
_numbers = count()


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of moto's server, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (tmp_path_factory.mktemp("moto") / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < end:
        try:
            httpx.get(url)
            break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def s3_settings(s3_endpoint: str) -> S3Settings:
    keys = {"access_key_id": "key", "secret_access_key": "secret"}
    return S3Settings(endpoint=s3_endpoint, region="us-east-1", keys=keys, verify=True)


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str) -> Any:
    """Amazon's own client, to look into the buckets."""
    options = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=s3_endpoint, **options)  # type: ignore[call-overload]


@pytest.fixture
def bucket(s3_client: Any) -> str:
    """The name of a new bucket."""
    name = f"bucket-{next(_numbers)}"
    s3_client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3(bucket: str, s3_settings: S3Settings) -> S3Repository:
    return S3Repository(bucket, "store", s3_settings)


@pytest.fixture
def local(tmp_path: Path) -> LocalRepository:
    return LocalRepository(tmp_path / "store")


@pytest.fixture(params=["local", "s3"])
def repository(request: pytest.FixtureRequest) -> Repository:
    """A store of each kind, empty."""
    found: Repository = request.getfixturevalue(request.param)
    return found
