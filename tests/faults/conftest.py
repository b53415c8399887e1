"""Servers that are easier to hurt."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.faults import tuned_server
from tests.support.server import RunningServer


def tuned(database_uri: str, folder: Path, constants: Mapping[str, object], **variables: str) -> RunningServer:
    """A server process with other constants, such as {"db.writer.QUEUE_MAX": 20}."""
    variables["TUNED"] = json.dumps(constants)
    return RunningServer(database_uri, folder, program=(str(Path(tuned_server.__file__)),), **variables)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """The file in which the eager server notes what its compaction does; see `tuned_server`."""
    file = tmp_path / "notes"
    file.write_bytes(b"-")
    return file


@pytest.fixture
def eager(database_uri: str, tmp_path: Path, notes: Path) -> Iterator[RunningServer]:
    """A server process that compacts all the time."""
    with tuned(database_uri, tmp_path, tuned_server.EAGER, TUNED_NOTES=str(notes)) as running:
        yield running
