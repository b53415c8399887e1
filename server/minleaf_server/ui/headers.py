"""The header of a column that sorts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """`url` sorts by the column, or turns its order round; `sorted` is what aria-sort says, "" for nothing."""

    label: str
    url: str
    sorted: str
    numeric: bool
    title: str = ""
