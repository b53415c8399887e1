"""What is remembered of the texts of a column stays right while texts come in."""

import random
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest

from minleaf_server.columns import Vocabulary, vocabulary
from minleaf_server.columns.patterns import passing
from minleaf_server.entities.number import number_of
from minleaf_server.filters.tree import Operator

TEXTS = ["3", "3.0", "03", "10", "-0", "0", "inf", "-inf", "nan", "1e999", "", "a", "A", "é", "日本", "😀", "\uffff"]
TEXTS += ["x" * 1024, "x" * 1024 + "a", "x" * 1024 + "b", "x" * 1023 + "y"]


def some_texts(rng: random.Random, count: int) -> list[str]:
    return [rng.choice([*TEXTS, str(rng.randint(0, 300)), f"text {rng.randint(0, 300)}"]) for _ in range(count)]


def test_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "RECENT_MAX", 40)
    rng, known, codes = random.Random(1), Vocabulary(), {}
    for _ in range(60):
        texts = some_texts(rng, rng.choice([0, 1, 30]))
        for text, code in zip(texts, known.codes_of(texts).tolist(), strict=True):
            assert codes.setdefault(text, code) == code
    assert [codes[text] for text in known.texts] == list(range(len(known.texts)))
    assert [known.code_of(text) for text in codes] == list(codes.values())
    assert known.code_of("never seen") == -1


@pytest.mark.parametrize("count", [0, 30, 50])
def test_texts_that_are_known_to_be_distinct(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(vocabulary, "RECENT_MAX", 40)
    texts = [f"text {place}" for place in range(count)]
    known, other = Vocabulary.of_distinct(texts), Vocabulary(texts)
    assert known.texts == texts
    assert known.nbytes == pytest.approx(other.nbytes, abs=200)
    assert known.codes_of(["new", *reversed(texts)]).tolist() == [count, *reversed(range(count))]


@pytest.mark.parametrize("numeric", [False, True])
@pytest.mark.parametrize("characters", [1024, 10_000])
def test_ranks_are_the_order_of_the_texts(numeric: bool, characters: int) -> None:
    rng, known = random.Random(2), Vocabulary()
    for count in [1, 0, 400, 3, 1, 5, 200, 1, 1, 1]:
        known.codes_of(some_texts(rng, count))
        ranking = known.ranking(numeric, characters)
        keys = [key_of(text, numeric, characters) for text in known.texts]
        in_order = sorted(set(keys))
        assert ranking.ranks.tolist() == [in_order.index(key) for key in keys]
        assert ranking.size == len(in_order)
        for text in ["", "a", "text 1", "text 1a", "x" * 1024, "x" * 1025, "\U0010ffff"]:
            place, exists = ranking.place(text)
            key = (1, 0.0, text)
            assert place == sum(other < key for other in in_order), text
            assert exists == (key in in_order)


def key_of(text: str, numeric: bool, characters: int) -> tuple[int, float, str]:
    number = number_of(text) if numeric else None
    return (1, 0.0, text[:characters]) if number is None else (0, number, "")


def test_descending_ranks_keep_numbers_before_texts() -> None:
    known = Vocabulary(["b", "2", "a", "10", "2.0"])
    ranks = known.ranking(numeric=True).backwards()
    assert sorted(zip(ranks.tolist(), known.texts, strict=True)) == [
        (0, "10"),
        (1, "2"),
        (1, "2.0"),
        (2, "b"),
        (3, "a"),
    ]


def test_answers_are_remembered_and_grow_with_the_texts() -> None:
    known, asked = Vocabulary(["a", "b"]), list[str]()

    def is_a(texts: list[str]) -> np.ndarray:
        asked.extend(texts)
        return passing(texts, Operator.LIKE, "%a%")

    assert known.passing("test", is_a).tolist() == [True, False]
    known.codes_of(["ca", "b", "d"])
    assert known.passing("test", is_a).tolist() == [True, False, True, False]
    assert known.passing("test", is_a).tolist() == [True, False, True, False]
    assert asked == ["a", "b", "ca", "d"]


def test_texts_come_in_while_others_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "RECENT_MAX", 50)
    known, end = Vocabulary(["0"]), Event()

    def read() -> int:
        rounds = 0
        while not end.is_set() or not rounds:
            size = len(known.texts)
            assert known.code_of(str(size - 1)) == size - 1
            ranks = known.ranking(numeric=True).ranks[:size]
            assert ranks.tolist() == list(range(size))
            answers = known.passing("even", lambda texts: np.array([int(text) % 2 == 0 for text in texts]))
            assert answers[:size].tolist() == [place % 2 == 0 for place in range(size)]
            rounds += 1
        return rounds

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for size in range(1, 600, 3):
            known.codes_of(map(str, range(size, size + 3)))
        end.set()
        assert all(reader.result() for reader in readers)


def test_only_the_latest_answers_take_memory() -> None:
    known = Vocabulary(map(str, range(1000)))
    known.passing("kept", lambda texts: passing(texts, Operator.LIKE, "1%"))
    before = known.nbytes
    for value in map(str, range(100)):
        known.passing(value, lambda texts, value=value: passing(texts, Operator.LIKE, value))
    assert known.nbytes == before + 1000 * (vocabulary.ANSWERS_MAX - 1)


def test_memory_counts_texts_and_what_is_worked_out_of_them() -> None:
    known = Vocabulary(["x" * 1000])
    assert known.nbytes > 1000
    before = known.nbytes
    known.codes_of("y" * n for n in range(1000, 1100))
    assert known.nbytes > before + 100 * 1000
    before = known.nbytes
    known.ranking()
    assert known.nbytes >= before + 8 * 101
