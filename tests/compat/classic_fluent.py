"""Checks of `mlflow.start_run` and its like. See `classic.py`."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlflow
from mlflow.entities import ViewType
from mlflow.tracking import fluent

from tests.compat.classic_bench import Bench, refused


@contextmanager
def at(bench: Bench) -> Iterator[str]:
    """The server as the one that `mlflow` logs to, with a new experiment as the active one."""
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(bench.url)
    try:
        yield mlflow.set_experiment(bench.name()).experiment_id
    finally:
        while mlflow.active_run():
            mlflow.end_run()
        mlflow.set_tracking_uri(before)
        fluent._active_experiment_id = None
        os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


def check_fluent_runs(bench: Bench) -> None:
    with at(bench) as experiment:
        with mlflow.start_run(run_name="parent", description="what it is") as parent:
            mlflow.log_params({"a": 1, "nested/name": "x"})
            mlflow.log_metrics({"m": 2.0, "nested/m": -3}, step=-10)
            with mlflow.start_run(nested=True) as child:
                mlflow.end_run("FAILED")
            assert bench.client.get_run(parent.info.run_id).info.status == "RUNNING"
        assert bench.client.get_run(child.info.run_id).info.status == "FAILED"
        last: Any = mlflow.last_active_run()
        assert last.info.run_id == parent.info.run_id
        found: Any = mlflow.get_parent_run(child.info.run_id)
        assert (found.info.run_id, found.data.metrics) == (parent.info.run_id, {"m": 2.0, "nested/m": -3.0})
        assert found.data.params == {"a": "1", "nested/name": "x"}
        assert found.data.tags["mlflow.note.content"] == "what it is"
        assert mlflow.get_parent_run(parent.info.run_id) is None
        ended = bench.client.get_run(parent.info.run_id).info
        with mlflow.start_run(parent.info.run_id, tags={"A": "B"}) as again:
            assert (again.data.tags["A"], again.info.status) == ("B", "RUNNING")
            mlflow.set_tag("gone", "1")
            mlflow.delete_tag("gone")
            with refused("No tag with name", "RESOURCE_DOES_NOT_EXIST"):
                mlflow.delete_tag("gone")
        assert bench.client.get_run(parent.info.run_id).info.end_time >= ended.end_time
        with mlflow.start_run(parent_run_id=parent.info.run_id) as second:
            pass
        found = mlflow.get_parent_run(second.info.run_id)
        assert found.info.run_id == parent.info.run_id
        assert len(mlflow.search_runs([experiment], output_format="list")) == 3
        bench.client.delete_run(second.info.run_id)
        with refused("because it is in the deleted state", "INTERNAL_ERROR"), mlflow.start_run(second.info.run_id):
            pass


def check_fluent_experiments(bench: Bench) -> None:
    with at(bench) as experiment:
        mlflow.set_experiment_tags({"a": "1", "nested/b": 5})
        mlflow.delete_experiment_tag("a")
        assert mlflow.get_experiment(experiment).tags == {"nested/b": "5"}
        with refused("No Experiment with id=-1337 exists", "RESOURCE_DOES_NOT_EXIST"):
            mlflow.set_experiment(experiment_id="-1337")
        name = mlflow.get_experiment(experiment).name
        mlflow.delete_experiment(experiment)
        for chosen in ((name, None), (None, experiment)):
            with refused("Cannot set a deleted experiment"):
                mlflow.set_experiment(*chosen)
        found = mlflow.search_experiments(view_type=ViewType.DELETED_ONLY, filter_string=f"name = '{name}'")
        assert [one.experiment_id for one in found] == [experiment]


def check_fluent_threads_make_one_experiment(bench: Bench) -> None:
    with at(bench):
        name, made = bench.name(), []
        threads = [threading.Thread(target=lambda: made.append(mlflow.set_experiment(name))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({one.experiment_id for one in made}) == 1
        assert len(made) == 4


def check_fluent_logging_without_waiting(bench: Bench) -> None:
    with at(bench), mlflow.start_run() as run:
        pending: list[Any] = [mlflow.log_metric("m", step, step=step, synchronous=False) for step in range(100)]
        pending.append(mlflow.log_params({f"p {number}": number for number in range(100)}, synchronous=False))
        pending.append(mlflow.set_tags({f"t {number}": number for number in range(100)}, synchronous=False))
        for operation in pending:
            operation.wait()
        twice: Any = mlflow.log_param("p 1", "other", synchronous=False)
        with refused("Changing param values is not allowed", "INTERNAL_ERROR"):
            twice.wait()
        mlflow.flush_async_logging()
        data = bench.client.get_run(run.info.run_id).data
        assert (data.metrics["m"], data.params["p 7"], data.tags["t 7"]) == (99.0, "7", "7")
        assert len(bench.client.get_metric_history(run.info.run_id, "m")) == 100


def check_fluent_frames(bench: Bench) -> None:
    with at(bench) as experiment:
        for depth in (1, 2, 3):
            with mlflow.start_run(tags={"depth": str(depth)}):
                mlflow.log_metric("acc", depth / 10)
                if depth > 1:
                    mlflow.log_param("p", depth)
        frame = mlflow.search_runs([experiment], order_by=["metrics.acc DESC"], max_results=2)
        assert list(frame["metrics.acc"]) == [0.3, 0.2]
        assert list(frame["tags.depth"]) == ["3", "2"]
        everything = mlflow.search_runs([experiment], filter_string="metrics.acc < 0.3")
        assert list(everything["params.p"].dropna()) == ["2"]
        assert mlflow.search_runs(experiment_names=["no such name"], output_format="list") == []
