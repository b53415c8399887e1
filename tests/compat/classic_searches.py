"""Checks of searches for experiments and runs: filters, orders and pages. See `classic.py`."""

import time
from typing import Any

from mlflow.entities import ExperimentTag, Metric, Param, RunStatus, RunTag, ViewType

from tests.compat.classic_bench import Bench, refused


def check_searching_experiments(bench: Bench) -> None:
    stamp = str(time.time_ns())
    values = {"a": "value", "ab": "vaLue", "Abc": None}
    ids = {}
    for name, value in values.items():
        time.sleep(0.002)
        tags = [ExperimentTag("key", value)] if value else []
        ids[name] = bench.store.create_experiment(name + stamp, tags=[*tags, ExperimentTag("s t", stamp)])

    def names(text: str = "", **more: Any) -> list[str]:
        only = f"{text} AND tags.`s t` = '{stamp}'" if text else f"tag.\"s t\" = '{stamp}'"
        return [one.name.removesuffix(stamp) for one in bench.client.search_experiments(filter_string=only, **more)]

    assert names() == ["Abc", "ab", "a"]
    assert names(f"attribute.name != 'a{stamp}'") == ["Abc", "ab"]
    assert names(f"attribute.`name` = 'a{stamp}'") == ["a"]
    assert names("name LIKE 'a%'") == ["ab", "a"]
    assert names("name ILIKE 'a%' AND name ILIKE '%b" + stamp + "'") == ["ab"]
    assert names("tag.key != 'value'") == ["ab"]
    assert names("tag.key LIKE '%Lue'") == ["ab"]
    assert names("tag.key ILIKE '%alu%'") == ["ab", "a"]
    assert names("tag.KEY = 'value'") == []
    assert names(order_by=["name DESC"]) == ["ab", "a", "Abc"]
    assert names(order_by=["name", "experiment_id"]) == ["Abc", "a", "ab"]
    assert names(order_by=["experiment_id DESC"]) == ["Abc", "ab", "a"]
    second = bench.store.get_experiment(ids["ab"])
    assert names(f"creation_time = {second.creation_time}") == ["ab"]
    assert names(f"last_update_time > {second.last_update_time}") == ["Abc"]
    bench.store.delete_experiment(ids["ab"])
    assert names(view_type=ViewType.ACTIVE_ONLY) == ["Abc", "a"]
    assert names(view_type=ViewType.DELETED_ONLY) == ["ab"]
    assert names(view_type=ViewType.ALL) == ["Abc", "ab", "a"]
    assert names(view_type=ViewType.ALL, order_by=["last_update_time"]) == ["a", "Abc", "ab"]
    mine = f"tag.`s t` = '{stamp}'"
    page = bench.client.search_experiments(filter_string=mine, max_results=1)
    rest = bench.client.search_experiments(filter_string=mine, max_results=1, page_token=page.token)
    assert ([one.name for one in (*page, *rest)], rest.token) == (["Abc" + stamp, "a" + stamp], None)
    for size, text in ((0, "It must be a positive integer"), (1_000_000, "It must be at most 50000")):
        with refused(f"Invalid value {size} for parameter 'max_results' supplied. {text}"):
            bench.client.search_experiments(max_results=size)


def check_order_of_runs(bench: Bench) -> None:
    experiment = bench.experiment()
    numbers = [None, "nan", "inf", "-inf", "-1000", "0", "0", "1000"]
    for index, number in enumerate(numbers, 1):
        run_id = bench.run(experiment, run_name=f"{number}/{index}", tags=[RunTag("metric", str(index))])
        if number is not None:
            bench.store.log_metric(run_id, Metric("x", float(number), 1, 0))
            bench.store.log_metric(run_id, Metric("y", float(index), 1, 0))
        bench.store.log_param(run_id, Param("metric", str(index)))

    def names(*orders: str) -> str:
        runs = bench.store.search_runs([experiment], "", ViewType.ALL, order_by=list(orders))
        return " ".join(run.info.run_name for run in runs)

    up, down = "-inf/4 -1000/5 0/6 0/7 1000/8 inf/3", "inf/3 1000/8 0/6 0/7 -1000/5 -inf/4"
    for second in ("metrics.y", "tag.metric", "param.metric"):
        assert names("metrics.x asc", f"{second} asc") == f"{up} nan/2 None/1"
        assert names("metrics.x asc", f"{second} desc") == f"{up.replace('0/6 0/7', '0/7 0/6')} nan/2 None/1"
        assert names("metrics.x desc", f"{second} asc") == f"{down} nan/2 None/1"
        assert names("metrics.x desc", f"{second} desc") == f"{down.replace('0/6 0/7', '0/7 0/6')} nan/2 None/1"
    for field in ("attribute.start_time", "param.p", "metric.m", "tag.t"):
        with refused("`order_by` contains duplicate fields"):
            names(field, field)
    assert len(names("param.a", "metric.a", "tag.a").split()) == 8


