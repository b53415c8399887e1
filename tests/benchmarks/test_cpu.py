"""What a process and its children cost, read from the kernel, compared with what they say of themselves."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks import cpu

# Works a little, starts a child that works and stays and one that works and ends, then says what it took itself.
FAMILY = """
import subprocess, sys, time
WORK = "import time\\nwhile time.process_time() < 0.1: pass\\n"
exec(WORK)
stays = subprocess.Popen([sys.executable, "-c", WORK + "print(flush=True); input()"], stdout=-1, stdin=-1)
stays.stdout.readline()
subprocess.run([sys.executable, "-c", WORK])
print(stays.pid, time.process_time(), flush=True)
input()
"""


@pytest.fixture
def family() -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([sys.executable, "-c", FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        for pid in reversed(cpu.tree(process.pid)):
            subprocess.run(["kill", str(pid)], check=False)


def test_the_costs_of_children_count_whether_they_live_or_not(family: "subprocess.Popen[str]") -> None:
    assert family.stdout is not None
    child, own = family.stdout.readline().split()
    assert cpu.tree(family.pid) == [family.pid, int(child)]
    # Of the child that has ended the kernel keeps hundredths of a second.
    assert cpu.seconds(family.pid) >= float(own) + 0.1 + 0.09
    assert cpu.seconds(int(child)) >= 0.1
    assert cpu.seconds(family.pid) > cpu.seconds(int(child))
    assert cpu.memory(family.pid) > cpu.memory(int(child)) > 2**20


def test_a_process_that_has_ended_costs_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert cpu.seconds(process.pid) == 0
    assert cpu.memory(process.pid) == 0
    assert cpu.tree(process.pid) == [process.pid]
