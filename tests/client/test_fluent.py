"""The functions of a training script against a real server."""

import uuid

import numpy as np
import pytest

import minleaf
from minleaf.entities import Experiment
from minleaf.exceptions import InvalidParameter, InvalidState, NotFound


def test_a_run_from_start_to_end(experiment: Experiment) -> None:
    with minleaf.start_run(run_name="one", tags={"stage": "test"}, description="what for") as run:
        assert minleaf.active_run() is run
        assert minleaf.log_param("max_depth", 3) == 3
        minleaf.log_params({"min_leaf": 2, "criterion": "gini", "none": None})
        minleaf.log_metric("acc", np.float64(0.75))
        minleaf.log_metrics({"loss": np.array(0.5), "ok": True}, step=7)
        minleaf.set_tag("a", 1)
        minleaf.set_tags({"b": 2.5, "c": "x"})
        minleaf.delete_tag("c")
    assert minleaf.active_run() is None
    read = minleaf.get_run(run.info.run_id)
    assert read.info.status == "FINISHED"
    assert read.info.end_time is not None
    assert read.info.end_time >= read.info.start_time
    assert (read.info.run_name, read.info.experiment_id) == ("one", experiment.experiment_id)
    assert read.data.params == {"max_depth": "3", "min_leaf": "2", "criterion": "gini", "none": "None"}
    assert read.data.metrics == {"acc": 0.75, "loss": 0.5, "ok": 1.0}
    wanted = {"stage": "test", "mlflow.note.content": "what for", "mlflow.runName": "one", "a": "1", "b": "2.5"}
    assert wanted.items() <= read.data.tags.items()
    assert "c" not in read.data.tags
    last = minleaf.last_active_run()
    assert last is not None
    assert last.info.run_id == run.info.run_id


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_makes_a_run_failed(experiment: Experiment, error: type[BaseException]) -> None:
    with pytest.raises(error), minleaf.start_run() as run:
        raise error
    assert minleaf.get_run(run.info.run_id).info.status == "FAILED"


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_end_run_with_a_status(experiment: Experiment, status: str) -> None:
    run = minleaf.start_run()
    minleaf.end_run(status)
    assert minleaf.get_run(run.info.run_id).info.status == status


def test_end_run_without_a_run_or_with_a_wrong_status(experiment: Experiment) -> None:
    minleaf.end_run()
    with minleaf.start_run() as run:
        with pytest.raises(InvalidParameter, match="'DONE' is no run status"):
            minleaf.end_run("DONE")
        assert minleaf.active_run() is run


def test_ending_a_run_inside_its_block_keeps_that_status(experiment: Experiment) -> None:
    with minleaf.start_run() as run:
        minleaf.end_run("KILLED")
    assert minleaf.get_run(run.info.run_id).info.status == "KILLED"


def test_logging_without_a_run_starts_one(experiment: Experiment) -> None:
    minleaf.log_metric("m", 1.0)
    run = minleaf.active_run()
    assert run is not None
    minleaf.log_param("p", 1)
    assert minleaf.active_run() is run
    minleaf.end_run()
    read = minleaf.get_run(run.info.run_id)
    assert (read.data.metrics, read.data.params) == ({"m": 1.0}, {"p": "1"})


def test_a_second_run_needs_nested(experiment: Experiment) -> None:
    with minleaf.start_run() as outer:
        with pytest.raises(InvalidState, match=rf"Run {outer.info.run_id} is already active.*nested=True"):
            minleaf.start_run()
        with minleaf.start_run(nested=True) as inner:
            minleaf.log_param("p", "inner")
        minleaf.log_param("p", "outer")
    child = minleaf.get_run(inner.info.run_id)
    assert child.data.tags["mlflow.parentRunId"] == outer.info.run_id
    assert child.data.params == {"p": "inner"}
    assert minleaf.get_run(outer.info.run_id).data.params == {"p": "outer"}


