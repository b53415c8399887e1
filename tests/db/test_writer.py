"""The writer: jobs in groups, what a group costs, and what it remembers."""

import asyncio
import re
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.pool import Pool

from minleaf_server.db import memory, writer
from minleaf_server.db.store import Store
from minleaf_server.db.tables import KeyKind
from minleaf_server.db.transaction import Transaction
from minleaf_server.entities import Point, PointColumns, RunStatus
from minleaf_server.errors import InvalidParameter, NotFound, Unavailable
from minleaf_server.tracking import experiments, runs
from tests.conftest import fresh_database
from tests.support.points import history

JOBS = 20


async def new_runs(store: Store, count: int) -> list[str]:
    return [(await runs.create(store, 0)).info.id for _ in range(count)]


def points(*values: float, step: int = 0) -> PointColumns:
    """Points of the metric `m`, a step each."""
    return PointColumns.of(Point("m", value, 1, step + index) for index, value in enumerate(values))


@asynccontextmanager
async def busy(store: Store) -> AsyncIterator[None]:
    """The writer is at something while the block runs, so that what the block queues becomes one group."""
    started, go_on = threading.Event(), threading.Event()

    def wait(_: Transaction) -> None:
        started.set()
        assert go_on.wait(30)

    waiting = asyncio.ensure_future(store.write(wait))
    assert await asyncio.to_thread(started.wait, 30)
    try:
        yield
        await asyncio.sleep(0.05)  # Every task of the block has queued its job.
    finally:
        go_on.set()
        await waiting


async def together(store: Store, *jobs: Awaitable[Any]) -> list[Any]:
    """The outcomes of jobs that are run in one group, in this order."""
    async with busy(store):
        tasks = [asyncio.ensure_future(job) for job in jobs]
    return await asyncio.gather(*tasks, return_exceptions=True)


class Statements:
    """What the connections send, as SQLite runs it or as libpq sees it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._traces: list[IO[bytes]] = []

    def watch(self, connection: Any, _entry: object) -> None:
        if hasattr(connection, "set_trace_callback"):
            connection.set_trace_callback(lambda line: self.lines.append(line))
        else:
            trace = tempfile.TemporaryFile()  # noqa: SIM115, closed by `close`
            connection.pgconn.trace(trace.fileno())
            self._traces.append(trace)

    def sent(self) -> list[str]:
        """Since the last time: on SQLite the statements, on Postgres the kinds of the messages that count."""
        lines, self.lines = self.lines, []
        for trace in self._traces:
            trace.seek(0)
            lines += re.findall(r"\tF\t\d+\t(Execute|Query|Sync)\t.*", trace.read().decode())
            trace.seek(0)
            trace.truncate()
        return lines

    def close(self) -> None:
        for trace in self._traces:
            trace.close()


@pytest.fixture
def statements() -> Iterator[Statements]:
    """Those of every connection made from now on."""
    found = Statements()
    event.listen(Pool, "connect", found.watch)
    yield found
    event.remove(Pool, "connect", found.watch)
    found.close()


async def test_a_group_writes_each_table_once(
    statements: Statements, database_uri: str, request: pytest.FixtureRequest
) -> None:
    store = Store.open(database_uri)
    try:
        ids = await new_runs(store, JOBS)
        await asyncio.gather(*(runs.log_batch(store, run_id, metrics=points(0.5)) for run_id in ids))
        async with busy(store):
            tasks = [asyncio.ensure_future(runs.log_batch(store, i, metrics=points(1.5, step=1))) for i in ids]
            await asyncio.sleep(0.05)
            statements.sent()
        await asyncio.gather(*tasks)
        sent = statements.sent()
    finally:
        store.close()
    if database_uri.startswith("sqlite"):
        # SQLite runs a statement for each row. Nothing is read but whether somebody else has written.
        kinds = ["INSERT INTO segment", "INSERT INTO metric_summary", "UPDATE run"]
        rows = [line for line in sent if line.startswith(tuple(kinds))]
        assert [sum(row.startswith(kind) for row in rows) for kind in kinds] == [JOBS] * 3
        rest = [line.split()[0] for line in sent if line not in rows]
        # The first COMMIT is of the job that was waited for.
        assert rest == ["COMMIT", "BEGIN", "PRAGMA", "COMMIT"]
    else:
        # BEGIN, the locks, everything that changes, COMMIT.
        assert sent == ["Query", "Execute", "Execute", "Execute"]


async def test_one_wake_up_for_a_group(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (run_id,) = await new_runs(store, 1)
    loop = asyncio.get_running_loop()
    calls: list[Callable[..., object]] = []
    called = loop.call_soon_threadsafe

    def counted(callback: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        calls.append(callback)
        return called(callback, *args, **kwargs)

    async with busy(store):
        tasks = [asyncio.ensure_future(runs.set_tag(store, run_id, "t", str(n))) for n in range(JOBS)]
        await asyncio.sleep(0.05)
        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    await asyncio.gather(*tasks)
    assert len(calls) == 2  # and one for the job that was waited for


async def test_who_was_just_answered_shares_the_next_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else clients that wait for each answer would need two commits where one does."""
    groups: list[int] = []
    settle = writer.Writer._settle

    def counted(self: writer.Writer, group: list[writer.Job]) -> None:
        groups.append(len(group))
        settle(self, group)

    monkeypatch.setattr(writer.Writer, "_settle", counted)
    monkeypatch.setattr(writer, "GATHER_SECONDS_MAX", 5)
    first, second = await new_runs(store, 2)
    groups.clear()

    async def twice() -> None:
        await store.write(lambda _: time.sleep(0.5))
        await runs.log_batch(store, first, metrics=points(1.0))

    slow = asyncio.ensure_future(twice())
    await asyncio.sleep(0.1)
    await asyncio.gather(slow, runs.log_batch(store, second, metrics=points(1.0)))
    assert groups == [1, 2]


