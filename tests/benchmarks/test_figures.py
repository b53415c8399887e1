"""From latencies and CPU times to the table."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.battery import Query, Timed, differences, worst
from benchmarks.load import Result
from benchmarks.measure import Sample, middle, sample
from benchmarks.profiles import COMMIT, LOOP, place, shares
from benchmarks.report import Row, floor, table, write


def test_a_sample_is_made_of_every_latency() -> None:
    latencies = [0.001 * number for number in range(100, 0, -1)]
    found = sample(2.0, 0.5, Result(seconds=4.0, latencies=latencies, failures=["no"]))
    assert (found.cpu, found.rate, found.failures, found.slow) == (2.5, 25, 1, 65)
    assert (found.p50, found.p99) == pytest.approx((51, 100))


def test_the_median_of_each_number_counts() -> None:
    several = [Sample(server, database, 1, 1, 1) for server, database in ((1, 30), (2, 10), (90, 20))]
    assert (middle(several).server, middle(several).database) == (2, 20)


def test_a_ratio_is_to_minleaf_on_the_same_database() -> None:
    values = {"Minleaf on sqlite": 0.1, "MLflow on sqlite": 13.5, "Minleaf on postgres": 2.0, "MLflow on postgres": 5.0}
    line = table([Row("log", "CPU ms", values, floor="0.05", reach="0.10")]).splitlines()[2]
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        *("log", "CPU ms", "0.1", "13.5 (135x)", "", "2", "5 (2.5x)", "", "0.05", "0.10"),
    ]


def test_the_floor_is_an_answer_and_the_database() -> None:
    values = {"Minleaf on sqlite": 0.1, "MLflow on sqlite": 13.5}
    assert (
        floor(0.03, {"sqlite": 0.02, "postgres": 0.1}, values)
        == "answer 0.03 + sqlite 0.02 (Minleaf 2x) + postgres 0.1"
    )


def test_figures_are_written_between_their_marks_alone(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n")
    write("new \\1\n", document=document)
    assert document.read_text() == "before\n<!-- figures -->\nnew \\1\n<!-- /figures -->\nafter\n"
    with pytest.raises(SystemExit, match="no place"):
        write("new\n", "profiles", document)
    assert "new" in document.read_text()


def test_answers_that_differ_between_the_databases_are_named() -> None:
    one, two = Query("a > 1"), Query("b > 1")
    found = {
        "here": [Timed(one, 1, 1, ("x",)), Timed(two, 1, 1, ("y",))],
        "there": [Timed(one, 1, 1, ("x",)), Timed(two, 1, 1, ("z",))],
    }
    assert differences(found) == ["`b > 1` finds on there what it does not on here"]
    assert differences({"here": found["here"]}) == []


def test_the_worst_query_is_no_page() -> None:
    timed = [Timed(Query(), 5, 1), Timed(Query(totals=True), 90, 80), Timed(Query("a > 1"), 3, 2)]
    assert (worst(timed, cold=True, totals=False), worst(timed, cold=False, totals=False)) == (5, 2)
    assert worst(timed, cold=False, totals=True) == 80


STARTED = "main (minleaf_server/cli/serve.py);run (uvicorn/server.py)"
WRITING = "run (threading.py);_run (minleaf_server/db/writer.py)"


@pytest.mark.parametrize(
    ("stack", "found"),
    [
        (STARTED, LOOP),
        (f"{STARTED};permit (minleaf_server/app/gate.py);send (uvicorn/protocols/http/httptools_impl.py)", LOOP),
        (f"{STARTED};decode (minleaf_server/rest/decode.py:12)", "`rest.decode`"),
        (f"{WRITING};execute (sqlalchemy/engine/base.py)", "`db.writer`, in sqlalchemy"),
        (f"{WRITING};DefaultDialect.do_commit (sqlalchemy/engine/default.py)", COMMIT),
        (f"{WRITING};Writer._commit_group (minleaf_server/db/writer.py);put (minleaf_server/db/x.py)", "`db.x`"),
    ],
)
def test_a_stack_belongs_to_the_innermost_module_of_ours(stack: str, found: str) -> None:
    assert place(stack) == found


def test_shares_add_up() -> None:
    stacks = Counter({STARTED: 70, f"{WRITING};commit (x.py)": 29, "other (y.py);decode (minleaf_server/z.py)": 1})
    assert [what for what, _ in shares(stacks)] == [LOOP, COMMIT, "the rest"]
    assert sum(share for _, share in shares(stacks)) == pytest.approx(1)
