"""One run of the benchmark: the servers, and the groups of measurements in their order."""

import shutil
import sys
import time
import traceback
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks import battery, cpu, idle, reading, report, workloads
from benchmarks.battery import Timed
from benchmarks.data import load_runs, load_series
from benchmarks.floor import BareAnswer, bare_database, bare_requests
from benchmarks.measure import Lost, Sample, Work, measured, middle
from benchmarks.reading import SERIES, Loaded
from benchmarks.report import Row
from benchmarks.servers import Minleaf, MLflow, Postgres, Target


class Session:
    """`groups` are methods without arguments that add rows."""

    def __init__(self, folder: Path, postgres: Postgres, asked: Namespace) -> None:
        self.folder, self.postgres, self.quick = folder, postgres, asked.quick
        self.rounds: int = asked.rounds or (2 if asked.quick else 3)
        self.sizes: tuple[int, ...] = asked.battery
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
        """Start each kind of server on its database, all at once, and wait until they are quiet."""
        self.targets = [kind(self.folder, self.postgres if on == "postgres" else None) for kind, on in kinds]
        with timed("starting every server on an empty folder"), ThreadPoolExecutor() as pool:
            list(pool.map(lambda target: target.start(), self.targets))
        with timed("waiting until every server is quiet"):
            restless = ", ".join(map(str, idle.settle(self.targets)))
        if restless:
            self.notes.append(f"Not quiet {idle.SETTLE_SECONDS_MAX} s after the start: {restless}.")

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
        commits = 50 if self.quick else 300
        floors = {"log-metric, 20 connections": (20, 1)}
        floors |= {f"log-batch of {size:,} metrics": (10, size) for size in (10, 100, 1000)}
        for row in self.rows:
            if row.name in floors:
                costs = {
                    name: bare_database(self.folder, on, *floors[row.name], commits)
                    for name, on in (("sqlite", None), ("postgres", self.postgres))
                }
                row.floor = report.floor(one.cpu, costs, row.values)

    def search(self) -> None:
        """Searches over many runs."""
        self._load_runs()
        self._measure(reading.search_works(self.loaded))

    def battery(self) -> None:
        """Filters and orders of every kind, of Minleaf alone: on the runs that all have, and on the asked sizes."""
        self._load_runs()
        ours = [target for target in self.targets if isinstance(target, Minleaf)]
        self._battery(self.loaded.runs, {target: self.loaded.experiments[str(target)] for target in ours})
        for size in self.sizes:
            self._battery_of_size(size, ours)

    def _battery_of_size(self, size: int, like: Sequence[Target]) -> None:
        """The battery on databases of its own, which are removed afterwards: a million runs take several gigabytes."""
        folder = self.folder / f"runs-{size}"
        folder.mkdir()
        targets = [type(one)(folder, one.postgres) for one in like]
        try:
            for target in targets:
                target.start()
            experiments = {target: self._loaded(target, size) for target in targets}
            self._battery(size, experiments)
        finally:
            for target in targets:
                target.stop()
                if target.postgres:
                    target.postgres.drop(target.uri)
            shutil.rmtree(folder)

    def _battery(self, size: int, experiments: Mapping[Target, str]) -> None:
        answers = {
            str(target): battery.run(target, experiment, self.quick) for target, experiment in experiments.items()
        }
        for name, queries in answers.items():
            self.batteries[f"{size:,} runs, {name}"] = queries
            self.notes += [f"{name}, {size:,} runs: `{one.query}`: {one.failure}" for one in queries if one.failure]
        for difference in battery.differences(answers):
            self._failed(f"{size:,} runs: {difference}")
        pages = sum(query.totals for query in battery.BATTERY)
        for totals, kind in ((False, f"{len(battery.BATTERY) - pages} queries"), (True, f"{pages} pages with totals")):
            for cold, reach in ((False, "30 at 100,000, 400 at 1,000,000"), (True, "2,000 at 1,000,000")):
                values = {name: battery.worst(queries, cold, totals) for name, queries in answers.items()}
                name = f"worst of {kind} at {size:,} runs, {'cold' if cold else 'warm'}"
                self.rows.append(Row(name, "CPU ms", values, reach="" if totals else reach))
        memory = {str(target): cpu.memory(idle.pid_of(target)) / 2**20 for target in experiments}
        self.rows.append(Row(f"memory after the queries at {size:,} runs (PSS)", "MB", memory))

    def series(self) -> None:
        """Long series: their room on the disk, their history, charts."""
        loaded = self.loaded
        loaded.points, loaded.chart_points = (100_000, 10_000) if self.quick else (1_000_000, 100_000)
        weighed = {}
        for target in self.targets:
            with timed(f"a series of {loaded.points:,} points, {target}"):
                weighed[str(target)] = idle.load_and_weigh(target, loaded.points)
        loaded.series = {name: run for name, (run, _) in weighed.items()}
        loaded.charts = {str(one): load_series(one, SERIES, [loaded.chart_points] * 10) for one in self.targets}
        self._add("a point on disk, float32-like loss", "bytes", lambda target: weighed[str(target)][1], "10")
        self._measure(reading.series_works(loaded))

    def start_again(self) -> None:
        """From the start of the process to the first answer, on the store with all that was logged."""
        times, spent = {}, {}
        for target in self.targets:
            if self.quick and isinstance(target, MLflow) and target.postgres:
                continue  # It takes as long as on SQLite: a quarter of a minute.
            times[str(target)] = target.restart()
            spent[str(target)] = target.cpu()[0]
        self.rows.append(Row("start to first answer", "s", times, reach="1"))
        self.rows.append(Row("start to first answer, CPU", "s", spent))

    def _load_runs(self) -> None:
        for target in self.targets:
            if str(target) not in self.loaded.experiments:
                self.loaded.experiments[str(target)] = self._loaded(target, self.loaded.runs)

    def _loaded(self, target: Target, count: int) -> str:
        with timed(f"loading {count:,} runs, {target}"):
            return load_runs(target, count)

    def _add(self, name: str, unit: str, of: Callable[[Target], float], reach: str) -> None:
        self.rows.append(Row(name, unit, {str(target): of(target) for target in self.targets}, reach=reach))

    def _measure(self, works: list[Work]) -> None:
        """Each work on every server in turn, and that several times, so that what else the machine does hits all."""
        for work in works:
            samples: dict[str, list[Sample]] = {}
            for number in range(self.rounds):
                for target in filter(work.of, self.targets):
                    # MLflow takes most of the time, and what it costs does not hang on a tenth.
                    if number and self.quick and isinstance(target, MLflow):
                        continue
                    self._sample(work, target, samples)
            found = {name: middle(several) for name, several in samples.items()}
            values = {name: one.cpu for name, one in found.items()}
            self.rows.append(Row(work.name, "CPU ms", values, "", work.reach, found))
            if work.name == workloads.ONE_CONNECTION:
                slow = {name: one.slow for name, one in found.items()}
                self.rows.append(Row("one connection: answers that took over 35 ms", "%", slow, reach="0"))
            self.notes += [
                f"{work.name}, {name}: {one.failures:.0f} requests refused"
                for name, one in found.items()
                if one.failures
            ]

    def _sample(self, work: Work, target: Target, samples: dict[str, list[Sample]]) -> None:
        with timed(f"{work.name}, {target}"):
            try:
                one = measured(target, work)
                samples.setdefault(str(target), []).append(one)
            except Lost as error:
                self._failed(f"{work.name}, {target}: {error}")

    def _failed(self, note: str) -> None:
        self.failed = True
        self.notes.append(note)
        print(note, file=sys.stderr, flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say on stderr how many seconds this took."""
    begin = time.perf_counter()
    yield
    print(f"{time.perf_counter() - begin:6.1f} s  {what}", file=sys.stderr, flush=True)