def test_a_parent_by_id(experiment: Experiment) -> None:
    with minleaf.start_run() as parent:
        pass
    with minleaf.start_run(parent_run_id=parent.info.run_id) as child:
        minleaf.log_metric("m", 1.0)
        with pytest.raises(InvalidParameter, match="would be the parent"):
            minleaf.start_run(nested=True, parent_run_id=parent.info.run_id)
    assert minleaf.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id
    minleaf.delete_run(parent.info.run_id)
    with pytest.raises(InvalidParameter, match="is deleted"):
        minleaf.start_run(parent_run_id=parent.info.run_id)


def test_a_run_is_taken_up_again(experiment: Experiment) -> None:
    with minleaf.start_run(run_name="before") as run:
        minleaf.log_param("batch_size", 4)
    run_id = run.info.run_id
    with minleaf.start_run(run_id=run_id, run_name="after", tags={"again": "yes"}, description="note"):
        assert minleaf.get_run(run_id).info.status == "RUNNING"
        with pytest.raises(InvalidParameter, match=r"'batch_size' of run .* is already '4' and cannot become '8'"):
            minleaf.log_param("batch_size", 8)
        minleaf.log_metric("m", 1)
    read = minleaf.get_run(run_id)
    assert (read.info.status, read.info.run_name, read.data.params) == ("FINISHED", "after", {"batch_size": "4"})
    assert {"again": "yes", "mlflow.note.content": "note"}.items() <= read.data.tags.items()


