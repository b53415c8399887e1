"""The pages as HTML, over both databases: what they show, and that every link of them leads somewhere."""

import asyncio
import json
import math

import httpx
import pytest

from minleaf_server.db.store import Store
from minleaf_server.tracking import experiments, runs
from tests.ui.logged import START_MS, log_run, log_sweep, sweep_accuracy
from tests.ui.page import Node, read, table


async def get(pages: httpx.AsyncClient, url: str, status: int = 200, **query: str | list[str]) -> Node:
    response = await pages.get(url, params=query or None)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return read(response.text)


async def test_an_empty_server_greets_with_lines_to_paste(pages: httpx.AsyncClient) -> None:
    page = await get(pages, "/")
    code = [snippet.text for snippet in page.all("pre")]
    assert code[0].startswith("import mlflow ")
    assert code[1].startswith("import minleaf as mlflow ")
    assert all("mlflow.set_tracking_uri('http://minleaf.test')" in lines for lines in code)
    assert [row["Experiment"] for row in table(page)] == ["Default"]


async def test_experiments_show_their_runs_and_folders(store: Store, pages: httpx.AsyncClient) -> None:
    experiment = await experiments.create(store, "vision/resnet/sweep", tags={"team": "a"})
    await log_run(store, experiment_id=experiment.id)
    page = await get(pages, "/")
    first = table(page)[0]
    assert (first["Experiment"], first["Runs"], first["Tags"]) == ("vision/resnet/sweep", "1", "1")
    assert page.one(class_="folder").text == "vision/resnet/"
    assert not list(page.all(class_="greeting"))


async def test_experiments_are_filtered_and_sorted(store: Store, pages: httpx.AsyncClient) -> None:
    for name in ("b/layer10", "b/layer2", "a"):
        await experiments.create(store, name)
    names = [row["Experiment"] for row in table(await get(pages, "/", sort="name"))]
    assert names == ["a", "b/layer2", "b/layer10", "Default"]
    page = await get(pages, "/", filter="LAYER")
    assert {row["Experiment"] for row in table(page)} == {"b/layer10", "b/layer2"}
    assert page.one(class_="heading").one(class_="count").text == "2 of 4 experiments"
    assert "No experiment has" in (await get(pages, "/", filter="none such")).text


async def test_many_experiments_are_paged(store: Store, pages: httpx.AsyncClient) -> None:
    await asyncio.gather(*(experiments.create(store, f"e{number}") for number in range(205)))
    page = await get(pages, "/", sort="name")
    assert len(table(page)) == 200
    following = await get(pages, page.one("a", rel="next").attributes["href"])
    assert len(table(following)) == 6
    assert following.one("a", rel="prev")


async def test_the_table_shows_params_and_metrics_side_by_side(store: Store, pages: httpx.AsyncClient) -> None:
    ids = await log_sweep(store)
    page = await get(pages, "/experiments/0")
    rows = table(page)
    assert len(rows) == 15
    shown = {(int(r["max_depth"]), int(r["min_leaf"])): float(r["test_acc"]) for r in rows}
    assert shown == {key: pytest.approx(sweep_accuracy(*key)) for key in ids}
    assert [group.text for group in page.all("th", scope="colgroup")] == ["Params", "Metrics"]
    assert page.one("details", class_="constants").text == "constant criterion=gini user=ana"
    assert [cell.text for cell in page.all("b", class_="best")] == ["0.5"]
    colors = [chip.attributes["data-color"] for chip in page.all("i", class_="run-chip")]
    assert len(set(colors)) == 15


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("min_leaf = 3 and test_acc > 0.44", lambda depth, leaf: leaf == 3 and sweep_accuracy(depth, leaf) > 0.44),
        (
            "(min_leaf = 3 or max_depth in (1, 2)) and not test_acc <= 0.44",
            lambda depth, leaf: (leaf == 3 or depth in (1, 2)) and not sweep_accuracy(depth, leaf) <= 0.44,
        ),
        ("tree-4", lambda depth, _: depth == 4),
    ],
)
async def test_the_filter_leaves_exactly_the_runs_for_which_it_is_true(
    store: Store, pages: httpx.AsyncClient, text: str, wanted: object
) -> None:
    ids = await log_sweep(store)
    page = await get(pages, "/experiments/0", filter=text)
    shown = {box.attributes["value"] for box in page.all("input", name="run")}
    right = {run_id for key, run_id in ids.items() if wanted(*key)}  # type: ignore[operator]
    assert shown == right
    assert page.one(class_="choices").one(class_="count").text == f"{len(right)} of 15 runs"
    assert page.one("input", id="filter").attributes["value"] == text


