"""The worker's settings, for commands that look at a connector; slips are said at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from worker.config.load_worker import load_worker

if TYPE_CHECKING:
    from pathlib import Path

    from worker.config.worker import WorkerConfig


def worker_settings(file: Path | None) -> WorkerConfig:
    """Of the file and the environment; what is ignored of them goes to the standard error.

    Raises:
        ConfigError: one of them is wrong.
    """
    loaded = load_worker(file)
    config = loaded.require()
    for warning in loaded.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    return config
