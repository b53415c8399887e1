"""Searches as a caller sees them: what is found, pages, errors."""

import base64
import json
from collections.abc import Sequence

import pytest

from minleaf_server.db.store import Store
from minleaf_server.entities import Experiment, Page, Point, PointColumns, RunStatus, ViewType
from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import FilterError
from minleaf_server.tracking import experiments, runs, search


async def new_run(store: Store, name: str, experiment: int = 0, start: int | None = 0, **data: str | float) -> str:
    """A run with a metric for each number and a param for each text."""
    run_id = (await runs.create(store, experiment, name=name, user="ana", start_time=start, tags=[])).info.id
    points = [Point(key, value, 0, 0) for key, value in data.items() if isinstance(value, float)]
    params = [(key, value) for key, value in data.items() if isinstance(value, str)]
    await runs.log_batch(store, run_id, metrics=PointColumns.of(points), params=params)
    return run_id


async def names(
    store: Store, text: str = "", order_by: Sequence[str] = (), experiment_ids: Sequence[int] = (0,)
) -> list[str]:
    page = await search.runs(store, search.RunQuery(tuple(experiment_ids), text, tuple(order_by)))
    assert page.next_token is None
    assert await search.count(store, search.RunQuery(tuple(experiment_ids), text)) == len(page.items)
    return [run.info.name for run in page.items]


async def test_the_question_of_the_tutorial(store: Store) -> None:
    await new_run(store, "one", start=1, min_leaf="3", acc=0.5)
    await new_run(store, "two", start=2, min_leaf="3.0", acc=0.44)
    await new_run(store, "three", start=3, min_leaf="3", acc=0.45)
    await new_run(store, "four", start=4, min_leaf="30", acc=0.9)
    assert await names(store, "min_leaf = 3 and acc > 0.44") == ["three", "one"]
    assert await names(store, "min_leaf = 3", ["acc desc"]) == ["one", "three", "two"]
    assert await names(store, "params.min_leaf = '3'") == ["three", "one"]
    assert await names(store, "min_leaf > 3") == ["four"]
    assert await names(store, "T") == ["three", "two"]
    assert await names(store, "acc > 0.6 or name = one") == ["four", "one"]


async def test_a_number_is_not_compared_with_text(store: Store) -> None:
    await new_run(store, "none", depth="None")
    await new_run(store, "five", depth="5")
    assert await names(store, "depth > 3") == ["five"]
    assert await names(store, "depth != 3", ["name"]) == ["five", "none"]
    assert await names(store, "not depth > 3") == ["none"]
    assert await names(store, "depth > A") == ["none"]


async def test_values_then_nan_then_missing_in_both_directions(store: Store) -> None:
    for name, value in (("low", -1.0), ("nan", float("nan")), ("inf", float("inf"))):
        await new_run(store, name, m=value)
    await new_run(store, "missing")
    assert await names(store, order_by=["metrics.m asc"]) == ["low", "inf", "nan", "missing"]
    assert await names(store, order_by=["m DESC"]) == ["inf", "low", "nan", "missing"]


async def test_params_sort_as_numbers(store: Store) -> None:
    for name, value in (("ten", "10"), ("nine", "9"), ("auto", "auto"), ("big", "1e3")):
        await new_run(store, name, p=value)
    await new_run(store, "missing")
    assert await names(store, order_by=["params.p"]) == ["nine", "ten", "big", "auto", "missing"]
    assert await names(store, order_by=["params.p desc"]) == ["big", "ten", "nine", "auto", "missing"]


async def test_the_default_order_pages_to_the_end(store: Store) -> None:
    made = [await new_run(store, f"run {i}", start=start) for i, start in enumerate([5, 7, 7, 0, -3, 7])]
    wanted = sorted(made, key=lambda run_id: (-[5, 7, 7, 0, -3, 7][made.index(run_id)], run_id))
    found, token, pages = [], None, 0
    while pages == 0 or token:
        page = await search.runs(store, search.RunQuery((0,), max_results=2, page_token=token))
        found += [run.info.id for run in page.items]
        token, pages = page.next_token, pages + 1
    assert (found, pages) == (wanted, 3)


async def test_a_page_behind_a_run_that_was_deleted_meanwhile(store: Store) -> None:
    made = [await new_run(store, f"run {i}", start=-i) for i in range(4)]
    page = await search.runs(store, search.RunQuery((0,), max_results=2))
    await runs.delete(store, made[1])
    rest = await search.runs(store, search.RunQuery((0,), max_results=2, page_token=page.next_token))
    assert [run.info.id for run in rest.items] == made[2:]


