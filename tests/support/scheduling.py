"""Which tests go to the same worker of pytest-xdist, and in which order: a file as a whole, the long ones first.

A file's tests share servers and databases, which each worker would start anew. The marks with which pytest-xdist groups
tests by itself have no effect with pytest 9.2 and later.
"""

from collections import OrderedDict

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/packaging/",)
"""Folders whose files share something expensive: the environments into which the wheel is installed."""

LONG_FIRST = (
    "tests/compat/test_many_points.py",
    "tests/packaging/",
    "tests/integrations/",
    "tests/compat/",
    "tests/faults/",
    "tests/browser/",
)
"""What takes long, the longest first, so that it is not what the last worker ends with."""


def unit_of(nodeid: str) -> str:
    """The file or the folder that a test is run with."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def rank_of(unit: str) -> int:
    """The place of a file or folder in the order; small means early."""
    return next((rank for rank, start in enumerate(LONG_FIRST) if unit.startswith(start)), len(LONG_FIRST))


class FileScheduling(LoadScopeScheduling):
    """Gives a file to one worker."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self.workqueue = _Queue()

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


class _Queue(OrderedDict[str, dict[str, bool]]):
    """Units by rank; those of one rank in the order in which they came: the ones of most tests first."""

    def popitem(self, last: bool = True) -> tuple[str, dict[str, bool]]:
        first = min(self, key=rank_of)
        return first, self.pop(first)
