"""What a process and all its children cost: CPU time and memory, as Linux counts them."""

import os
import time
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """The process and all its descendants that live."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def seconds(pid: int) -> float:
    """CPU time, user and system, that the process and its descendants have taken so far, the ended ones included.

    The kernel's clock of a process has the same time as `/proc/<pid>/stat`, but in nanoseconds instead of hundredths
    of a second. Of children that have ended there are only the hundredths.
    """
    total = 0.0
    for one in tree(pid):
        fields = _stat(one)
        if fields:
            total += (int(fields[13]) + int(fields[14])) / _TICK + _clock(one)
    return total


def memory(pid: int) -> int:
    """Bytes of memory of the process and its descendants; what several share is divided among them (PSS)."""
    return sum(_pss(one) for one in tree(pid))


def _stat(pid: int) -> list[str]:
    """The fields of `/proc/<pid>/stat` from the third on (state, parent, …); empty where the process has ended."""
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text[text.rindex(")") + 2 :].split()


def _clock(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the clock id that clock_getcpuclockid(3) makes
    except OSError:
        return 0.0


def _pss(pid: int) -> int:
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
