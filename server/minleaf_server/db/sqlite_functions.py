"""Functions that SQLite lacks, written in Python and registered on each connection."""

import sqlite3
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

REGEX_MEMORY = 32 * 2**20
"""Bytes that RE2 may use for one expression; beyond, it works slower in less."""


def register(driver: sqlite3.Connection) -> None:
    """Add the functions to a new connection."""
    driver.create_function("minleaf_regexp", 2, _regexp, deterministic=True)


def _regexp(pattern: str, text: str | None) -> bool:
    """Whether the expression is found anywhere in the text, in time linear in the text."""
    return text is not None and _compiled(pattern).search(text) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = REGEX_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)
