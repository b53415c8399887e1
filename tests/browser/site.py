"""What the tests of the pages share: a server with a sweep, awkward texts and many runs on it."""

import itertools
from dataclasses import dataclass

import httpx

from tests.browser.charts import FIRST_TIME, Api

TRAP = """<script>window.__xss = 1</script>"><img src=x onerror="window.__xss = 2">'{{7*7}}${7*7}"""
RIGHT_TO_LEFT = "\N{RIGHT-TO-LEFT OVERRIDE}gnihsiup\N{POP DIRECTIONAL FORMATTING}"
MANY = 230


@dataclass(frozen=True)
class Site:
    """A running server. `sweep` are its runs' ids by (max_depth, min_leaf); `many` is an experiment of MANY runs."""

    url: str
    sweep_experiment: str
    sweep: dict[tuple[int, int], str]
    trap_experiment: str
    trap_run: str
    many: str

    @property
    def table(self) -> str:
        return f"{self.url}/experiments/{self.sweep_experiment}"

    @property
    def addresses(self) -> dict[str, str]:
        """A page of every kind."""
        ids = list(self.sweep.values())
        return {
            "experiments": self.url,
            "runs": self.table,
            "wrong": f"{self.table}?filter=min_leaf%20%3D%203%20and%20tset_acc%20%3E%200.44",
            "empty": f"{self.table}?filter=min_leaf%20%3D%2099",
            "run": f"{self.url}/runs/{ids[0]}",
            "compare": f"{self.url}/compare?" + "&".join(f"run={run_id}" for run_id in ids[:8]),
            "search": f"{self.url}/search?q=tree",
            "error": f"{self.url}/compare",
        }


def accuracy(depth: int, leaf: int) -> float:
    """The test_acc of a run of the sweep."""
    return round(0.40 + 0.02 * depth - 0.01 * (leaf - 1), 4)


def fill(url: str, many: int = MANY) -> Site:
    """Log everything that the tests look at."""
    with httpx.Client(base_url=f"{url}/api/2.0/mlflow/", timeout=60) as client:
        api = Api(client)
        sweep_experiment = api.experiment("trees/sweep")
        sweep = {
            key: _tree(api, sweep_experiment, number, *key)
            for number, key in enumerate(itertools.product(range(1, 6), range(1, 4)))
        }
        trap_experiment = api.experiment(TRAP)
        trap_run = _trap(api, trap_experiment)
        crowd = api.experiment("many")
        for number in range(many):
            run_id = api.run(crowd, f"run-{number:03}", {"number": str(number)})
            api.log(run_id, "score", [float(number % 10)])
        return Site(url, sweep_experiment, sweep, trap_experiment, trap_run, crowd)


def _tree(api: Api, experiment_id: str, number: int, depth: int, leaf: int) -> str:
    params = {"max_depth": str(depth), "min_leaf": str(leaf), "criterion": "gini"}
    run_id = api.run(experiment_id, f"tree-{depth}-{leaf}", params)
    api.log(run_id, "test_acc", [accuracy(depth, leaf)])
    api.log(run_id, "loss", [1 / (1 + step) + number / 100 for step in range(20)])
    api.post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": FIRST_TIME + 60_000})
    return run_id


def _trap(api: Api, experiment_id: str) -> str:
    """A run that says TRAP, and other texts that must stay texts, wherever a text can be said."""
    texts = {"trap": TRAP, "script": "javascript:window.__xss=3", "rtl": RIGHT_TO_LEFT, "end": "</script><b>x"}
    tags = {
        "mlflow.note.content": TRAP,
        "mlflow.user": TRAP,
        "mlflow.source.name": "javascript:window.__xss=4",
        "mlflow.source.git.commit": TRAP,
        "mlflow.source.git.branch": TRAP,
        "link": "https://example.org/?a=<b>&c='\"",
        **texts,
    }
    body = {
        "experiment_id": experiment_id,
        "run_name": TRAP,
        "user_id": TRAP,
        "start_time": FIRST_TIME,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    run_id: str = api.post("runs/create", body)["run"]["info"]["run_id"]
    api.post("runs/log-batch", {"run_id": run_id, "params": [{"key": k, "value": v} for k, v in texts.items()]})
    api.log(run_id, "acc", [0.25, 0.5])
    for number in range(2):
        child = {**body, "tags": [{"key": "mlflow.parentRunId", "value": run_id}, *body["tags"]]}
        child["run_name"] = f"{number} {TRAP}"
        other = api.post("runs/create", child)["run"]["info"]["run_id"]
        api.post("runs/log-batch", {"run_id": other, "params": [{"key": "trap", "value": f"{number}{TRAP}"}]})
        api.log(other, "acc", [0.5, 0.75])
    return run_id
