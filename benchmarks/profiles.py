"""Where the time of Minleaf's three hottest paths goes: `python -m benchmarks.profiles [--write]`. Needs py-spy."""

import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from benchmarks.data import load_runs
from benchmarks.load import Job, send
from benchmarks.measure import Work
from benchmarks.reading import Loaded, search_works
from benchmarks.report import write
from benchmarks.servers import Minleaf
from benchmarks.workloads import works

SECONDS = 8
RUNS = 10_000
ASKED = 50
SHARE_MIN = 0.02
FUNCTIONS = 12
# Where threads wait for work. On a busy machine the profiler takes some of them for running.
WAITS = {"wait", "get", "acquire", "_worker", "_work", "_loop", "select"}
# What is called by a module of Minleaf and named beside it.
CALLED = ("sqlalchemy", "psycopg", "jinja2", "json")
LOOP = "event loop, parsing HTTP, sending"
COMMIT = "commit, with the sync"

_FRAME = re.compile(r"(?P<function>.+) \((?P<path>.+?)(?::\d+)?\)")


def main() -> None:
    tables = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        server = Minleaf(Path(name), None)
        server.start()
        try:
            loaded = Loaded(RUNS, {str(server): load_runs(server, RUNS)})
            logging = works(2)
            for work in (logging[0], logging[3], search_works(loaded)[0]):
                stacks = profiled(server, work, Path(name) / "stacks")
                tables.append(table(work.name, shares(stacks)))
                print(f"\n{tables[-1]}\n\n{sum(stacks.values())} samples; the functions in which it passed:")
                for what, share in functions(stacks):
                    print(f"  {share:6.1%}  {what}")
        finally:
            server.stop()
    if "--write" in sys.argv:
        write("\n\n".join(tables) + "\n", "profiles")


def profiled(server: Minleaf, work: Work, path: Path) -> Counter[str]:
    """How often each stack was seen while the server did the work again and again."""
    assert server.process is not None
    command = ["record", "--pid", str(server.process.pid), "--rate", "250", "--duration", str(SECONDS), "--function"]
    over = threading.Event()

    def watch() -> None:
        program = str(Path(sys.executable).with_name("py-spy"))
        subprocess.run([program, *command, "--format", "raw", "--output", str(path)], check=True, capture_output=True)
        over.set()

    def work_once() -> None:
        """Without reading back, which would be sampled too. A search is asked often: starting to ask takes longer."""
        job = work.make(server).job
        lanes = [lane * ASKED for lane in job.lanes] if job.keep else job.lanes
        send(Job(job.port, lanes))

    work_once()  # warm
    threading.Thread(target=watch).start()
    while not over.is_set():
        work_once()
    stacks: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        if frame(stack.rpartition(";")[2])[0] not in WAITS:
            stacks[stack] += int(count)
    return stacks


def shares(stacks: Counter[str]) -> list[tuple[str, float]]:
    """The places of Minleaf in which the time passed, with their shares; small ones together at the end."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[place(stack)] += count
    total = sum(found.values())
    large = [(what, count / total) for what, count in found.most_common() if count >= SHARE_MIN * total]
    return [*large, ("the rest", 1 - sum(share for _, share in large))]


def place(stack: str) -> str:
    """The innermost module of Minleaf on a stack, and what it called; the commit and the event loop apart."""
    frames = [frame(one) for one in stack.split(";")]
    if "commit" in frames[-1][0]:
        return COMMIT
    ours = [number for number, (_, path) in enumerate(frames) if module(path)]
    if not ours:
        return LOOP
    below = [path for _, path in frames[ours[-1] + 1 :]]
    if any("uvicorn/" in path for path in below):
        return LOOP
    called = next((f", in {name}" for name in CALLED if any(f"{name}/" in path for path in below)), "")
    return f"`{module(frames[ours[-1]][1])}`{called}"


def module(path: str) -> str:
    """Such as `db.writer`; empty for a path outside of Minleaf, and for what only starts the server."""
    _, found, rest = path.partition("minleaf_server/")
    name = rest.removesuffix(".py").replace("/", ".")
    return "" if not found or name.startswith(("cli", "__main__")) else name


def frame(text: str) -> tuple[str, str]:
    """The function, without its class, and the path of `Class.function (path:line)`."""
    found = _FRAME.fullmatch(text)
    return (found["function"].rpartition(".")[2], found["path"]) if found else (text, "")


def functions(stacks: Counter[str]) -> list[tuple[str, float]]:
    """The functions in which the time passed, with their share."""
    found: Counter[str] = Counter()
    for stack, count in stacks.items():
        found[stack.rpartition(";")[2]] += count
    total = sum(stacks.values())
    return [(what, count / total) for what, count in found.most_common(FUNCTIONS)]


def table(name: str, rows: list[tuple[str, float]]) -> str:
    """The shares in Markdown."""
    lines = [f"| {what} | {share:.0%} |" for what, share in rows]
    return "\n".join([f"| {name} | share |", "| --- | --- |", *lines])


if __name__ == "__main__":
    main()