async def test_later_jobs_of_a_group_see_the_earlier(store: Store) -> None:
    (run_id,) = await new_runs(store, 1)
    outcomes = await together(
        store,
        runs.log_param(store, run_id, "p", "1"),
        runs.log_param(store, run_id, "p", "2"),
        runs.log_param(store, run_id, "p", "1"),
        runs.set_tag(store, run_id, "t", "1"),
        runs.set_tag(store, run_id, "t", "2"),
        runs.set_tag(store, run_id, "gone", "1"),
        runs.delete_tag(store, run_id, "gone"),
        runs.delete_tag(store, run_id, "gone"),
        *(runs.log_batch(store, run_id, metrics=points(1.0, 2.0)) for _ in range(3)),
        runs.log_batch(store, run_id, metrics=points(3.0, 2.0, 4.0)),
        runs.update(store, run_id, status=RunStatus.FINISHED),
        runs.update(store, run_id, end_time=7, name="new"),
    )
    refused = [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)]
    assert refused == [InvalidParameter, NotFound]
    run = await runs.get(store, run_id)
    assert (run.params, run.tags) == ({"p": "1"}, {"mlflow.runName": "new", "t": "2"})
    assert (run.info.status, run.info.end_time, run.info.name) == (RunStatus.FINISHED, 7, "new")
    summary = run.metrics["m"]
    assert (summary.count, summary.max, summary.last_step) == (4, 4.0, 2)
    assert sorted(point.value for point in (await history(store, run_id, "m")).items) == [1.0, 2.0, 3.0, 4.0]
    assert outcomes[-1] == run.info


