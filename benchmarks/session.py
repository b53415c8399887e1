"""One run of the benchmark: the servers, and the groups of measurements in their order."""

import sys
import time
import traceback
from argparse import Namespace
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import battery, idle, reading, workloads
from benchmarks.battery import Timed
from benchmarks.data import load_runs, load_series
from benchmarks.floor import BareAnswer, bare_database, bare_requests
from benchmarks.measure import Lost, Sample, Work, measured, middle
from benchmarks.reading import SERIES, Loaded
from benchmarks.report import Row
from benchmarks.servers import Minleaf, Postgres, Target


class Session:
    """`groups` are methods without arguments that add rows."""

    def __init__(self, folder: Path, postgres: Postgres, asked: Namespace) -> None:
        self.folder, self.postgres, self.quick = folder, postgres, asked.quick
        self.rounds: int = asked.rounds or (2 if asked.quick else 3)
        self.loaded = Loaded(asked.runs or (1_000 if asked.quick else 10_000), {})
        self.targets: list[Target] = []
        self.rows: list[Row] = []
        self.batteries: dict[str, list[Timed]] = {}
        self.notes: list[str] = []
        self.failed = False
        self.groups: dict[str, Callable[[], None]] = {
            "idle": self.idle,
            "log": self.log,
            "floor": self.floor,
            "search": self.search,
            "battery": self.battery,
            "series": self.series,
            "start": self.start_again,
        }

    def start(self, kinds: Sequence[tuple[type[Target], str]]) -> None:
        """Start each kind of server on its database, all at once."""
        self.targets = [kind(self.folder, self.postgres if on == "postgres" else None) for kind, on in kinds]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda target: target.start(), self.targets))

    def do(self, group: str) -> None:
        """Measure one group. Where it fails, that is said in the notes, and the next ones are measured all the same."""
        try:
            self.groups[group]()
        except Exception as error:
            traceback.print_exc()
            self._failed(f"{group} was broken off: {error!r}")

    def close(self) -> None:
        """Stop every server."""
        for target in self.targets:
            target.stop()

    def idle(self) -> None:
        """Processes, memory and CPU of servers that do nothing."""
        found = idle.at_rest(self.targets, 5 if self.quick else 30)
        self._add("processes", "", lambda target: found[str(target)].processes, "1")
        self._add("memory when idle (PSS)", "MB", lambda target: found[str(target)].megabytes, "110")
        self._add("CPU when idle", "% of a core", lambda target: found[str(target)].percent, "0.2")

    def log(self) -> None:
        """Everything that is logged."""
        self._measure(workloads.works(1 if self.quick else 5))

    def floor(self) -> None:
        """What no server can be cheaper than."""
        bare = BareAnswer(self.folder, None)
        bare.start()
        try:
            one = middle([measured(bare, Work("", bare_requests)) for _ in range(self.rounds)])
        finally:
            bare.stop()
        floors = {"log-metric, 20 connections": (20, 1)}
        floors |= {f"log-batch of {size:,} metrics": (10, size) for size in (10, 100, 1000)}
        for row in self.rows:
            if row.name in floors:
                costs = [bare_database(self.folder, postgres, *floors[row.name]) for postgres in (None, self.postgres)]
                answer = f"answer {one.cpu:.3f}, " if row.name.startswith("log-metric") else ""
                row.floor = f"{answer}SQLite {costs[0]:.3f}, Postgres {costs[1]:.3f}"

    def search(self) -> None:
        """Searches over many runs."""
        self._load_runs()
        self._measure(reading.search_works(self.loaded))

    def battery(self) -> None:
        """Filters and orders of every kind, of Minleaf alone."""
        self._load_runs()
        for target in self._ours():
            timed = battery.run(target, self.loaded.experiments[str(target)])
            self.batteries[f"{self.loaded.runs:,} runs, {target}"] = timed
            self.notes += [f"{target}: `{one.query}`: {one.failure}" for one in timed if one.failure]
        worst = {name.rpartition(", ")[2]: timed for name, timed in self.batteries.items()}
        for what, reach in (("warm", "30 at 100,000, 400 at 1,000,000"), ("cold", "2,000 at 1,000,000")):
            values = {name: max(getattr(one, what) for one in timed) for name, timed in worst.items()}
            name = f"worst of {len(battery.BATTERY)} queries at {self.loaded.runs:,} runs, {what}"
            self.rows.append(Row(name, "CPU ms", values, reach=reach))

    def series(self) -> None:
        """Long series: their room on the disk, their history, charts."""
        loaded = self.loaded
        loaded.points, loaded.chart_points = (100_000, 10_000) if self.quick else (1_000_000, 100_000)
        weighed = {str(target): idle.load_and_weigh(target, loaded.points) for target in self.targets}
        loaded.series = {name: run for name, (run, _) in weighed.items()}
        loaded.charts = {str(one): load_series(one, SERIES, [loaded.chart_points] * 10) for one in self.targets}
        self._add("a point on disk, float32-like loss", "bytes", lambda target: weighed[str(target)][1], "10")
        self._measure(reading.series_works(loaded))

    def start_again(self) -> None:
        """From the start of the process to the first answer, on the store with all that was logged."""
        times = {str(target): idle.restarted(target) for target in self.targets}
        self._add("start to first answer", "s", lambda target: times[str(target)], "1")

    def _load_runs(self) -> None:
        for target in self.targets:
            if str(target) not in self.loaded.experiments:
                self.loaded.experiments[str(target)] = load_runs(target, self.loaded.runs)

    def _ours(self) -> list[Target]:
        return [target for target in self.targets if isinstance(target, Minleaf)]

    def _add(self, name: str, unit: str, of: Callable[[Target], float], reach: str) -> None:
        self.rows.append(Row(name, unit, {str(target): of(target) for target in self.targets}, reach=reach))

    def _measure(self, works: list[Work]) -> None:
        """Each work on every server in turn, and that several times, so that what else the machine does hits all."""
        for work in works:
            samples: dict[str, list[Sample]] = {}
            for _ in range(self.rounds):
                for target in filter(work.of, self.targets):
                    self._sample(work, target, samples)
            found = {name: middle(several) for name, several in samples.items()}
            values = {name: one.cpu for name, one in found.items()}
            self.rows.append(Row(work.name, "CPU ms", values, "", work.reach, found))
            self.notes += [
                f"{work.name}, {name}: {one.failures:.0f} requests refused"
                for name, one in found.items()
                if one.failures
            ]

    def _sample(self, work: Work, target: Target, samples: dict[str, list[Sample]]) -> None:
        begin = time.perf_counter()
        try:
            one = measured(target, work)
        except Lost as error:
            self._failed(f"{work.name}, {target}: {error}")
        else:
            samples.setdefault(str(target), []).append(one)
        print(f"         {time.perf_counter() - begin:6.1f} s  {work.name}, {target}", file=sys.stderr, flush=True)

    def _failed(self, note: str) -> None:
        self.failed = True
        self.notes.append(note)
        print(note, file=sys.stderr, flush=True)
