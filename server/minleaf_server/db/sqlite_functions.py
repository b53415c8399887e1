"""Functions that SQLite lacks, written in Python and registered on each connection."""

import sqlite3


def register(driver: sqlite3.Connection) -> None:
    """Add the functions to a new connection."""