async def test_a_job_that_fails_half_way_leaves_nothing(store: Store) -> None:
    """Whatever it did before: gathered changes, its own statements, new names."""
    ids = await new_runs(store, 2)

    def half(tx: Transaction) -> None:
        from minleaf_server.db.write import points as write_points
        from minleaf_server.db.write import runs as write_runs

        row = tx.run(ids[0])
        write_points.append(tx, row, points(9.0))
        write_runs.set_tags(tx, row, {"half": "1", "mlflow.runName": "half"})
        tx.execute("UPDATE run SET user_id = 'half' WHERE id = ?", (row.id,))
        write_runs.log_params(tx, row, [("half", "1")])
        raise InvalidParameter("half way")

    outcomes = await together(
        store,
        runs.log_batch(store, ids[0], metrics=points(1.0)),
        store.write(half, ids),
        runs.log_batch(store, ids[0], metrics=points(9.0), params=[("p", "1")]),
        runs.set_tag(store, ids[1], "t", "1"),
    )
    assert [str(outcome) for outcome in outcomes] == ["None", "half way", "None", "None"]
    await runs.log_batch(store, ids[0], metrics=points(9.0), params=[("half", "2")])
    first, second = [await runs.get(store, run_id) for run_id in ids]
    assert first.metrics["m"].count == 2
    assert (first.params, first.info.user) == ({"half": "2", "p": "1"}, "unknown")
    assert first.info.name == first.tags["mlflow.runName"] != "half"
    assert "half" not in first.tags
    assert second.tags["t"] == "1"


async def test_a_job_that_the_database_refuses_fails_alone(store: Store) -> None:
    """Also where the refusal comes only when the gathered changes of the whole group are sent."""
    (run_id,) = await new_runs(store, 1)
    await runs.log_param(store, run_id, "p", "1")

    def twice(tx: Transaction) -> None:
        row = tx.run(run_id)
        place = (row.id, tx.key_id(row.experiment_id, KeyKind.PARAM, "p"))
        tx.changes.params[place] = ("2", 2.0)
        tx.touch(row.id)

    others = [runs.set_tag(store, run_id, f"t{number}", "1") for number in range(3)]
    outcomes = await together(store, others[0], store.write(twice, (run_id,)), *others[1:])
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType", "IntegrityError", "NoneType", "NoneType"]
    run = await runs.get(store, run_id)
    assert run.params == {"p": "1"}
    assert set(run.tags) == {"mlflow.runName", "t0", "t1", "t2"}


async def test_what_another_process_wrote_is_seen(database_uri: str) -> None:
    """A writer remembers a run, and another one, on the same database, changes it."""
    stores = [Store.open(database_uri), Store.open(database_uri)]
    try:
        (run_id,) = await new_runs(stores[0], 1)
        for number in range(6):
            await runs.log_batch(stores[number % 2], run_id, metrics=points(float(number), step=number))
            await runs.log_batch(stores[1 - number % 2], run_id, metrics=points(float(number), step=number))
        await runs.log_param(stores[1], run_id, "p", "1")
        with pytest.raises(InvalidParameter):
            await runs.log_param(stores[0], run_id, "p", "2")
        await runs.delete(stores[1], run_id)
        with pytest.raises(InvalidParameter, match="Current state is deleted"):
            await runs.set_tag(stores[0], run_id, "t", "1")
        run = await runs.get(stores[0], run_id)
        assert (run.metrics["m"].count, run.metrics["m"].max) == (6, 5.0)
    finally:
        for store in stores:
            store.close()


async def test_a_run_deleted_with_its_experiment_is_not_remembered_as_it_was(store: Store) -> None:
    made = await experiments.create(store, "e")
    run_id = (await runs.create(store, made.id)).info.id
    await runs.set_tag(store, run_id, "t", "0")
    outcomes = await together(
        store,
        runs.set_tag(store, run_id, "t", "1"),
        experiments.delete(store, made.id),
        runs.set_tag(store, run_id, "t", "2"),
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), InvalidParameter]
    with pytest.raises(InvalidParameter):
        await runs.set_tag(store, run_id, "t", "3")
    await experiments.restore(store, made.id)
    await runs.set_tag(store, run_id, "u", "4")
    assert (await runs.get(store, run_id)).tags["t"] == "1"


async def test_memory_is_bounded_and_what_it_lost_is_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "KEPT_ENTRIES_MAX", 20)
    monkeypatch.setattr(memory, "KEPT_NAMES_MAX", 5)
    ids = await new_runs(store, 10)
    for step in range(3):
        for number, run_id in enumerate(ids):
            batch = PointColumns.of(Point(f"m{name}", 1.0, step, step) for name in range(number))
            await runs.log_batch(store, run_id, metrics=batch, params=[(f"p{n}", "1") for n in range(number)])
    kept = store._writer._memory
    assert len(kept.runs) < len(ids)
    assert len(kept.names) <= 5
    for number, run_id in enumerate(ids):
        run = await runs.get(store, run_id)
        assert [summary.count for summary in run.metrics.values()] == [3] * number
        assert len(run.params) == number


