"""What the start of a run leaves out; to be said before its modules are loaded."""

from __future__ import annotations

import os
import sys

from worker.runtime.collector import hold_collector


def start_lean() -> None:
    """Load and collect nothing that a run does not need.

    httpx imports its own command line, with rich and pygments, wherever it can, and does without
    where it cannot. numpy brings OpenBLAS, whose threads spin for a while as soon as they are
    there; nothing here multiplies matrices with it (torch has its own).
    """
    hold_collector()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be had