async def test_a_token_of_another_order_is_refused(store: Store) -> None:
    for i in range(3):
        await new_run(store, f"run {i}", m=float(i))
    page = await search.runs(store, search.RunQuery((0,), order_by=("m",), max_results=1))
    with pytest.raises(InvalidParameter, match="another order_by"):
        await search.runs(store, search.RunQuery((0,), order_by=("m desc",), max_results=1, page_token=page.next_token))
    forged = base64.b64encode(json.dumps({"offset": 5}).encode()).decode()
    with pytest.raises(InvalidParameter, match="Invalid page token"):
        await search.runs(store, search.RunQuery((0,), max_results=1, page_token=forged))


async def test_bare_names_mean_what_the_searched_experiments_have(store: Store) -> None:
    other = (await experiments.create(store, "other")).id
    await new_run(store, "here", speed=1.0)
    await new_run(store, "there", other, speed="fast")
    assert await names(store, "speed = 1") == ["here"]
    assert await names(store, "speed = fast", experiment_ids=[other]) == ["there"]
    with pytest.raises(FilterError) as caught:
        await names(store, "speed = 1", experiment_ids=[0, other])
    assert caught.value.hint == "Write metrics.speed or params.speed."
    assert await names(store, "params.speed = fast", experiment_ids=[0, other]) == ["there"]
    with pytest.raises(FilterError) as caught:
        await names(store, "spede = 1")
    assert (caught.value.hint or "").startswith("Did you mean speed")


async def test_the_catalog_lists_the_names(store: Store) -> None:
    run_id = await new_run(store, "run", loss=1.0, acc=1.0, depth="3")
    await runs.set_tag(store, run_id, "stage", "x")
    found = await search.catalog(store, [0])
    assert (found.metrics, found.params) == (("acc", "loss"), ("depth",))
    assert "stage" in found.tags
    assert (await search.catalog(store, [])).metrics == ()


async def test_no_experiments_no_runs(store: Store) -> None:
    await new_run(store, "run")
    assert await names(store, experiment_ids=[]) == []
    assert await names(store, experiment_ids=[7, 8]) == []
    with pytest.raises(FilterError):
        await names(store, "name >", experiment_ids=[])


async def test_a_hundred_thousand_experiments(store: Store) -> None:
    await new_run(store, "run", acc=1.0)
    assert await names(store, "acc = 1", ["acc"], experiment_ids=range(100_000)) == ["run"]


async def test_many_values_at_the_cap(store: Store) -> None:
    run_id = await new_run(store, "run", p="1")
    assert await names(store, f"params.p in ({','.join('1' * 10_000)})") == ["run"]
    ids = ",".join(f"'{i:032x}'" for i in range(1800))
    assert await names(store, f"run_id in ({ids}, '{run_id}')") == ["run"]


async def test_a_hundred_clauses_and_twenty_orders(store: Store) -> None:
    await new_run(store, "run", **{f"m{i}": 1.0 for i in range(100)})
    text = " and ".join(f"(metrics.m{i} = 1 or not params.p{i} = 'x')" for i in range(50))
    assert await names(store, text, [f"metrics.m{i} desc" for i in range(20)]) == ["run"]
    deep = "not (" * 25 + "metrics.m1 = 1" + ")" * 25
    assert await names(store, deep) == []


@pytest.mark.parametrize(
    "text",
    [
        'tags."a"" OR 1=1 --" = \'x\'',
        "params.`x'; DROP TABLE run; --` = 'x'",
        "params.x = '\"; DROP TABLE run; --'",
        "name = ''' OR 1=1 --'",
        "name like '%'' OR ''1''=''1'",
        "name in ('a'') OR (1=1', 'b')",
        "UNION SELECT password FROM users",
        "name ~ '.*%s %(x)s :y ? [{]0[}] [$][{]jndi:x'",
    ],
)
async def test_nothing_of_a_filter_is_sql(store: Store, text: str) -> None:
    await new_run(store, "run", x="1")
    assert await names(store, text) == []
    assert await names(store) == ["run"]


async def test_literals_of_every_kind_are_found_literally(store: Store) -> None:
    for value in ("%s %(x)s", ":y ? {0}", "${jndi:ldap://x}", "{{ 7*7 }}", "日本 😀"):
        await new_run(store, value, p=value)
        assert await names(store, f"params.p = '{value}'") == [value]
        assert await names(store, f"'{value}'") == [value]


