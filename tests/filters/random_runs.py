"""Runs of every kind of value that is hard to compare or to sort."""

import random

from tests.filters import strategies
from tests.filters.oracle import OracleRun

VALUES = [0.0, -0.0, 0.1, 0.5, 1.0, -1.0, 3.0, float("inf"), float("-inf"), float("nan"), 1e308, 5e-324]


def random_run(rng: random.Random, experiment_ids: list[int]) -> OracleRun:
    """A run of one of the experiments, without its id and its artifact URI."""
    run = OracleRun(
        id="", name=rng.choice([*strategies.TEXTS, "resnet 50"]) or "unnamed", user=rng.choice(["ana", "Bo"])
    )
    run.experiment_id = rng.choice(experiment_ids)
    run.status = rng.choice(strategies.STATUSES)
    run.start = rng.choice([None, 0, 1000, 1000, 60_000, 86_400_000, 2**62])
    run.end = rng.choice([None, 1000, 121_000, 86_400_000])
    for key in strategies.METRICS[:-2]:
        if rng.random() < 0.7:
            first = rng.choice([-7, 0, 2])
            run.metrics[key] = [(first + 2 * i, rng.choice(VALUES)) for i in range(rng.randint(1, 4))]
    run.params = {key: rng.choice(strategies.TEXTS) for key in ("lr", "depth") if rng.random() < 0.7}
    run.tags = {key: rng.choice(strategies.TEXTS) for key in ("stage", "mlflow.user") if rng.random() < 0.7}
    run.datasets = random_datasets(rng)
    run.deleted = rng.random() < 0.1
    return run


def random_datasets(rng: random.Random) -> list[tuple[str, str, str | None]]:
    """None to three datasets of different names and digests, of a few that the runs share."""
    texts = strategies.DATASETS[:-1]
    pairs = {(rng.choice(texts), rng.choice(texts)[:36]) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))}
    return [(name, digest, rng.choice([None, *texts])) for name, digest in sorted(pairs)]


_METRICS = [*VALUES, 0.999, 0.9996, 0.99, 0.25, 0.2, 0.01, 0.44, 0.5000001, -1e-300, 1.7976931348623157e308]
_DEPTHS = ["3", "3.0", "03", "3e0", "+3", "1", "2", "4", "5", "10", "1e3", "1000", "0x1", "1_0", "-0", "0", "inf"]
_DEPTHS += ["-Infinity", "nan", "", " 3", "٣", "9007199254740993", "9007199254740992", "9" * 30, "1e999", "three"]
_LRS = ["0.001", "1e-3", "0.1", "0.01", "1e-05", "0.0001", "1E-4", ".5", "5.", "-1", "adam", "é", "É", "😀", "\uffff"]
_OPTIMIZERS = ["adam", "Adam", "adam ", "sgd", "lamb", "lamb", "a\ndam"]
_VALUES = ["value 7", "VALUE 7", "Value 70", "value 8", "a value 7", "välue 7", "value%7", "value_7"]
_TEXTS = ["unique 77", "unique 770", "Unique 77", "no such text", "NO SUCH TEXT", "a no such text b", "no such tex"]
_TEXTS += ["日本", "x" * 1024 + "a", "x" * 1024 + "b", "x" * 1024, "", "\n", "%", "_"]
_TEAMS = ["team-1", "team-13", "Team-1", "team-3", "team_1", "teäm-1"]
_NAMES = ["run-77", "run-577", "run-770", "RUN-77", "run-500", "run_77", "nothing like it", "x\nrun-77", "日本-77"]
_STARTS = [None, 0, -5, 1_760_000_100_000, 1_760_000_100_000, 1_760_000_100_001, 1_760_000_200_000, 2**62, 2**53 + 1]


def battery_run(rng: random.Random) -> OracleRun:
    """A run that has, or nearly has, what the filters and orders of the benchmarks ask for."""
    run = OracleRun(id="", name=rng.choice(_NAMES), user=rng.choice(["ana", "Bo"]))
    run.status = rng.choice(["FINISHED", "FINISHED", "RUNNING", "FAILED"])
    run.start = rng.choice(_STARTS)
    run.end = rng.choice([None, 0, 1_760_000_160_000, 1_760_000_160_001, 2**53 + 2, 2**62 + 1])
    for key in ("acc", "loss", "m02", "m05"):
        if rng.random() < 0.8:
            run.metrics[key] = [(7 * step - 3, rng.choice(_METRICS)) for step in range(rng.choice([1, 1, 2, 3]))]
    pools = {"depth": _DEPTHS, "lr": _LRS, "optimizer": _OPTIMIZERS, "p04": _VALUES}
    run.params = {key: rng.choice(pool) for key, pool in pools.items() if rng.random() < 0.85}
    pools = {
        "t3": _TEXTS,
        "team": ["team-1", "team-13", "Team-1", "team-3", "team_1", "teäm-1"],
        "t2": ["same", "Same"],
    }
    pools["stage"] = ["train", "final", "debug", "Train"]
    run.tags = {key: rng.choice(pool) for key, pool in pools.items() if rng.random() < 0.85}
    run.deleted = rng.random() < 0.05
    return run
