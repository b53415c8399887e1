"""Texts pass a test as plain Python says, however many there are and whichever of them match."""

import random
from collections.abc import Callable

import pytest

from minleaf_server.columns.patterns import containing, passing
from minleaf_server.filters.tree import Operator
from tests.filters.oracle import fold, like, regex
from tests.filters.strategies import LONG, PATTERNS, REGEXES, TEXTS

ALL_TEXTS = [
    *TEXTS,
    "\\",
    "*",
    "a\\b%",
    "%",
    "_",
    "K",
    "\u212a",
    "tab\there",
    "x" * 127 + "é",
    LONG[:128],
    "a\n",
    "\nb",
]
MORE_PATTERNS = ["\\", "%\\", "a\\", "*", "?", "[a-z]%", "%😀%", "日_", "_\n_", "%" * 50 + "x", "\u212a", "ß", "É"]
MORE_PATTERNS += ["%a%b%", "_%_", "%_", "a%a", "%a_%", "%_b", "%%x%%", "x%x%x"]
MORE_REGEXES = ["(?i)^ß$", "(?i)å", "(?i)[à-ï]", r"\bab\b", r"^\W+$", "(?i)k", "^.$", r"\u65e5", "a{0,2}b", "^(?:)a"]
MORE_REGEXES += [
    "^",
    "$",
    "",
    r"\n",
    r"[\t-~]",
    r"[^\n]",
    r"\S+$",
    r"[\s\d]",
    r"\W",
    r"\Bx",
    r"a\s",
    r"\s*$",
    "[^a]b",
    "a.*b",
]


def found(text: str, pattern: str) -> bool:
    return regex(fold(text), fold(pattern[4:])) if pattern.startswith("(?i)") else regex(text, pattern)


ANSWERS: list[tuple[Operator, list[str], Callable[[str, str], bool]]] = [
    (Operator.LIKE, [*PATTERNS, *MORE_PATTERNS], like),
    (Operator.ILIKE, [*PATTERNS, *MORE_PATTERNS], lambda text, pattern: like(fold(text), fold(pattern))),
    (Operator.MATCH, [*REGEXES, *MORE_REGEXES], found),
    (Operator.LT, ALL_TEXTS, lambda text, value: text.encode() < value.encode()),
    (Operator.LE, ALL_TEXTS, lambda text, value: text.encode() <= value.encode()),
    (Operator.GT, ALL_TEXTS, lambda text, value: text.encode() > value.encode()),
    (Operator.GE, ALL_TEXTS, lambda text, value: text.encode() >= value.encode()),
]


@pytest.mark.parametrize(("operator", "values", "answer"), ANSWERS, ids=lambda given: getattr(given, "value", ""))
def test_each_operator(operator: Operator, values: list[str], answer: Callable[[str, str], bool]) -> None:
    for value in values:
        found = passing(ALL_TEXTS, operator, value).tolist()
        assert found == [answer(text, value) for text in ALL_TEXTS], value


def test_containing() -> None:
    for word in ALL_TEXTS:
        assert containing(ALL_TEXTS, word).tolist() == [fold(word) in fold(text) for text in ALL_TEXTS], word


def test_regular_expressions_over_many_lines() -> None:
    """Texts without newlines are searched many at a time: matches must not cross from one into the next."""
    rng = random.Random(7)
    lines = [text for text in [*ALL_TEXTS, "", "ab", "ba"] if "\n" not in text]
    for pattern in [*REGEXES, *MORE_REGEXES]:
        answers = {text: found(text, pattern) for text in lines}
        for size in (0, 1, 2, 3, 30, 5000):
            texts = rng.choices(lines, k=size)
            assert passing(texts, Operator.MATCH, pattern).tolist() == [answers[text] for text in texts], pattern


@pytest.mark.parametrize(
    "pattern",
    ["^(a+)+$", "(a|a)*b", "(.*a){100}b", "(?:a?){120}(?:a?){120}a{120}a{120}b", "[ab]*a[ab]{255}c", ".*" * 200],
)
def test_patterns_that_hang_other_engines_answer(pattern: str) -> None:
    texts = ["a" * 34 + "!", "a" * 5000] * 20
    answers = passing(texts, Operator.MATCH, pattern).tolist()
    assert answers == [pattern == ".*" * 200 or (pattern == "^(a+)+$" and text[-1] == "a") for text in texts]


@pytest.mark.parametrize("operator", [Operator.LIKE, Operator.ILIKE])
def test_like_with_many_wildcards_answers(operator: Operator) -> None:
    for pattern in ("%a" * 50 + "%b", "%_a" * 50 + "%b", "%é" * 50 + "%b"):
        assert passing(["a" * 20_000], operator, pattern).tolist() == [False]