def check_order_by_attributes(bench: Bench) -> None:
    experiment = bench.experiment()
    for start, end in enumerate([234, None, 456, -123, 789, 123], 1):
        run_id = bench.run(experiment, run_name=str(end), start_time=start)
        bench.store.update_run_info(run_id, RunStatus.FINISHED, end, None)

    def names(*orders: str) -> str:
        runs = bench.store.search_runs([experiment], "", ViewType.ALL, order_by=list(orders))
        return " ".join(run.info.run_name for run in runs)

    assert names("attribute.end_time asc") == "-123 123 234 456 789 None"
    assert names("attribute.end_time desc") == "789 456 234 123 -123 None"
    assert names("attribute.start_time asc", "attribute.end_time desc") == "234 None 456 -123 789 123"
    assert names("attributes.created ASC") == names("attributes.start_time ASC") == "234 None 456 -123 789 123"
    assert names("attributes.Created DESC") == names() == "123 789 -123 456 None 234"


def check_filters_of_text(bench: Bench) -> None:
    experiment = bench.experiment()
    one, two = bench.run(experiment), bench.run(experiment)
    both = {one, two}
    for run_id, second, name, value in ((one, "some value", "p_a", "abc"), (two, "another value", "p_b", "ABC")):
        for entries in ([Param("generic", "p_val"), Param("second", second), Param(name, value)],):
            bench.store.log_batch(run_id, [], entries, [RunTag(entry.key, entry.value) for entry in entries])
    cases: dict[str, set[str]] = {
        "generic = 'p_val'": both,
        "generic = 'P_VAL'": set(),
        "generic != 'p_val'": set(),
        "generic != 'P_VAL'": both,
        "second = 'some value'": {one},
        "second != 'wrong'": both,
        "p_a != 'ABC'": {one},
        "p_b = 'ABC'": {two},
        "p_b = 'abc'": set(),
        "second LIKE '%other%'": {two},
        "second LIKE 'other%'": set(),
        "second LIKE '%other'": set(),
        "second LIKE '%Other%'": set(),
        "second ILIKE '%Other%'": {two},
        "random_bad_name = 'p_val'": set(),
    }
    for text, expected in cases.items():
        for kind in ("params", "param", "parameter", "tags", "tag"):
            assert set(bench.found(experiment, f"{kind}.{text}")) == expected, f"{kind}.{text}"
    joined = "tags.second ILIKE '%Other%' and params.generic = 'p_val' and tags.generic ILIKE 'P_VAL'"
    assert bench.found(experiment, joined) == [two]
    bench.store.set_tag(one, RunTag("mlflow.loggedArtifacts", '[{"path": "f.json", "type": "table"}]'))
    assert bench.found(experiment, """tags.mlflow.loggedArtifacts LIKE '%"path": "f.json"%'""") == [one]


def check_filters_of_metrics(bench: Bench) -> None:
    experiment = bench.experiment()
    one, two = bench.run(experiment), bench.run(experiment)
    logged = [(one, "common", 1.0, 1), (two, "common", 1.0, 1), (one, "a", 1.0, 1), (two, "a", 200.0, 2)]
    logged += [(two, "a", 400.0, 3), (two, "b", 3.0, 2), (two, "b", 4.0, 8), (two, "b", 8.0, 3)]
    for run_id, key, value, timestamp in logged:
        bench.store.log_metric(run_id, Metric(key, value, timestamp, 0))
    cases = {
        "common = 1.0": {one, two},
        "common > 0.0": {one, two},
        "common <= 4": {one, two},
        "common != 1.0": set(),
        "common >= 3.0": set(),
        "a < 50.0": {one},
        "a > 50": {two},
        "a = 400.0": {two},
        "a != -12.0": {one, two},
        "b > 5.0": set(),
        "b = 4.0": {two},
        "random_bad_name > 0": set(),
    }
    for text, expected in cases.items():
        for kind in ("metrics", "metric"):
            assert set(bench.found(experiment, f"{kind}.{text}")) == expected, f"{kind}.{text}"


