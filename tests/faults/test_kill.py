"""A server killed under load, while it compacts, has kept everything it acknowledged, once."""

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.ledger import Ledger
from tests.faults.load import Load, make_runs, writers_for
from tests.faults.look import damage, faults, segments_and_chunks
from tests.support.server import RunningServer

WRITERS = 6
RUNS = 4
REQUESTS_PER_ROUND = 150
ROUNDS_PER_RUN = 5
"""Runs are replaced after so many rounds, so that they are compacted from the start again and reading stays quick."""

MICROSECONDS_MAX = 6_000
"""About as long as a part of compaction takes, with its commit."""

UNDER_WAY = b"c"


def compact(server: RunningServer) -> None:
    """Compact the database by the command, beside the server or without it."""
    command = [sys.executable, "-m", "minleaf_server", "db", "compact", "--data", str(server.folder / "data")]
    subprocess.run([*command, "--backend-store-uri", server.database_uri], check=True, capture_output=True, timeout=300)


def end_in_the_middle(server: RunningServer, notes: Path, number: int) -> bytes:
    """Kill the server, every second time while it compacts. Returns what the compaction did in that moment."""
    if number % 2:
        # The first comes for certain before the part is stored, the others may come while it is committed.
        microseconds = 1 if number == 1 else random.randrange(1, MICROSECONDS_MAX)
        notes.write_bytes(b"-" + str(microseconds).encode())
        server.wait()
    else:
        time.sleep(random.uniform(0.0, 0.1))
        server.kill()
    state = notes.read_bytes()[:1]
    notes.write_bytes(b"-")
    return state


def test_kill_under_load_and_compaction_loses_nothing_acknowledged(
    eager: RunningServer, notes: Path, pytestconfig: pytest.Config
) -> None:
    """Every round: some load, a kill, a start; then every request of the round is there once, or not at all."""
    met: Counter[str] = Counter()
    for number in range(pytestconfig.getoption("--rounds")):
        if number % ROUNDS_PER_RUN == 0:
            ledger = Ledger()
            writers = writers_for(make_runs(eager.url, RUNS), WRITERS, ledger)
        with Load([eager.url], writers) as load:
            load.wait_for(REQUESTS_PER_ROUND)
            state = end_in_the_middle(eager, notes, number)
        segments, chunks = segments_and_chunks(eager.database_uri)
        met.update(rounds=1, compacting=state == UNDER_WAY, segments_and_chunks=segments > 0 < chunks)
        eager.start()
        assert faults(eager.url, eager.database_uri, ledger) == []
        assert damage(eager.database_uri) == []
    eager.stop()
    compact(eager)
    eager.start()
    assert faults(eager.url, eager.database_uri, ledger) == []
    print("kills:", dict(met))
    # Else the kills miss what they are for.
    assert met["compacting"] > 0
    assert met["segments_and_chunks"] > 0


def test_sigterm_under_load_finishes_what_it_took(eager: RunningServer) -> None:
    """The server ends by itself with exit code 0, and nothing that it acknowledged is lost."""
    ledger = Ledger()
    with Load([eager.url], writers_for(make_runs(eager.url, 1), WRITERS, ledger)) as load:
        load.wait_for(REQUESTS_PER_ROUND)
        assert eager.stop() == 0
    eager.start()
    assert faults(eager.url, eager.database_uri, ledger) == []
    assert damage(eager.database_uri) == []
