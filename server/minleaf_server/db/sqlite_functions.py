"""Functions that SQLite lacks, written in Python and registered on each connection."""

import sqlite3

from minleaf_server.filters.regex import compiled


def register(driver: sqlite3.Connection) -> None:
    """Add the functions to a new connection."""
    driver.create_function("minleaf_regexp", 2, _regexp, deterministic=True)


def _regexp(pattern: str, text: str | None) -> bool:
    """Whether the expression is found anywhere in the text, in time linear in the text."""
    return text is not None and compiled(pattern).search(text.encode()) is not None
