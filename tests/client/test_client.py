"""MinleafClient against a real server: every call of the REST API, and the values that must come back unchanged."""

import math
import struct
import uuid

import pytest

import minleaf
from minleaf import MinleafClient
from minleaf.entities import Experiment, LifecycleStage, Metric, Param, RunTag
from minleaf.exceptions import AlreadyExists, InvalidParameter, NotFound

ODD_DOUBLES = [
    0.1, -0.0, 5e-324, 1.7976931348623157e308, math.pi, 1 / 3, 2.0**53, -1e-300, 123456789.123456789,
]  # fmt: skip


@pytest.fixture
def run_id(client: MinleafClient, experiment: Experiment) -> str:
    return client.create_run(experiment.experiment_id).info.run_id


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def test_the_server_is_well(client: MinleafClient) -> None:
    assert client.health() is True
    assert client.version()[0].isdigit()


def test_the_life_of_an_experiment(client: MinleafClient) -> None:
    name = f"life {uuid.uuid4().hex}"
    experiment_id = client.create_experiment(name, tags={"team": "vision", "empty": ""})
    made = client.get_experiment(experiment_id)
    assert (made.name, made.lifecycle_stage, made.tags) == (name, "active", {"team": "vision", "empty": ""})
    assert client.get_experiment_by_name(name) == made
    client.rename_experiment(experiment_id, f"{name} ü")
    client.set_experiment_tag(experiment_id, "team", "audio")
    client.delete_experiment_tag(experiment_id, "empty")
    client.delete_experiment(experiment_id)
    deleted = client.get_experiment(experiment_id)
    assert (deleted.name, deleted.lifecycle_stage, deleted.tags) == (f"{name} ü", "deleted", {"team": "audio"})
    client.restore_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == LifecycleStage.ACTIVE


def test_what_is_missing_and_what_is_taken(client: MinleafClient, experiment: Experiment) -> None:
    with pytest.raises(AlreadyExists):
        client.create_experiment(experiment.name)
    with pytest.raises(NotFound):
        client.get_experiment("999999999")
    with pytest.raises(NotFound, match="no-such-run"):
        client.get_run("no-such-run")
    assert client.get_experiment_by_name(f"none {uuid.uuid4().hex}") is None


def test_experiments_are_found_page_by_page(client: MinleafClient) -> None:
    mark = uuid.uuid4().hex
    ids = {client.create_experiment(f"{mark} {number}") for number in range(5)}
    found: list[str] = []
    token = None
    while True:
        page = client.search_experiments(filter_string=f"name LIKE '{mark}%'", max_results=2, page_token=token)
        assert len(page) <= 2
        found += [experiment.experiment_id for experiment in page]
        token = page.token
        if token is None:
            break
    assert len(found) == 5
    assert set(found) == ids


def test_the_life_of_a_run(client: MinleafClient, experiment: Experiment) -> None:
    run = client.create_run(experiment.experiment_id, start_time=123, tags={"mlflow.user": "ada"}, run_name="first")
    info = run.info
    assert (info.run_name, info.user_id, info.status, info.start_time, info.end_time) == (
        "first", "ada", "RUNNING", 123, None,
    )  # fmt: skip
    assert client.update_run(info.run_id, name="second").run_name == "second"
    client.set_terminated(info.run_id, "KILLED", end_time=456)
    ended = client.get_run(info.run_id).info
    assert (ended.status, ended.end_time, ended.run_name) == ("KILLED", 456, "second")
    client.delete_run(info.run_id)
    assert client.get_run(info.run_id).info.lifecycle_stage == "deleted"
    with pytest.raises(InvalidParameter, match="active"):
        client.log_metric(info.run_id, "m", 1.0)
    client.restore_run(info.run_id)
    client.set_terminated(info.run_id)
    assert client.get_run(info.run_id).info.status == "FINISHED"


def test_a_status_that_does_not_exist(client: MinleafClient, run_id: str) -> None:
    with pytest.raises(InvalidParameter, match="'DONE' is no run status; there are RUNNING, "):
        client.update_run(run_id, "DONE")


def test_runs_are_searched_page_by_page(client: MinleafClient, experiment: Experiment) -> None:
    for number in range(5):
        run = client.create_run(experiment.experiment_id)
        client.log_metric(run.info.run_id, "m", number)
    found: list[float] = []
    token = None
    for _ in range(4):
        page = client.search_runs(
            experiment.experiment_id, "metrics.m > 0", max_results=2, order_by=["metrics.m DESC"], page_token=token
        )
        found += [run.data.metrics["m"] for run in page]
        token = page.token
        if token is None:
            break
    assert found == [4.0, 3.0, 2.0, 1.0]


def test_a_filter_that_cannot_be_read(client: MinleafClient, experiment: Experiment) -> None:
    with pytest.raises(InvalidParameter):
        client.search_runs([experiment.experiment_id], "metrics.m >")


