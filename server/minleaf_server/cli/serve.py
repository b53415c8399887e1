"""`minleaf ui` and `minleaf server`: from the settings to a running server, and to its orderly end."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from minleaf_server import log
from minleaf_server.cli import folders
from minleaf_server.cli.sockets import open_sockets, url
from minleaf_server.config import Settings
from minleaf_server.errors import SetupError
from minleaf_server.uri import sqlite_path, without_password

# Longer than the 60 seconds for which common clients and proxies keep a connection, so that they close it first.
KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 30


def serve(settings: Settings, greet: bool) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that are under way are finished first.

    Raises SetupError where the server cannot start.
    """
    os.umask(0o077)
    log.set_up(settings.log_level)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sockets = open_sockets(settings)
    settings = _settle(replace(settings, port=sockets[0].getsockname()[1]))
    folders.prepare(settings)
    held = folders.lock(settings)
    if settings.workers == 1:
        run(settings, sockets, lambda: announce(settings, greet))
    else:
        # The one place where several processes are started, which most servers never need.
        from minleaf_server.cli.workers import run_workers

        run_workers(settings, sockets, lambda: announce(settings, greet))
    if held is not None:
        held.close()


def run(settings: Settings, sockets: list[socket.socket], started: Callable[[], None]) -> None:
    """Run one process of the server; `started` is called once it listens. Raises SetupError."""
    # What is imported stays for good: the collector would walk over it again and again, an eighth of the start's time.
    gc.disable()
    import uvicorn

    from minleaf_server.app import build
    from minleaf_server.app.protocol import GuardedProtocol
    from minleaf_server.db.store import Store
    from minleaf_server.tracking.services import Services

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    memory = settings.search_memory_mb * 2**20
    store = Store.open(settings.backend_store_uri, settings.default_artifact_root, memory)
    services = Services.over(store, settings)
    try:
        config = uvicorn.Config(
            build(settings, services),
            http=GuardedProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # The gate alone decides which proxy is believed.
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
        server = Server(config)
        gc.freeze()
        gc.enable()
        # uvicorn raises the signal again when it has stopped. By then that is no news, and the exit code should be 0.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        server.run(sockets)
    except OSError as error:
        raise SetupError(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.") from None
    finally:
        services.close()


def announce(settings: Settings, greet: bool) -> None:
    """Print where the server is and where the data is kept."""
    address = url(settings.host, settings.port) + settings.static_prefix
    database = sqlite_path(settings.backend_store_uri)
    kept = without_password(settings.backend_store_uri) if database is None else str(database.resolve())
    lines = [f"Minleaf is serving {address}"]
    if database is not None and database.parent.resolve() == Path(settings.data).resolve():
        lines.append(f"Data folder: {database.parent.resolve()}")
    else:
        lines.append(f"Database: {kept}")
    if greet:
        lines.append(f"Log to it with MLFLOW_TRACKING_URI={address} or minleaf.set_tracking_uri(). Stop with Ctrl-C.")
    print("\n".join(lines), flush=True)


def _settle(settings: Settings) -> Settings:
    """Return the settings with one worker where the database takes no more, and say so."""
    if settings.workers > 1 and sqlite_path(settings.backend_store_uri) is not None:
        print(
            f"minleaf: SQLite is written by one process, so 1 worker is used instead of {settings.workers}. "
            "Postgres takes more.",
            file=sys.stderr,
        )
        return replace(settings, workers=1)
    return settings
