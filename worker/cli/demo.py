"""``vecsink demo``: the main job on this machine, once, from a recording."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from tempfile import TemporaryDirectory

from worker.cli.errors import ExitCode, signal_exit
from worker.demo.demo import run
from worker.demo.engine import Stopped
from worker.demo.show import Show, console_for
from worker.runtime.signals import stopping_on_signals
from worker.telemetry.logs import set_up_logs


def demo() -> int:
    """Show it; returns the exit code.

    Raises:
        WorkerError: something failed, such as a library that is not installed.
    """
    set_up_logs("CRITICAL", "text", logging.NullHandler())
    logging.captureWarnings(capture=True)
    show = Show(console_for(sys.stdout))
    stop = threading.Event()
    with TemporaryDirectory(prefix="vecsink-demo-") as caches, stopping_on_signals(stop) as signals:
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", caches)  # else torch leaves a folder
        try:
            run(show, stop)
        except Stopped:
            show.stopped()
            return signal_exit(signals.received or signal.SIGINT)
    return ExitCode.OK
