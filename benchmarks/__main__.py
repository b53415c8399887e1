"""`python -m benchmarks`: measure, print the table, and with --write put it into docs/benchmarks.md. Linux only."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import report, servers
from benchmarks.servers import FastTrackML, Minleaf, MLflow, Postgres
from benchmarks.session import Session, timed

GROUPS = ("idle", "log", "floor", "search", "battery", "series", "start")
SYSTEMS = {kind.name.lower(): kind for kind in (Minleaf, MLflow, FastTrackML)}
TARGETS = [(system, database) for system in SYSTEMS for database in ("sqlite", "postgres")]


def main() -> int:
    """Returns 1 where something acknowledged was lost or a search was wrong."""
    asked = _arguments()
    if problem := servers.missing():
        print(problem, file=sys.stderr)
        return 2
    begin = time.perf_counter()
    # Ends the servers too, and prints what has been measured by then.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The folder holds a Unix socket, whose path may have 107 bytes at most, and Postgres's own user must reach it.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        figures, complete = _run(folder, asked)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(figures)
    print(f"It took {time.perf_counter() - begin:.0f} s.", file=sys.stderr)
    if asked.write:
        report.write(figures)
    return 0 if complete else 1


def _run(folder: Path, asked: argparse.Namespace) -> tuple[str, bool]:
    """The report, and whether all that was acknowledged was there. Ctrl-C leaves out what comes after."""
    with ExitStack() as stack:
        postgres = Postgres(folder / "pg")
        stack.callback(postgres.close)
        session = Session(folder, postgres, asked)
        stack.callback(session.close)
        versions = servers.versions(postgres)
        try:
            _measure(session, asked)
        except KeyboardInterrupt:
            session.notes.append("Stopped before the end: what is missing was not measured.")
    return report.text(session.rows, session.batteries, session.notes, versions), not session.failed


def _measure(session: Session, asked: argparse.Namespace) -> None:
    def chosen(system: str, database: str) -> bool:
        return system in asked.of or f"{system}-{database}" in asked.of

    session.start([(SYSTEMS[system], database) for system, database in TARGETS if chosen(system, database)])
    for group in GROUPS:
        if group in asked.only:
            with timed(group):
                session.do(group)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer requests and runs; under five minutes")
    parser.add_argument("--only", type=_names(GROUPS), default=GROUPS, metavar="NAME,…", help=", ".join(GROUPS))
    names = (*SYSTEMS, *(f"{system}-{database}" for system, database in TARGETS))
    parser.add_argument("--of", type=_names(names), default=tuple(SYSTEMS), metavar="NAME,…", help=", ".join(names))
    parser.add_argument("--rounds", type=int, help="how often each is measured; 3, in quick mode 2")
    parser.add_argument("--runs", type=int, help="how many runs are searched; 10,000, in quick mode 1,000")
    parser.add_argument(
        "--battery", type=_sizes, default=(), metavar="N,…", help="measure the battery at these numbers of runs too"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    return parser.parse_args()


def _sizes(value: str) -> tuple[int, ...]:
    return tuple(int(size.replace("_", "")) for size in value.split(","))


def _names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def read(value: str) -> tuple[str, ...]:
        names = tuple(value.split(","))
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known are {', '.join(known)}")
        return names

    return read


if __name__ == "__main__":
    sys.exit(main())