def test_tags_come_and_go(client: MinleafClient, run_id: str) -> None:
    client.set_tag(run_id, "a", 1)
    client.set_tag(run_id, "a", "two ✓")
    client.set_tag(run_id, "empty", "")
    client.delete_tag(run_id, "a")
    tags = client.get_run(run_id).data.tags
    assert "a" not in tags
    assert tags["empty"] == ""
    with pytest.raises(NotFound):
        client.delete_tag(run_id, "a")


def test_a_param_is_written_once(client: MinleafClient, run_id: str) -> None:
    assert client.log_param(run_id, "batch_size", 4) == 4
    client.log_param(run_id, "batch_size", "4")
    with pytest.raises(InvalidParameter, match="batch_size"):
        client.log_param(run_id, "batch_size", 8)
    with pytest.raises(InvalidParameter, match="batch_size"):
        client.log_batch(run_id, params=[Param("batch_size", "8")])
    client.log_param(run_id, "empty", "")
    assert client.get_run(run_id).data.params == {"batch_size": "4", "empty": ""}


def test_doubles_come_back_bit_for_bit(client: MinleafClient, run_id: str) -> None:
    for step, value in enumerate(ODD_DOUBLES):
        client.log_metric(run_id, "one", value, timestamp=step, step=step)
    client.log_batch(run_id, metrics=[Metric("many", value, step, step) for step, value in enumerate(ODD_DOUBLES)])
    for key in ("one", "many"):
        history = client.get_metric_history(run_id, key)
        assert [bits(point.value) for point in history] == [bits(value) for value in ODD_DOUBLES]


def test_not_a_number_and_the_infinities(client: MinleafClient, run_id: str) -> None:
    client.log_metric(run_id, "nan", math.nan)
    client.log_metric(run_id, "up", math.inf)
    client.log_batch(run_id, metrics=[Metric("down", -math.inf, 1, 0)])
    metrics = client.get_run(run_id).data.metrics
    assert math.isnan(metrics["nan"])
    assert math.isnan(client.get_metric_history(run_id, "nan")[0].value)
    # MLflow keeps the largest double for an infinity, Minleaf the infinity.
    assert metrics["up"] >= 1.7976931348623157e308
    assert metrics["down"] <= -1.7976931348623157e308


def test_steps_of_the_whole_range(client: MinleafClient, run_id: str) -> None:
    steps = [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1]
    client.log_batch(run_id, metrics=[Metric("m", 1.0, order, step) for order, step in enumerate(steps)])
    assert [point.step for point in client.get_metric_history(run_id, "m")] == steps


def test_a_batch_larger_than_one_request_and_a_history_longer_than_a_page(client: MinleafClient, run_id: str) -> None:
    points = [Metric("loss", number / 7, 1_000_000 + number, number) for number in range(30_000)]
    params = [Param(f"p{number}", str(number)) for number in range(250)]
    tags = [RunTag(f"t{number}", str(number)) for number in range(250)]
    client.log_batch(run_id, points, params, tags)
    assert client.get_metric_history(run_id, "loss") == points
    data = client.get_run(run_id).data
    assert data.params == {param.key: param.value for param in params}
    assert {tag.key: tag.value for tag in tags}.items() <= data.tags.items()
    assert data.metrics == {"loss": points[-1].value}


def test_a_batch_with_one_bad_item_sends_nothing(client: MinleafClient, run_id: str) -> None:
    points = [Metric("m", 1.0, 1, step) for step in range(1500)]
    with pytest.raises(InvalidParameter, match="'bad,key'"):
        client.log_batch(run_id, [*points, Metric("bad,key", 1.0, 1, 1)])
    assert client.get_run(run_id).data.metrics == {}


def test_the_history_of_what_was_never_logged_is_empty(client: MinleafClient, run_id: str) -> None:
    assert client.get_metric_history(run_id, "none") == []


def test_histories_of_several_runs(client: MinleafClient, experiment: Experiment) -> None:
    run_ids = sorted(client.create_run(experiment.experiment_id).info.run_id for _ in range(2))
    for run_id in run_ids:
        client.log_batch(run_id, metrics=[Metric("m", float(step), 1000 + step, step) for step in range(10)])
    every = client.get_metric_history_bulk(run_ids, "m")
    assert [(point.run_id, point.step) for point in every] == [(run, step) for run in run_ids for step in range(10)]
    assert len(client.get_metric_history_bulk(run_ids, "m", max_results=3)) == 3
    sampled = client.get_metric_history_bulk_interval(run_ids[:1], "m", max_results=5)
    steps = [point.step for point in sampled]
    # Which steps are in between is the server's choice.
    assert (steps[0], steps[-1]) == (0, 9)
    assert 4 <= len(steps) <= 7
    part = client.get_metric_history_bulk_interval(run_ids, "m", start_step=3, end_step=5)
    assert [point.step for point in part] == [3, 4, 5] * 2


def test_many_threads_share_a_client(client: MinleafClient, run_id: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda step: client.log_metric(run_id, "m", step, 1000 + step, step), range(200)))
    assert [point.step for point in client.get_metric_history(run_id, "m")] == list(range(200))


def test_the_client_uses_the_chosen_server(address: str) -> None:
    assert minleaf.MinleafClient().tracking_uri == address