async def test_a_wrong_filter_keeps_the_last_rows_and_offers_a_fix(store: Store, pages: httpx.AsyncClient) -> None:
    await log_sweep(store)
    good = await get(pages, "/experiments/0", filter="min_leaf = 3")
    carried = {
        field.attributes["name"]: field.attributes["value"] for field in good.one("form", id="filter-form").all("input")
    }
    assert carried["good"] == "min_leaf = 3"
    carried["filter"] = "min_leaf = 3 and tset_acc > 0.44"
    page = await get(pages, "/experiments/0", **carried)
    assert len(table(page)) == 5
    problem = page.one(class_="problem")
    assert problem.one("mark").text == "tset_acc"
    assert problem.one("pre").text == carried["filter"]
    assert "min_leaf = 3" in problem.one(class_="kept").text
    fixed = await get(pages, problem.one("a", class_="fix").attributes["href"])
    assert fixed.one("input", id="filter").attributes["value"] == "min_leaf = 3 and test_acc > 0.44"
    assert not list(fixed.all(class_="problem"))
    again = {f.attributes["name"]: f.attributes["value"] for f in page.one("form", id="filter-form").all("input")}
    assert again["good"] == "min_leaf = 3"


async def test_a_wrong_filter_without_a_good_one_leaves_all_rows(store: Store, pages: httpx.AsyncClient) -> None:
    await log_sweep(store)
    for wrong in ("min_leaf = = 3", "'open", "min_leaf = 3 or " * 120, "min_leaf ~ '('", "("):
        page = await get(pages, "/experiments/0", filter=wrong)
        assert len(table(page)) == 15
        assert page.one(class_="problem").one("mark")
    both = await get(pages, "/experiments/0", filter="wrong = =", good="also = =")
    assert len(table(both)) == 15


@pytest.mark.parametrize(("desc", "first"), [("1", "0.5"), ("0", "0.4")])
async def test_any_column_sorts(store: Store, pages: httpx.AsyncClient, desc: str, first: str) -> None:
    await log_sweep(store)
    page = await get(pages, "/experiments/0", sort="metrics.test_acc", desc=desc)
    assert table(page)[0]["test_acc"] == first
    (header,) = [cell for cell in page.all("th") if "aria-sort" in cell.attributes]
    assert header.attributes["aria-sort"] == ("descending" if desc == "1" else "ascending")


async def test_every_header_is_a_link_that_sorts(store: Store, pages: httpx.AsyncClient) -> None:
    await log_sweep(store)
    await log_run(store, "odd", params={"a/name: with.all-marks_": "1"}, user="bo")
    page = await get(pages, "/experiments/0")
    links = [link.attributes["href"] for link in page.one("thead").all("a")]
    assert len(links) == 10
    for link in links:
        assert len(table(await get(pages, link))) == 16


async def test_params_sort_as_numbers(store: Store, pages: httpx.AsyncClient) -> None:
    for size in ("9", "10", "1e-3", "large"):
        await log_run(store, params={"size": size})
    rows = table(await get(pages, "/experiments/0", sort="params.size"))
    assert [row["size"] for row in rows] == ["1e-3", "9", "10", "large"]


async def test_pages_lead_through_all_runs_and_back(store: Store, pages: httpx.AsyncClient) -> None:
    logged = (log_run(store, f"r{i}", metrics={"m": [float(i % 3)]}, start_time=START_MS + i) for i in range(60))
    ids = set(await asyncio.gather(*logged))
    page = await get(pages, "/experiments/0", size="25", sort="metrics.m")
    seen: list[set[str]] = []
    counts = []
    while True:
        seen.append({box.attributes["value"] for box in page.all("input", name="run")})
        counts.append(page.one(class_="choices").one(class_="count").text)
        following = list(page.all("a", rel="next"))
        if not following:
            break
        page = await get(pages, following[0].attributes["href"])
    assert [len(part) for part in seen] == [25, 25, 10]
    assert set.union(*seen) == ids
    assert counts == [f"{part} of 60 runs" for part in ("1–25", "26–50", "51–60")]  # noqa: RUF001
    page = await get(pages, page.one("a", rel="prev").attributes["href"])
    assert {box.attributes["value"] for box in page.all("input", name="run")} == seen[1]
    page = await get(pages, page.one("a", rel="prev").attributes["href"])
    assert {box.attributes["value"] for box in page.all("input", name="run")} == seen[0]
    assert not list(page.all("a", rel="prev"))


