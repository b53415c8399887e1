"""A server that is killed in the middle of an upload, and one that lives beside it."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from minleaf_server.artifacts.local import LocalRepository
from minleaf_server.artifacts.paths import TEMPORARY
from tests.support.artifacts import body_of, parts, paths_in, put

BODY_BYTES = 3 * 2**20
ROUNDS = 12
WAIT_SECONDS_MAX = 60

# Replaces one file for ever; each body is one byte repeated, so that a mixture of two would show.
WRITER = """
import asyncio, itertools, sys
from pathlib import Path
from minleaf_server.artifacts.local import LocalRepository

async def body(number):
    for _ in range({size} // 65536):
        yield bytes([number % 256]) * 65536

async def main():
    store = LocalRepository(Path(sys.argv[1]))
    for number in itertools.count():
        await store.write("run/artifacts/model", body(number))
        print(number, flush=True)

asyncio.run(main())
"""


def start_writer(root: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = WRITER.format(size=BODY_BYTES)
    return subprocess.Popen([sys.executable, "-c", program, str(root)], env=environment, stdout=subprocess.PIPE)


def leftovers(root: Path) -> list[str]:
    return os.listdir(root / TEMPORARY)


async def until_swept(root: Path, kept: int = 0) -> None:
    end = time.monotonic() + WAIT_SECONDS_MAX
    while len(leftovers(root)) > kept and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert len(leftovers(root)) == kept


async def test_a_kill_leaves_the_old_file_or_the_new_one_and_nothing_else(tmp_path: Path) -> None:
    left = 0
    for number in range(ROUNDS):
        writer = start_writer(tmp_path)
        assert writer.stdout is not None
        for _ in range(3):
            assert writer.stdout.readline()
        time.sleep(random.Random(number).uniform(0, 0.02))  # noqa: ASYNC251
        writer.kill()
        writer.wait()
        writer.stdout.close()
        left += len(leftovers(tmp_path))
        store = LocalRepository(tmp_path)
        body = await body_of(store, "run/artifacts/model")
        assert body == body[:1] * BODY_BYTES
        assert await paths_in(store, "run/artifacts") == ["run/artifacts/model"]
        await until_swept(tmp_path)
    assert left > 0, "no round was killed in the middle of an upload"


async def test_an_upload_of_a_living_server_is_not_swept(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b"y" * 2**20
        yield b"."
        begun.set()
        await go_on.wait()

    first = LocalRepository(tmp_path)
    await put(first, "other")
    (tmp_path / TEMPORARY / "left").write_bytes(b"x")
    (tmp_path / TEMPORARY / "folder" / "below").mkdir(parents=True)
    (tmp_path / TEMPORARY / "link").symlink_to(tmp_path / "other")
    upload = asyncio.create_task(first.write("a", slow()))
    await begun.wait()
    LocalRepository(tmp_path)
    await until_swept(tmp_path, kept=1)
    go_on.set()
    await upload
    assert await body_of(first, "a") == b"y" * 2**21 + b"."
    assert await body_of(first, "other") == b"x"


@pytest.mark.parametrize("size", [10, 2**20])
async def test_uploads_while_other_servers_start_are_all_kept(tmp_path: Path, size: int) -> None:
    store = LocalRepository(tmp_path)
    await put(store, "first")

    async def start() -> None:
        for _ in range(200):
            LocalRepository(tmp_path)
            await asyncio.sleep(0)

    async def write(worker: int) -> None:
        for number in range(10):
            await store.write(f"{worker}/{number}", parts(b"y" * size))

    await asyncio.gather(start(), *(write(worker) for worker in range(4)))
    for worker in range(4):
        assert len(await store.entries(str(worker))) == 10