async def test_a_group_of_megabytes_is_committed(store: Store) -> None:
    """More than any socket takes at once, in values, in names and in rows of their own."""
    ids = await new_runs(store, 12)
    names = [f"{'long name ' * 20}{number}" for number in range(1000)]
    batch = PointColumns(names, [number / 7 for number in range(1000)], [1] * 1000, [1] * 1000)
    await together(store, *(runs.log_batch(store, run_id, metrics=batch) for run_id in ids))
    assert [len((await runs.get(store, run_id)).metrics) for run_id in ids] == [1000] * len(ids)

    rows = [(2**40 + number, b"x" * 500_000) for number in range(12)]
    insert = "INSERT INTO segment (run_id, seq, n, data) VALUES (?, 1, 1, ?)"
    await store.write(lambda tx: tx.execute_many(insert, rows))
    stored = "SELECT count(*), min(length(data)) FROM segment WHERE run_id >= ?"
    assert await store.write(lambda tx: tx.execute(stored, (2**40,)).one()) == (12, 500_000)


async def test_a_caller_that_has_gone_away_changes_nothing_for_others(store: Store) -> None:
    (run_id,) = await new_runs(store, 1)
    async with busy(store):
        gone, stays = [asyncio.ensure_future(runs.set_tag(store, run_id, name, "1")) for name in ("gone", "stays")]
        await asyncio.sleep(0.05)
        gone.cancel()
    await stays
    assert gone.cancelled()
    assert "gone" not in (await runs.get(store, run_id)).tags
    assert "stays" in (await runs.get(store, run_id)).tags


async def test_more_than_can_wait_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (run_id,) = await new_runs(store, 1)
    monkeypatch.setattr(writer, "QUEUE_MAX", 2)
    outcomes = await together(store, *(runs.set_tag(store, run_id, f"t{n}", "1") for n in range(5)))
    assert [isinstance(outcome, Unavailable) for outcome in outcomes] == [False, False, True, True, True]
    assert set((await runs.get(store, run_id)).tags) == {"mlflow.runName", "t0", "t1"}


@pytest.fixture
def on_postgres(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with fresh_database("postgres", tmp_path, request) as uri:
        store = Store.open(uri)
        yield store
        store.close()


async def _end_other_connections(store: Store) -> None:
    query = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = ''"
    )
    await store.read(lambda conn: conn.execute(query).all())


async def test_a_connection_that_was_lost_is_replaced_and_nobody_notices(on_postgres: Store) -> None:
    ids = await new_runs(on_postgres, 3)
    for number in range(3):
        await _end_other_connections(on_postgres)
        jobs = [runs.log_batch(on_postgres, run_id, metrics=points(1.0, step=number)) for run_id in ids]
        assert await together(on_postgres, *jobs) == [None] * 3
    assert (await runs.get(on_postgres, ids[0])).metrics["m"].count == 3


async def test_a_commit_whose_outcome_is_unknown_is_not_repeated(on_postgres: Store) -> None:
    """The connection is lost while Postgres commits: the caller hears that it does not answer, and may try again."""

    def break_commits(tx: Transaction) -> None:
        tx.execute("CREATE SEQUENCE commits")
        tx.execute(
            "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM nextval('commits'), pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
        )
        tx.execute(
            "CREATE CONSTRAINT TRIGGER break AFTER INSERT ON tag DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION break()"
        )

    (run_id,) = await new_runs(on_postgres, 1)
    await on_postgres.write(break_commits)
    with pytest.raises(Unavailable):
        await runs.set_tag(on_postgres, run_id, "t", "1")
    tries = await on_postgres.read(lambda conn: conn.execute(text("SELECT last_value FROM commits")).scalar_one())
    assert tries == 1
    await runs.log_param(on_postgres, run_id, "p", "1")
    run = await runs.get(on_postgres, run_id)
    assert (run.params, run.tags.get("t")) == ({"p": "1"}, None)