async def test_a_page_that_is_gone_shows_the_first(store: Store, pages: httpx.AsyncClient) -> None:
    await log_sweep(store)
    page = await get(pages, "/experiments/0", page="no-such-token", before="100")
    assert len(table(page)) == 15
    assert "does not exist any more" in page.text


async def test_columns_are_chosen_by_a_form(store: Store, pages: httpx.AsyncClient) -> None:
    await log_sweep(store)
    page = await get(pages, "/experiments/0")
    boxes = {
        box.attributes["value"]: "checked" in box.attributes
        for box in page.one("details", id="columns").all("input", type="checkbox")
    }
    assert boxes["params.max_depth"] is True
    assert boxes["params.criterion"] is False
    chosen = await get(pages, "/experiments/0", col=["none", "params.criterion", "tags.mlflow.user", ""])
    head = list(chosen.one("thead").all("tr"))[-1]
    assert [cell.text for cell in head.all("th")][-2:] == ["criterion", "mlflow.user"]
    assert chosen.one("details", class_="constants").text == "constant user=ana"
    none = await get(pages, "/experiments/0", col=["none", ""])
    assert not list(none.all("th", scope="colgroup"))
    sort = next(chosen.one("thead").all("a")).attributes["href"]
    assert "col=params.criterion&col=tags.mlflow.user" in sort


async def test_deleted_runs_have_a_view_of_their_own(store: Store, pages: httpx.AsyncClient) -> None:
    ids = await log_sweep(store)
    await runs.delete(store, ids[1, 1])
    page = await get(pages, "/experiments/0")
    assert len(table(page)) == 14
    links = {link.text: link.attributes["href"] for link in page.one("nav", class_="segments").all("a")}
    assert [row["Run"] for row in table(await get(pages, links["deleted"]))] == ["tree-1-1 deleted"]
    assert len(table(await get(pages, links["all"]))) == 15


async def test_children_stand_behind_their_parents_name(store: Store, pages: httpx.AsyncClient) -> None:
    parent = await log_run(store, "parent")
    tags = {"mlflow.parentRunId": parent}
    await asyncio.gather(*(log_run(store, f"child-{i}", tags=tags, start_time=START_MS + 1 + i) for i in range(30)))
    await log_run(store, "orphan", tags={"mlflow.parentRunId": "' or 1=1 --"})
    await log_run(store, "lost", tags={"mlflow.parentRunId": "0" * 32})
    names = {row["Run"] for row in table(await get(pages, "/experiments/0", size="25"))}
    assert "parent/child-29" in names
    everything = {row["Run"] for row in table(await get(pages, "/experiments/0"))}
    assert {"parent", "orphan", "lost", "parent/child-0"} <= everything
    page = await get(pages, f"/runs/{parent}")
    assert len(list(page.one("ul", class_="relatives").all("li"))) == 30


async def test_values_that_are_no_numbers_are_told_apart(store: Store, pages: httpx.AsyncClient) -> None:
    await log_run(store, "a", metrics={"m": [math.nan]}, params={"p": ""})
    await log_run(store, "b", metrics={"m": [math.inf]}, params={"p": "x" * 5000})
    await log_run(store, "c", metrics={"m": [1 / 3]})
    page = await get(pages, "/experiments/0", sort="name")
    assert [row["m"] for row in table(page)] == ["NaN", "∞", "0.33333"]
    kinds = [[cell.attributes.get("class") for cell in row.all("td")][-3:-1] for row in page.one("tbody").all("tr")]
    assert kinds == [["empty", "nan"], [None, "inf"], ["absent", "num"]]
    assert page.one("td", title="0.3333333333333333")
    (cut,) = [cell for cell in page.one("tbody").all("td") if "5,000 characters" in cell.attributes.get("title", "")]
    assert cut.text == "x" * 79 + "…"