def check_filters_of_attributes(bench: Bench) -> None:
    first, second = bench.experiment(), bench.experiment()
    one, two = bench.run(first, run_name="run_name1", start_time=1), bench.run(second, run_name="x", start_time=2)
    bench.store.update_run_info(two, RunStatus.FAILED, 300, None)
    uri = bench.store.get_run(one).info.artifact_uri
    cases = {
        "attribute.status != 'blah'": [two, one],
        "attribute.status = 'RUNNING'": [one],
        "attribute.status = 'FAILED'": [two],
        "attribute.status != 'SCHEDULED'": [two, one],
        "attribute.status = 'KILLED'": [],
        f"attr.artifact_uri = '{uri}'": [one],
        f"attr.artifact_uri = '{uri.upper()}'": [],
        f"attr.artifact_uri != '{uri.upper()}'": [two, one],
        f"attribute.artifact_uri LIKE '%{one[:16]}%'": [one],
        f"attribute.artifact_uri LIKE '%{one.upper()}%'": [one] if one.upper() == one else [],
        f"attribute.artifact_uri ILIKE '%{one[-16:].upper()}%'": [one],
        f"attributes.run_id = '{one}'": [one],
        f"attributes.run_id != '{one}'": [two],
        f"run_id IN ('{one}','{two}')": [two, one],
        f"attributes.run_id NOT IN ('{one}', '{two}')": [],
        f"run_name = 'run_name1' AND run_id IN ('{one}',  '{two}')": [one],
        "attributes.`Run name` = 'run_name1'": [one],
        "attributes.`run name` = 'run_name1'": [one],
        "attributes.`Run Name` ILIKE 'RUN%'": [one],
        "attributes.\"run name\" = 'run_name1'": [one],
        "tags.`mlflow.runName` = 'run_name1'": [one],
        "attributes.user_id = 'ana'": [two, one],
        "attributes.start_time > 0": [two, one],
        "attributes.created > 1": [two],
        "attributes.Created > 2": [],
        "attributes.end_time = 300": [two],
    }
    for text, expected in cases.items():
        assert bench.found([first, second], text) == expected, text
    for name, value in (("experiment_id", first), ("lifecycle_stage", "ACTIVE")):
        with refused(f"Invalid attribute key '{name}' specified"):
            bench.found([first], f"attribute.{name} = '{value}'")


def check_filters_that_are_refused(bench: Bench) -> None:
    experiment = bench.experiment()
    for text in ("metrics.a >", "metrics.a = 'x'", "run_id IN", "tags.a ~~ 'x'", "status > 'RUNNING'"):
        with refused(""):
            bench.found(experiment, text)


def check_pages_of_runs(bench: Bench) -> None:
    experiment = bench.experiment()
    runs = sorted(bench.run(experiment, start_time=10) for _ in range(10))
    for size in (1, 4, 8, 10, 20):
        assert bench.found(experiment, max_results=size) == runs[:size]
    sizes, token = [], None
    while True:
        page = bench.store.search_runs([experiment], "", ViewType.ALL, max_results=5, page_token=token)
        sizes.append(len(page))
        token = page.token
        if token is None:
            break
    assert sizes == [5, 5]
    assert bench.found(experiment, max_results=None) == runs
    with refused("Invalid value 50001 for parameter 'max_results'"):
        bench.found(experiment, max_results=50_001)
    assert bench.found([]) == []


def check_runs_of_many_experiments(bench: Bench) -> None:
    experiments = [bench.experiment() for _ in range(3)]
    for number, experiment in enumerate(experiments):
        run_id = bench.run(experiment)
        bench.store.log_metric(run_id, Metric("m", 1, 1, 0))
        bench.store.log_metric(run_id, Metric(f"m_{number}", 2, 1, 0))
    assert len(bench.found(experiments, "metrics.m > 0")) == 3
    assert [len(bench.found(experiments, f"metrics.m_{number} = 2")) for number in range(3)] == [1, 1, 1]
    bench.store.delete_experiment(experiments[0])
    assert len(bench.found(experiments, "metrics.m > 0")) == 2
    assert len(bench.found(experiments, "metrics.m > 0", view=ViewType.ALL)) == 3
