"""What the start of a run leaves out; to be said before its modules are loaded."""

from __future__ import annotations

import sys

from worker.runtime.collector import hold_collector


def start_lean() -> None:
    """Load and collect nothing that a run does not need.

    httpx imports its own command line, with rich and pygments, wherever it can, and does without
    where it cannot.
    """
    hold_collector()
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be had
