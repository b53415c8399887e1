"""The same runs in MLflow's own store and in ours: every filter and order of MLflow finds the same names."""

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Metric, Param, RunTag, ViewType

from minleaf_server.db.store import Store
from minleaf_server.entities import Point, PointColumns, RunStatus
from minleaf_server.tracking import runs, search
from tests.conftest import BACKENDS, fresh_database

pytestmark = pytest.mark.filterwarnings("ignore")

Data = dict[str, Any]
NAN, INF = float("nan"), float("inf")
RUNS: list[Data] = [
    {
        "name": "Alpha",
        "start": 5,
        "end": 9,
        "status": "FINISHED",
        "m": {"acc": 0.5, "loss": NAN},
        "p": {"lr": "0.1", "opt": "adam"},
        "t": {"stage": "dev"},
    },
    {
        "name": "alpha",
        "start": 4,
        "end": None,
        "status": "RUNNING",
        "m": {"acc": NAN},
        "p": {"lr": "1e-1", "opt": "Adam"},
        "t": {"stage": "DEV", "a b": "it''s"},
    },
    {
        "name": "beta_1",
        "start": 4,
        "end": 7,
        "status": "FAILED",
        "m": {"acc": -0.0, "loss": 1e308},
        "p": {"lr": "10"},
        "t": {"stage": "a%b"},
    },
    {
        "name": "beta%1",
        "start": 3,
        "end": 8,
        "status": "KILLED",
        "m": {"loss": 2.0, "val.acc": 1.0},
        "p": {"opt": ""},
        "t": {},
    },
    {
        "name": "it's \\ x",
        "start": 2,
        "end": 2,
        "status": "SCHEDULED",
        "m": {"acc": 1.0},
        "p": {"lr": "9", "opt": "a\\b"},
        "t": {"stage": "a_b"},
    },
    {
        "name": "日本",
        "start": 1,
        "end": 6,
        "status": "FINISHED",
        "m": {"acc": 0.5},
        "p": {"lr": "auto"},
        "t": {"stage": "日本"},
    },
]
FILTERS = [
    "metrics.acc = 0.5",
    "metrics.acc != 0.5",
    "metrics.acc > 0",
    "metrics.acc >= 0",
    "metrics.acc < 0.6",
    "metrics.acc <= -0",
    "metrics.loss > 1",
    "metrics.loss != 2",
    "metrics.val.acc = 1",
    "metrics.none != 1",
    "metrics.`acc` > .4 AND metrics.acc < 1.",
    "params.lr = '0.1'",
    'params.lr = "0.1"',
    "params.lr != '0.1'",
    "params.opt LIKE 'a%'",
    "params.opt ILIKE 'a%'",
    "params.opt LIKE '_dam'",
    "params.opt = ''",
    "params.opt LIKE ''",
    "params.opt LIKE '%'",
    "params.opt LIKE 'a\\b'",
    "params.lr is null",
    "params.lr IS NOT NULL",
    "params.none != 'x'",
    "tags.stage = 'dev'",
    "tags.stage != 'dev'",
    "tags.stage ILIKE 'DEV'",
    "tags.stage LIKE 'a_b'",
    "tags.stage LIKE '%\\%%'",
    "tags.stage = '日本'",
    "tags.stage LIKE '日_'",
    "tags.`a b` = 'it''s'",
    'tags."a b" IS NULL',
    "tag.stage IS NOT NULL AND tag.stage != 'x'",
    "status = 'FINISHED'",
    "status = 'finished'",
    "status != 'FINISHED'",
    "attributes.status LIKE '%ED'",
    "attr.status ILIKE 'f%'",
    "run.status = 'RUNNING'",
    "run_name = 'Alpha'",
    "run_name ILIKE 'ALPHA'",
    "run_name != 'Alpha'",
    "`run name` LIKE 'beta_1'",
    "\"Run name\" LIKE '%\\%'",
    'attributes.run_name = "it\'s \\ x"',
    "start_time > 2",
    "start_time > 2.5",
    "created <= 4",
    "end_time != 8",
    "end_time < 1e3",
    "user_id = 'ana'",
    "user_id != 'bob'",
    "user_id ILIKE 'AN_'",
    "status = 'FAILED' AND",
    "AND status = 'FAILED'",
    "",
    "params.lr = '0.1' params.opt = 'adam'",
    "run_id IN ('x', 'y')",
    "run_id NOT IN ('x')",
    "run_id != 'x'",
    "datasets.name = 'x'",
    "dataset.digest != 'x'",
    "datasets.context IN ('a', 'b')",
    "metrics.acc > -1e400",
    "metrics.acc < 1e400",
]
ORDERS: list[list[str]] = [
    [],
    ["metrics.acc"],
    ["metrics.acc DESC"],
    ["metrics.loss asc", "start_time"],
    ["tags.stage"],
    ["tags.stage DESC", "run_name"],
    ["params.opt"],
    ["attributes.start_time ASC"],
    ["end_time"],
    ["end_time desc"],
    ["status"],
    ["run_name DESC"],
    ["user_id", "run_name"],
    ["metrics.`val.acc` DESC"],
    ["run.created"],
    ["metrics.none"],
]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("mlflow")
    # Its modules use what SQLAlchemy deprecates, at import and later.
    warnings.simplefilter("ignore")
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts"))
    for data in RUNS:
        made = store.create_run("0", "ana", data["start"], [RunTag(*item) for item in data["t"].items()], data["name"])
        metrics = [Metric(key, value, 0, 0) for key, value in data["m"].items()]
        store.log_batch(made.info.run_id, metrics, [Param(*item) for item in data["p"].items()], [])
        store.update_run_info(made.info.run_id, RunStatus[data["status"]].value, data["end"], None)
    yield store
    store.engine.dispose()


@pytest.fixture(scope="module", params=BACKENDS)
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("ours")
    with fresh_database(request.param, folder, request) as uri:
        store = Store.open(uri)
        asyncio.run(fill(store))
        yield store
        store.close()


async def fill(store: Store) -> None:
    for data in RUNS:
        tags = list(data["t"].items())
        made = await runs.create(store, 0, name=data["name"], user="ana", start_time=data["start"], tags=tags)
        points = [Point(key, value, 0, 0) for key, value in data["m"].items()]
        await runs.log_batch(store, made.info.id, metrics=PointColumns.of(points), params=list(data["p"].items()))
        await runs.update(store, made.info.id, status=RunStatus[data["status"]], end_time=data["end"], name=None)


def their_names(store: Any, text: str, order_by: list[str]) -> list[str]:
    found = store.search_runs(["0"], text, ViewType.ACTIVE_ONLY, 1000, order_by)
    return [run.info.run_name for run in found]


async def our_names(store: Store, text: str, order_by: list[str]) -> list[str]:
    page = await search.runs(store, search.RunQuery((0,), text, tuple(order_by)))
    return [run.info.name for run in page.items]


# Runs that start at the same time come in the order of their ids, which differ.
TIES = {"alpha", "beta_1"}


def untied(names: list[str]) -> list[str]:
    return ["tie" if name in TIES else name for name in names]


@pytest.mark.parametrize("text", FILTERS)
async def test_filters_find_what_mlflow_finds(theirs: Any, ours: Store, text: str) -> None:
    assert sorted(await our_names(ours, text, [])) == sorted(their_names(theirs, text, []))


@pytest.mark.parametrize("order_by", ORDERS)
async def test_orders_are_those_of_mlflow(theirs: Any, ours: Store, order_by: list[str]) -> None:
    assert untied(await our_names(ours, "", order_by)) == untied(their_names(theirs, "", order_by))
