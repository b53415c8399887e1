"""Several processes over one Postgres: started, watched and stopped together."""

import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from minleaf_server import log
from minleaf_server.cli.serve import STOP_SECONDS, run
from minleaf_server.config import Settings
from minleaf_server.errors import SetupError

# A worker that dies at once would otherwise be started again without a pause.
_PAUSE_SECONDS = 1.0
_spawn = get_context("spawn")


def run_workers(settings: Settings, sockets: list[socket.socket], started: Callable[[], None]) -> None:
    """Run `settings.workers` processes that accept from the same sockets; `started` is called once all of them do.

    A worker that dies is replaced. Raises SetupError where the database cannot be opened.
    """
    from minleaf_server.db.store import Store

    # Migrates and says what is wrong once, before there are several to say it.
    Store.open(settings.backend_store_uri, settings.default_artifact_root).close()
    workers = [_Worker(settings, sockets) for _ in range(settings.workers)]
    try:
        for worker in workers:
            worker.wait_until_ready()
        started()
        while True:
            wait([worker.process.sentinel for worker in workers])
            workers = [_replaced(worker, settings, sockets) for worker in workers]
    except (SystemExit, KeyboardInterrupt):
        pass
    finally:
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.stop()


class _Worker:
    def __init__(self, settings: Settings, sockets: list[socket.socket]) -> None:
        self.ready, told = _spawn.Pipe(duplex=False)
        self.process: SpawnProcess = _spawn.Process(target=_work, args=(settings, sockets, told))
        self.process.start()
        told.close()

    def wait_until_ready(self) -> None:
        try:
            self.ready.recv_bytes()
        except EOFError:
            raise SetupError("A worker process could not start; its message is above.") from None

    def stop(self) -> None:
        self.process.join(STOP_SECONDS + 5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _replaced(worker: _Worker, settings: Settings, sockets: list[socket.socket]) -> _Worker:
    if worker.process.is_alive():
        return worker
    log.log.error("a worker has died and is replaced", extra={"fields": {"exit_code": worker.process.exitcode}})
    time.sleep(_PAUSE_SECONDS)
    return _Worker(settings, sockets)


def _work(settings: Settings, sockets: list[socket.socket], told: Connection) -> None:
    import os

    os.umask(0o077)
    log.set_up(settings.log_level)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        run(settings, sockets, lambda: told.send_bytes(b"ready"))
    except SetupError as error:
        print(f"minleaf: {error}", file=sys.stderr)
        sys.exit(2)