async def test_a_run_shows_all_that_was_logged(store: Store, pages: httpx.AsyncClient) -> None:
    run_id = await log_run(
        store,
        "the run",
        params={"lr": "0.1", "long": "x" * 5000},
        metrics={"loss": [3.0, math.nan, 1.0, 2.0], "acc": [0.5]},
        tags={"report": "https://example.org/r", "bad": "javascript:alert(1)", "mlflow.note.content": "first\nsecond"},
    )
    page = await get(pages, f"/runs/{run_id}")
    assert page.one("h1").text == "the run"
    assert page.one("code", id="run-id").text == run_id
    assert "x" * 5000 in page.text
    assert "(5,000 characters)" in page.one("summary").text
    assert page.one(class_="notes").one("p").text == "first second"
    link = page.one("a", href="https://example.org/r")
    assert link.attributes["rel"] == "noopener noreferrer"
    assert not [a for a in page.all("a") if "javascript" in a.attributes.get("href", "")]
    rows = {row["Metric"]: row for row in table(page, "metrics")}
    assert rows["loss"] == {"Metric": "loss", "Last": "23", "Min": "12", "Max": "30", "Points": "4", "NaN": "1"}
    assert rows["acc"] == {"Metric": "acc", "Last": "0.5", "Min": "0.5", "Max": "0.5", "Points": "1", "NaN": ""}
    chart = page.one("figure", class_="chart")
    assert (chart.attributes["data-metric"], chart.attributes["data-runs"]) == ("loss", run_id)
    assert json.loads(chart.attributes["data-names"]) == ["the run"]
    assert "4 points, last 2 at step 3, min 1 at step 2, max 3 at step 0, 1 NaN" in chart.text


async def test_a_run_with_very_many_metrics_says_what_it_leaves_out(store: Store, pages: httpx.AsyncClient) -> None:
    run_id = await log_run(store, metrics={f"m{i}": [0.0, 1.0] for i in range(250)})
    page = await get(pages, f"/runs/{run_id}")
    assert len(table(page, "metrics")) == 200
    assert len(list(page.all("figure", class_="chart"))) == 48
    more = {link.text: link.attributes["href"] for link in page.all("a") if "more" in link.text}
    assert set(more) == {"Show 50 more", "Draw 202 more"}
    whole = await get(pages, more["Show 50 more"])
    assert len(table(whole, "metrics")) == 250
    found = await get(pages, f"/runs/{run_id}", find="m24")
    assert len(table(found, "metrics")) == 11


async def test_runs_are_compared(store: Store, pages: httpx.AsyncClient) -> None:
    first = await log_run(store, "a", params={"lr": "0.1", "opt": "adam"}, metrics={"loss": [2.0, 1.0], "acc": [0.5]})
    second = await log_run(store, "b", params={"lr": "0.2", "opt": "adam"}, metrics={"loss": [4.0, math.nan]})
    page = await get(pages, "/compare", run=[first, second])
    heads = [row.one("th").text for part in page.all("tbody") for row in part.all("tr")]
    assert heads == ["lr", "opt", "acc", "loss last", "loss min", "loss max"]
    chart = page.one("figure", data_chart="curves")
    assert chart.attributes["data-runs"] == f"{first},{second}"
    assert len(chart.attributes["data-colors"].split(",")) == 2
    data = json.loads(page.one("script", id="compare-data").text)
    assert [run["id"] for run in data["runs"]] == [first, second]
    assert data["params"] == {"lr": ["0.1", "0.2"], "opt": ["adam", "adam"]}
    assert data["metrics"] == {"acc": [0.5, None], "loss": [1.0, "NaN"]}
    switch = page.one("a", role="switch")
    assert switch.attributes["aria-checked"] == "false"
    page = await get(pages, switch.attributes["href"])
    assert page.one("a", role="switch").attributes["aria-checked"] == "true"
    heads = [row.one("th").text for part in page.all("tbody") for row in part.all("tr")]
    assert "opt" not in heads
    assert "lr" in heads
    without = next(a.attributes["href"] for a in page.all("a") if a.attributes.get("aria-label") == "Leave out a")
    assert without == f"/compare?run={second}&differences=1"


