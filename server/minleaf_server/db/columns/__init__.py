"""Columns of runs in memory: loaded when they are first asked for, kept fresh, within a limit.

A search locks the tables of its experiments before its snapshot begins, so that no table is ever newer than a snapshot
that reads it. It brings them to the snapshot, takes a view of what it wants and unlocks them; a view never changes.
"""

from minleaf_server.db.columns.memory import Columns, Held
from minleaf_server.db.columns.view import View, joined

__all__ = ["Columns", "Held", "View", "joined"]