@pytest.mark.parametrize("prefix", ["MINLEAF", "MLFLOW"])
def test_a_run_id_in_the_environment_is_used_once(
    experiment: Experiment, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with minleaf.start_run() as first:
        pass
    monkeypatch.setenv(f"{prefix}_RUN_ID", first.info.run_id)
    with minleaf.start_run() as second:
        pass
    with minleaf.start_run() as third:
        pass
    assert second.info.run_id == first.info.run_id
    assert third.info.run_id != first.info.run_id


def test_what_cannot_be_taken_up(experiment: Experiment) -> None:
    with pytest.raises(NotFound):
        minleaf.start_run(run_id="0" * 32)
    with minleaf.start_run() as run:
        pass
    minleaf.set_experiment(f"other {uuid.uuid4().hex}")
    with pytest.raises(InvalidParameter, match="belongs to experiment"):
        minleaf.start_run(run_id=run.info.run_id)
    minleaf.set_experiment(experiment.name)
    minleaf.delete_run(run.info.run_id)
    with pytest.raises(InvalidParameter, match="is deleted"):
        minleaf.start_run(run_id=run.info.run_id)
    assert minleaf.active_run() is None


def test_a_param_with_another_value_raises_and_the_first_stays(experiment: Experiment) -> None:
    with minleaf.start_run() as run:
        minleaf.log_param("batch_size", 4)
        minleaf.log_param("batch_size", "4")
        with pytest.raises(InvalidParameter, match=r"written once: 'batch_size' .* already '4' and cannot become '8'"):
            minleaf.log_param("batch_size", 8)
        with pytest.raises(InvalidParameter, match="written once"):
            minleaf.log_params({"other": 1, "batch_size": 8})
    assert minleaf.get_run(run.info.run_id).data.params == {"batch_size": "4"}


def test_a_refused_param_is_not_remembered(experiment: Experiment) -> None:
    with minleaf.start_run() as run:
        with pytest.raises(InvalidParameter, match="at most 6000"):
            minleaf.log_param("p", "x" * 6001)
        minleaf.log_param("p", "short")
    assert minleaf.get_run(run.info.run_id).data.params == {"p": "short"}


def test_description_and_its_tag_together(experiment: Experiment) -> None:
    with pytest.raises(InvalidParameter, match="not as both"):
        minleaf.start_run(tags={"mlflow.note.content": "a"}, description="b")


def test_logging_to_another_run_by_id(experiment: Experiment) -> None:
    with minleaf.start_run() as first:
        pass
    with minleaf.start_run() as second:
        minleaf.log_metric("m", 1.0, step=3, timestamp=5, run_id=first.info.run_id)
        minleaf.log_params({"p": 1}, run_id=first.info.run_id)
    assert minleaf.get_run(first.info.run_id).data.metrics == {"m": 1.0}
    assert minleaf.get_run(second.info.run_id).data.metrics == {}
    (point,) = minleaf.MinleafClient().get_metric_history(first.info.run_id, "m")
    assert (point.step, point.timestamp) == (3, 5)


def test_set_experiment_by_name_and_by_id(address: str) -> None:
    name = f"by name {uuid.uuid4().hex}"
    made = minleaf.set_experiment(name)
    assert minleaf.set_experiment(name) == made
    assert minleaf.set_experiment(experiment_id=made.experiment_id) == made
    with minleaf.start_run() as run:
        assert run.info.experiment_id == made.experiment_id
    with minleaf.start_run(experiment_id=0) as other:
        assert other.info.experiment_id == "0"
    with pytest.raises(NotFound):
        minleaf.set_experiment(experiment_id="987654321")
    with pytest.raises(InvalidParameter, match="either"):
        minleaf.set_experiment(name, experiment_id=made.experiment_id)
    with pytest.raises(InvalidParameter, match="either"):
        minleaf.set_experiment()


def test_a_deleted_experiment_is_not_restored(address: str) -> None:
    made = minleaf.set_experiment(f"deleted {uuid.uuid4().hex}")
    minleaf.delete_experiment(made.experiment_id)
    with pytest.raises(InvalidParameter, match="is deleted and cannot take runs"):
        minleaf.set_experiment(made.name)
    minleaf.restore_experiment(made.experiment_id)
    assert minleaf.set_experiment(made.name).experiment_id == made.experiment_id


@pytest.mark.parametrize("prefix", ["MINLEAF", "MLFLOW"])
def test_the_experiment_of_the_environment(address: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"environment {uuid.uuid4().hex}"
    monkeypatch.setenv(f"{prefix}_EXPERIMENT_NAME", name)
    with minleaf.start_run() as run:
        pass
    made = minleaf.get_experiment_by_name(name)
    assert made is not None
    assert run.info.experiment_id == made.experiment_id
    monkeypatch.setenv(f"{prefix}_EXPERIMENT_ID", "0")
    with pytest.raises(InvalidParameter, match="names two experiments"):
        minleaf.start_run()
    monkeypatch.delenv(f"{prefix}_EXPERIMENT_NAME")
    with minleaf.start_run() as run:
        assert run.info.experiment_id == "0"
    monkeypatch.setenv(f"{prefix}_EXPERIMENT_ID", "987654321")
    with pytest.raises(NotFound, match="EXPERIMENT_ID names experiment '987654321'"):
        minleaf.start_run()


def test_another_server_forgets_the_experiment(experiment: Experiment, address: str) -> None:
    minleaf.set_tracking_uri("http://127.0.0.1:1")
    minleaf.set_tracking_uri(address)
    with minleaf.start_run() as run:
        assert run.info.experiment_id == "0"


def test_experiments_are_searched_through_every_page(address: str) -> None:
    mark = uuid.uuid4().hex
    made = [minleaf.create_experiment(f"{mark} {number}", tags={"n": number}) for number in range(3)]
    found = minleaf.search_experiments(filter_string=f"name LIKE '{mark}%'", order_by=["name"])
    assert [experiment.experiment_id for experiment in found] == made
    assert found[2].tags == {"n": "2"}
    few = minleaf.search_experiments(filter_string=f"name LIKE '{mark}%'", order_by=["name"], max_results=2)
    assert [experiment.experiment_id for experiment in few] == made[:2]


def test_a_tag_of_the_experiment(experiment: Experiment) -> None:
    minleaf.set_experiment_tag("team", "vision")
    assert minleaf.get_experiment(experiment.experiment_id).tags == {"team": "vision"}


def log_runs(count: int) -> list[str]:
    ids = []
    for number in range(count):
        with minleaf.start_run() as run:
            minleaf.log_param("n", number)
            minleaf.log_metric("m", number / 10)
        ids.append(run.info.run_id)
    return ids


def test_search_runs(experiment: Experiment) -> None:
    ids = log_runs(4)
    order = ["metrics.m ASC"]
    assert [run.info.run_id for run in minleaf.search_runs(order_by=order)] == ids
    found = minleaf.search_runs(filter_string="params.n != '0' and metrics.m < 0.25", order_by=order)
    assert [run.info.run_id for run in found] == ids[1:3]
    assert [run.info.run_id for run in minleaf.search_runs(order_by=order, max_results=2)] == ids[:2]
    by_name = minleaf.search_runs(experiment_names=[experiment.name], order_by=order)
    by_id = minleaf.search_runs([experiment.experiment_id], order_by=order)
    assert by_name == by_id
    assert set(ids) <= {run.info.run_id for run in minleaf.search_runs(search_all_experiments=True)}
    minleaf.delete_run(ids[0])
    assert [run.info.run_id for run in minleaf.search_runs(run_view_type="DELETED_ONLY")] == ids[:1]
    minleaf.restore_run(ids[0])
    assert len(minleaf.search_runs()) == 4


def test_search_runs_goes_through_every_page(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = log_runs(7)
    monkeypatch.setattr("minleaf._fluent._PAGE", 2)
    assert [run.info.run_id for run in minleaf.search_runs(order_by=["metrics.m"])] == ids
    assert [run.info.run_id for run in minleaf.search_runs(order_by=["metrics.m"], max_results=5)] == ids[:5]


def test_search_runs_says_what_it_cannot_do(experiment: Experiment) -> None:
    with pytest.raises(InvalidParameter, match="not both"):
        minleaf.search_runs(["0"], experiment_names=["x"])
    with pytest.raises(InvalidParameter, match="no experiment named 'absent"):
        minleaf.search_runs(experiment_names=["absent one"])
    with pytest.raises(InvalidParameter, match="'csv'"):
        minleaf.search_runs(output_format="csv")  # type: ignore[call-overload]
    with pytest.raises(InvalidParameter, match="'EVERYTHING' is no view type"):
        minleaf.search_runs(run_view_type="EVERYTHING")


def test_runs_as_a_pandas_table_equal_that_of_mlflow(experiment: Experiment, address: str) -> None:
    import mlflow
    import pandas as pd

    log_runs(3)
    with minleaf.start_run(tags={"t": "x"}):
        minleaf.log_param("other", "y")
    minleaf.start_run()
    minleaf.end_run("FAILED")
    ours = minleaf.search_runs(output_format="pandas", order_by=["start_time"])
    mlflow.set_tracking_uri(address)
    theirs = mlflow.search_runs([experiment.experiment_id], order_by=["start_time"])
    # The order of MLflow's metrics, params and tags is that of a set.
    assert list(ours.columns[:6]) == list(theirs.columns[:6])
    pd.testing.assert_frame_equal(ours, theirs[list(ours.columns)])
    assert len(ours.columns) == len(theirs.columns)
    empty = minleaf.search_runs(filter_string="params.n = 'none'", output_format="pandas")
    assert list(empty.columns) == list(theirs.columns[:6])


def test_a_run_carries_the_tags(experiment: Experiment) -> None:
    with minleaf.start_run(tags={"mlflow.source.name": "mine"}) as run:
        pass
    tags = minleaf.get_run(run.info.run_id).data.tags
    assert tags["mlflow.source.name"] == "mine"
    assert tags["mlflow.user"] == minleaf.get_run(run.info.run_id).info.user_id
