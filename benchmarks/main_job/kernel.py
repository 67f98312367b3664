"""What the kernel says about a process."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIB_PER_MIB = 1024


def cpu_s(pid: int) -> float:
    """CPU of all its threads so far.

    Raises:
        FileNotFoundError, ProcessLookupError: it has ended.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def peak_mib(pid: int) -> float:
    """The most memory that it has held; ``ru_maxrss`` would count what its parent held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return 0.0
