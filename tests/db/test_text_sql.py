"""Each comparison of text gives the answer of plain Python on both databases, for every pair of text and pattern."""

from collections.abc import Callable

import pytest
from sqlalchemy import ColumnElement, select

from minleaf_server.db import text_sql
from minleaf_server.db.store import Store
from minleaf_server.db.tables import experiment_tag
from minleaf_server.tracking import experiments
from tests.filters.oracle import fold, like, regex
from tests.filters.strategies import LONG, PATTERNS, REGEXES, TEXTS

Condition = Callable[[ColumnElement[str], str], ColumnElement[bool]]
MORE_PATTERNS = ["\\", "%\\", "a\\", "*", "?", "[a-z]%", "%😀%", "日_", "_\n_", "%" * 50 + "x", "K", "ß", "É"]
MORE_REGEXES = [r"(?i)^ß$", "(?i)å", "(?i)[à-ï]", r"\bab\b", r"^\W+$", "(?i)k", r"^.$", r"\u65e5", "a{0,2}b", "^(?:)a"]


async def answers(store: Store, condition: Condition, patterns: list[str], texts: list[str]) -> list[tuple[str, str]]:
    """The pairs of pattern and text for which the database says yes, of a stored column."""
    made = await experiments.create(store, "texts", tags={str(i): text for i, text in enumerate(texts)})
    stored = select(experiment_tag.c.value).where(experiment_tag.c.experiment_id == made.id)
    found: list[tuple[str, str]] = []
    for pattern in patterns:
        query = stored.where(condition(experiment_tag.c.value, pattern))
        matching = await store.read(lambda conn, query=query: conn.execute(query).scalars().all())  # type: ignore[misc]
        found += ((pattern, text) for text in matching)
    return sorted(found)


def expected(answer: Callable[[str, str], bool], patterns: list[str], texts: list[str]) -> list[tuple[str, str]]:
    return sorted((pattern, text) for pattern in patterns for text in texts if answer(text, pattern))


@pytest.fixture(name="texts")
def _texts() -> list[str]:
    return [*TEXTS, "\\", "*", "a\\b%", "%", "_", "K", "k", "tab\there", "x" * 127 + "é", LONG[:128]]


async def test_equal(store: Store, texts: list[str]) -> None:
    found = await answers(store, text_sql.equal, texts, texts)
    assert found == expected(str.__eq__, texts, texts)


async def test_like(store: Store, texts: list[str]) -> None:
    patterns = [*PATTERNS, *MORE_PATTERNS]
    assert await answers(store, text_sql.like, patterns, texts) == expected(like, patterns, texts)


async def test_ilike(store: Store, texts: list[str]) -> None:
    patterns = [*PATTERNS, *MORE_PATTERNS]
    wanted = expected(lambda text, pattern: like(fold(text), fold(pattern)), patterns, texts)
    assert await answers(store, text_sql.ilike, patterns, texts) == wanted


async def test_contains(store: Store, texts: list[str]) -> None:
    wanted = expected(lambda text, word: fold(word) in fold(text), texts, texts)
    assert await answers(store, text_sql.contains, texts, texts) == wanted


async def test_regular_expressions(store: Store, texts: list[str]) -> None:
    patterns = [*REGEXES, *MORE_REGEXES]

    def found(text: str, pattern: str) -> bool:
        return regex(fold(text), fold(pattern[4:])) if pattern.startswith("(?i)") else regex(text, pattern)

    assert await answers(store, text_sql.matches, patterns, texts) == expected(found, patterns, texts)


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "(a|a)*b",
        "(a*)*b",
        "(.*a){100}b",
        "(?:a?){120}(?:a?){120}a{120}a{120}b",
        "[ab]*a[ab]{255}c",
        ".*" * 200 + "b",
    ],
)
async def test_patterns_that_hang_other_engines_answer(store: Store, pattern: str) -> None:
    texts = ["a" * 34 + "!", "a" * 5000]
    found = await answers(store, text_sql.matches, [pattern], texts)
    assert found == expected(lambda text, _: pattern == "^(a+)+$" and text.endswith("a"), [pattern], texts)


@pytest.mark.parametrize("condition", [text_sql.like, text_sql.ilike])
async def test_like_with_many_wildcards_answers(store: Store, condition: Condition) -> None:
    assert await answers(store, condition, ["%a" * 50 + "%b", "%é" * 50 + "%b"], ["a" * 20_000]) == []
