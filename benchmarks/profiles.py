"""Where the time of Minleaf's three hottest paths goes: `python -m benchmarks.profiles`. Needs py-spy."""

import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from benchmarks.data import load_runs
from benchmarks.measure import Work, measured
from benchmarks.reading import Loaded, search_works
from benchmarks.servers import Minleaf
from benchmarks.workloads import works

SECONDS = 6
# Where threads wait for work. On a busy machine the profiler takes some of them for running.
WAITS = ("wait (threading.py", "_worker (concurrent/futures/thread.py", "_work (minleaf_server/db/")
ROWS = 16


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        server = Minleaf(Path(name), None)
        server.start()
        try:
            loaded = Loaded(10_000, {str(server): load_runs(server, 10_000)})
            logging = works(4)
            for work in (logging[0], logging[3], search_works(loaded)[0]):
                stacks = profiled(server, work, Path(name) / "stacks")
                print(f"\n{work.name}: {sum(stacks.values())} samples")
                for title, counts in (("itself", own(stacks)), ("with what it calls", inclusive(stacks))):
                    print(f"  {title}")
                    for what, share in counts:
                        print(f"  {share:6.1%}  {what}")
        finally:
            server.stop()


def profiled(server: Minleaf, work: Work, path: Path) -> Counter[str]:
    """How often each stack was seen while the server did the work again and again."""
    assert server.process is not None
    command = ["record", "--pid", str(server.process.pid), "--rate", "250", "--duration", str(SECONDS)]
    over = threading.Event()

    def watch() -> None:
        program = str(Path(sys.executable).with_name("py-spy"))
        subprocess.run([program, *command, "--format", "raw", "--output", str(path)], check=True, capture_output=True)
        over.set()

    measured(server, work)  # warm
    threading.Thread(target=watch).start()
    while not over.is_set():
        measured(server, work)
    stacks: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        if not any(wait in stack.rpartition(";")[2] for wait in WAITS):
            stacks[stack] += int(count)
    return stacks


def own(stacks: Counter[str]) -> list[tuple[str, float]]:
    """The functions in which the time passed, with their share."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[_function(stack.split(";")[-1])] += count
    return _shares(found, stacks)


def inclusive(stacks: Counter[str]) -> list[tuple[str, float]]:
    """Minleaf's functions with everything they call, with their share."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found.update({_function(frame): count for frame in stack.split(";") if "minleaf_server" in frame})
    return _shares(found, stacks)


def _function(frame: str) -> str:
    """`name (path:line)` without the line."""
    return frame.rpartition(":")[0].replace("(", "", 1)


def _shares(found: Counter[str], stacks: Counter[str]) -> list[tuple[str, float]]:
    total = sum(stacks.values())
    return [(what, count / total) for what, count in found.most_common(ROWS)]


if __name__ == "__main__":
    main()