async def test_comparing_nothing_or_too_much_says_what_to_do(store: Store, pages: httpx.AsyncClient) -> None:
    assert "Tick runs" in (await get(pages, "/compare", 400)).text
    many = [f"{i:032x}" for i in range(101)]
    assert "at most 100" in (await get(pages, "/compare", 400, run=many)).text
    assert "not found" in (await get(pages, "/compare", 404, run="x")).text
    run_id = await log_run(store)
    assert (await get(pages, "/compare", run=[run_id, run_id])).one("h1").text == "1 run"


async def test_the_search_finds_experiments_and_runs(store: Store, pages: httpx.AsyncClient) -> None:
    experiment = await experiments.create(store, "vision/resnet")
    run_id = await log_run(store, "resnet-50 'quoted' and 100%", experiment_id=experiment.id)
    await log_run(store, "other")
    page = await get(pages, "/search", q="RESNET")
    assert {"/experiments/1", f"/runs/{run_id}"} <= {a.attributes["href"] for a in page.all("a")}
    for text in (run_id, "'quoted' and", "100%", "and", "resnet-50 and"):
        page = await get(pages, "/search", q=text)
        assert [a.text for a in page.all("a") if a.attributes["href"].startswith("/runs/")], text
    assert "Nothing is named" in (await get(pages, "/search", q="= ' \" ` ( %")).text
    assert "Type a piece" in (await get(pages, "/search")).text


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/nope", 404),
        ("/experiments/77", 404),
        ("/experiments/abc", 404),
        ("/experiments/-1", 404),
        (f"/experiments/{'9' * 30}", 404),
        ("/experiments/²", 404),
        ("/experiments/77/names", 404),
        ("/runs/none", 404),
        ("/runs/%00", 404),
        ("/runs/%ff", 404),
        (f"/runs/{'x' * 3000}", 404),
        ("/compare?run=%00", 404),
    ],
)
async def test_errors_have_the_look_of_a_page_and_repeat_nothing(
    pages: httpx.AsyncClient, url: str, status: int
) -> None:
    page = await get(pages, url, status)
    assert page.one("h1").text
    assert page.one(class_="code").text == str(status)


@pytest.mark.parametrize(
    "name",
    ["sort", "desc", "view", "size", "page", "before", "back", "col", "good", "filter", "find", "q", "start", "all"],
)
async def test_any_argument_is_answered(store: Store, pages: httpx.AsyncClient, name: str) -> None:
    run_id = await log_run(store, metrics={"m": [1.0, 2.0]})
    for value in ("\x00", "\ud800", "9" * 400, "-1", "params.", "metrics.`", "' --", "%", "a" * 3000, "tags.\x00"):
        encoded = "%ED%A0%80" if value == "\ud800" else None
        for url in ("/", "/experiments/0", f"/runs/{run_id}", "/search"):
            query = f"?{name}={encoded}" if encoded else ""
            response = await pages.get(url + query, params=None if encoded else {name: value})
            assert response.status_code == 200, (url, name, value)
            read(response.text)


async def test_links_stand_below_the_static_prefix(store: Store, pages: httpx.AsyncClient) -> None:
    await log_sweep(store)
    transport = pages._transport
    assert isinstance(transport, httpx.ASGITransport)
    transport.root_path = "/minleaf"
    for path in ("/minleaf/", "/minleaf/experiments/0", "/minleaf/nope"):
        page = read((await pages.get(path)).text)
        addresses = [n.attributes[a] for n in page.all() for a in ("href", "src", "action") if a in n.attributes]
        assert addresses
        assert all(address.startswith(("/minleaf/", "#")) for address in addresses)
        assert page.one("html").attributes["data-root"] == "/minleaf"


async def test_the_theme_is_remembered(pages: httpx.AsyncClient) -> None:
    for theme, shown in (("dark", "dark"), ("light", "light"), ('x"><script>', None)):
        response = await pages.get("/", headers={"cookie": f"minleaf_theme={theme}"})
        assert read(response.text).one("html").attributes.get("data-theme") == shown
        assert "cookie" in response.headers["vary"].split(", ")
