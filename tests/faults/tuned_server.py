"""The server with other constants, and with a note of what its compaction does: run as a script.

TUNED holds the constants as JSON, such as {"db.writer.QUEUE_MAX": 20}; TUNED_FILES is how many files and connections
the process may have open. The first byte of the file that TUNED_NOTES names is `-` while nothing is compacted, `q`
while a part waits for the writer, `c` while it runs and is committed. A killed process leaves it as it was. Who writes
a number of microseconds behind it lets the process die so long after the next part has begun.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from minleaf_server.__main__ import main

EAGER = {"db.compactor.SEGMENTS_DUE": 3, "db.compactor.SEGMENTS_WORTH": 3, "db.compactor._REST_FACTOR": 0}
"""Every run is due after a few segments, and compaction goes on without a rest."""


def tune(constants: dict[str, Any]) -> None:
    """Set the constants, each of which must be there."""
    for path, value in constants.items():
        module, _, name = path.rpartition(".")
        found = import_module(f"minleaf_server.{module}")
        assert hasattr(found, name), f"there is no {path} any more"
        setattr(found, name, value)


def note(file: int) -> None:
    """Let the compactor write down what the part that it has given to the writer does."""
    compactor: Any = import_module("minleaf_server.db.compactor").Compactor
    made = compactor.__init__

    def say(what: bytes) -> None:
        os.pwrite(file, what, 0)

    def noted(write: Callable[..., Any]) -> Callable[..., Any]:
        def submit(job: Callable[[Any], Any], runs: tuple[str, ...]) -> Any:
            def run(tx: Any) -> Any:
                say(b"c")
                if left := os.pread(file, 20, 1):
                    # Nobody handles this signal, so the kernel ends the process, whatever it does.
                    signal.setitimer(signal.ITIMER_REAL, int(left) / 1e6)
                return job(tx)

            say(b"q")
            future = write(run, runs)
            future.add_done_callback(lambda _: say(b"-"))
            return future

        return submit

    compactor.__init__ = lambda self, write, *others: made(self, noted(write), *others)


if __name__ == "__main__":
    tune(json.loads(os.environ["TUNED"]))
    if files := os.environ.get("TUNED_FILES"):
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(files), int(files)))
    if path := os.environ.get("TUNED_NOTES"):
        note(os.open(path, os.O_RDWR | os.O_CREAT))
    sys.exit(main())