async def test_deleted_runs_are_seen_on_demand(store: Store) -> None:
    await runs.delete(store, await new_run(store, "gone"))
    await new_run(store, "here", start=-1)
    found = {
        view: [run.info.name for run in (await search.runs(store, search.RunQuery((0,), view=view))).items]
        for view in ViewType
    }
    assert found == {ViewType.ACTIVE_ONLY: ["here"], ViewType.DELETED_ONLY: ["gone"], ViewType.ALL: ["gone", "here"]}


async def test_no_run_has_a_dataset(store: Store) -> None:
    await new_run(store, "run")
    assert await names(store, "datasets.name = 'x'") == []
    assert await names(store, "dataset.digest != 'x'") == []
    assert await names(store, "not datasets.context in ('train')") == ["run"]


async def test_times_at_the_edge_of_their_range(store: Store) -> None:
    run_id = await new_run(store, "run", start=2**63 - 1)
    await runs.update(store, run_id, status=RunStatus.FINISHED, end_time=-(2**63), name=None)
    assert await names(store, "duration < 0s and start_time < 1e30 and start_time > 9223372036854775806") == ["run"]
    assert await names(store, "", ["duration", "start_time"]) == ["run"]


@pytest.mark.parametrize(
    ("size", "wanted"), [(0, "a positive integer"), (-1, "a positive integer"), (50_001, "at most 50000")]
)
async def test_page_sizes(store: Store, size: int, wanted: str) -> None:
    text = f"Invalid value {size} for parameter 'max_results' supplied. It must be {wanted}"
    with pytest.raises(InvalidParameter, match=text):
        await search.runs(store, search.RunQuery((0,), max_results=size))
    with pytest.raises(InvalidParameter, match=text):
        await search.experiments(store, max_results=size)


async def found_experiments(store: Store, filter: str = "", order_by: tuple[str, ...] = (), **more: int) -> list[str]:
    page: Page[Experiment] = await search.experiments(store, filter=filter, order_by=order_by, **more)  # type: ignore[arg-type]
    return [experiment.name for experiment in page.items]


async def test_experiments(store: Store) -> None:
    for name, tags in (("Alpha", {"team": "a", "a b": "1"}), ("beta", {"team": "b"}), ("gamma", {})):
        await experiments.create(store, name, tags=tags)
    await experiments.delete(store, (await experiments.get_by_name(store, "gamma")).id)
    assert await found_experiments(store, order_by=("name",)) == ["Alpha", "Default", "beta"]
    assert await found_experiments(store, order_by=("experiment_id DESC",)) == ["beta", "Alpha", "Default"]
    assert await found_experiments(store, "name LIKE 'a%'") == []
    assert await found_experiments(store, "attribute.name ILIKE 'a%' AND tags.team = 'a'") == ["Alpha"]
    assert await found_experiments(store, "tag.`a b` != '2'") == ["Alpha"]
    assert await found_experiments(store, "tags.team IS NULL") == ["Default"]
    assert await found_experiments(store, "experiment_id IN ('1', '2') and creation_time > 0", ("name desc",)) == [
        "beta",
        "Alpha",
    ]
    assert await found_experiments(store, "team = b or alpha", ("name",)) == ["Alpha", "beta"]
    assert sorted(await found_experiments(store)) == ["Alpha", "Default", "beta"]
    deleted = await search.experiments(store, view=ViewType.DELETED_ONLY)
    assert [experiment.name for experiment in deleted.items] == ["gamma"]
    assert deleted.items[0].tags == {}


async def test_pages_of_experiments(store: Store) -> None:
    for i in range(4):
        await experiments.create(store, f"x{i}")
    found: list[str] = []
    token = None
    for _ in range(3):
        page = await search.experiments(store, order_by=("last_update_time",), max_results=2, page_token=token)
        found += [experiment.name for experiment in page.items]
        token = page.next_token
    assert token is None
    assert sorted(found) == ["Default", "x0", "x1", "x2", "x3"]
    with pytest.raises(FilterError):
        await search.experiments(store, order_by=("tags.x",))


async def test_experiments_have_no_order_by_tags_or_metrics(store: Store) -> None:
    for order in ("metrics.x", "nothing"):
        with pytest.raises(FilterError):
            await search.experiments(store, order_by=(order,))
