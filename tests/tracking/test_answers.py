"""The memory of encoded runs: what it holds, what it gives up first, and what it costs."""

from minleaf_server.db.store import Store
from minleaf_server.entities import Run
from minleaf_server.tracking import runs
from minleaf_server.tracking.answers import ENTRY_BYTES, Answers
from minleaf_server.tracking.search import RunQuery

TEXT_BYTES = 1_000


class Encoding:
    """Makes texts of one length, and counts for which runs."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def run(self, found: Run) -> bytes:
        self.made.append(found.info.name)
        return found.info.name.encode().ljust(TEXT_BYTES)

    @staticmethod
    def page(found: object, next_token: str | None) -> bytes:
        assert isinstance(found, list)
        return b" ".join(one.strip() for one in found)


async def new_runs(store: Store, count: int) -> list[str]:
    """The ids of runs named 0, 1, …, of which the last started first."""
    return [(await runs.create(store, 0, name=str(n), start_time=-n)).info.id for n in range(count)]


async def test_what_was_used_least_recently_goes_first(store: Store) -> None:
    ids = await new_runs(store, 4)
    encoding, answers = Encoding(), Answers(3 * (TEXT_BYTES + ENTRY_BYTES))
    for number in (0, 1, 2, 0, 3, 0, 2, 3, 1, 0):
        assert await answers.get(store, ids[number], encoding.run) == str(number).encode().ljust(TEXT_BYTES)
        assert answers.size <= 3 * (TEXT_BYTES + ENTRY_BYTES)
    assert encoding.made == ["0", "1", "2", "3", "1", "0"]


async def test_a_page_may_be_larger_than_the_memory(store: Store) -> None:
    await new_runs(store, 5)
    encoding, answers = Encoding(), Answers(2 * (TEXT_BYTES + ENTRY_BYTES))
    for _ in range(2):
        assert await answers.search(store, RunQuery((0,)), encoding.run, encoding.page) == b"0 1 2 3 4"
    assert answers.size == 2 * (TEXT_BYTES + ENTRY_BYTES)


async def test_a_run_that_changes_takes_the_place_of_its_old_text(store: Store) -> None:
    [run_id] = await new_runs(store, 1)
    encoding, answers = Encoding(), Answers(2**20)
    for name in ("0", "a", "a", "b"):
        await runs.update(store, run_id, name=name)
        await answers.get(store, run_id, encoding.run)
        await answers.search(store, RunQuery((0,)), encoding.run, encoding.page)
        assert answers.size == TEXT_BYTES + ENTRY_BYTES
    assert encoding.made[-1] == "b"


async def test_without_memory_nothing_is_kept(store: Store) -> None:
    [run_id] = await new_runs(store, 1)
    encoding, answers = Encoding(), Answers(0)
    for _ in range(3):
        await answers.get(store, run_id, encoding.run)
    assert encoding.made == ["0", "0", "0"]
    assert answers.size == 0
