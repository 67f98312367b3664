"""``vecsink run``: run connectors until stopped, or until their topics' present end."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from rich.console import Console

from worker.build import assemblies
from worker.checks import CHECKS
from worker.cli.errors import ExitCode, exit_code, signal_exit
from worker.cli.progress import Bar, ConsoleHandler, Display, Lines, Silent, totals
from worker.cli.summary import summary
from worker.config.load import load
from worker.config.load_worker import load_worker
from worker.metering import Metering, published
from worker.runtime.collector import calm_collector
from worker.runtime.health import Health
from worker.runtime.signals import stopping_on_signals
from worker.runtime.supervisor import Supervisor
from worker.telemetry.logs import set_up_logs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.build import Assembly
    from worker.config.worker import WorkerConfig

_REFRESH_S = 0.2
_log = logging.getLogger(__name__)


def run(paths: Sequence[Path], *, worker_file: Path | None, until_caught_up: bool) -> int:
    """Run what the files say; returns the exit code.

    Raises:
        ConfigError: a file is wrong; nothing was started.
    """
    worker = load_worker(worker_file).require()
    connectors = load(paths, worker=worker, checks=CHECKS).require()
    console = Console(stderr=True)
    set_up_logs(worker.log_level, worker.log_format, ConsoleHandler(console))
    calm_collector()
    built = assemblies(worker, connectors)
    display = _display(console, until_caught_up=until_caught_up)
    code = _supervise(built, worker, display, until_caught_up=until_caught_up)
    for one in built:
        one.close()
    if threading.active_count() > 1:
        # A call that outlived the shutdown time-out; the interpreter would wait for it for ever.
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
    return code


def _display(console: Console, *, until_caught_up: bool) -> Display:
    if not until_caught_up:
        return Silent()
    return Bar(console) if console.is_terminal else Lines(console)


def _supervise(
    built: Sequence[Assembly], worker: WorkerConfig, display: Display, *, until_caught_up: bool
) -> int:
    tasks = [spec for one in built for spec in one.specs(until_caught_up=until_caught_up)]
    stop = threading.Event()
    supervisor = Supervisor(tasks, stop)
    began_s = time.monotonic()
    metering = Metering(built, supervisor.tasks)
    health = Health(lambda: supervisor.tasks, stop, worker.shutdown_timeout_s)
    with (
        stopping_on_signals(stop) as signals,
        published(worker, metering, health, listens=not until_caught_up),
    ):
        try:
            supervisor.start()
            while supervisor.is_running and not stop.wait(_REFRESH_S):
                display.update(supervisor.tasks)
        finally:
            ended = supervisor.stop(worker.shutdown_timeout_s)
            display.close()
    budgets = {one.config.name: spent for one in built if (spent := one.index.spent()) is not None}
    _log.info("%s", summary(totals(supervisor.tasks), time.monotonic() - began_s, budgets))
    if not ended:
        _log.error("Not all ended within shutdown.timeout.ms; what was not committed comes again.")
    failures = supervisor.failures
    if failures:
        return exit_code(failures[0].error) if failures[0].error else ExitCode.RUNTIME
    if signals.received is not None and (until_caught_up or not ended):
        return signal_exit(signals.received)
    return ExitCode.OK if ended else ExitCode.RUNTIME
