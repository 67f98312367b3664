"""``vecsink run --until-caught-up``: the present end of all topics, then an end with a summary."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from worker.build import assemblies
from worker.cli.errors import ExitCode, exit_code, signal_exit
from worker.cli.progress import totals
from worker.cli.summary import summary
from worker.metering import Metering, published
from worker.runtime.signals import stopping_on_signals
from worker.runtime.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.cli.progress import Display
    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig

_REFRESH_S = 0.2
_log = logging.getLogger(__name__)


def catch_up(connectors: Sequence[ConnectorConfig], worker: WorkerConfig, display: Display) -> int:
    """Run all tasks of these connectors here to their end; returns the exit code."""
    built = assemblies(worker, connectors)
    tasks = [spec for one in built for spec in one.specs(until_caught_up=True)]
    stop = threading.Event()
    supervisor = Supervisor(tasks, stop)
    began_s = time.monotonic()
    metering = Metering(lambda: [(one, supervisor.tasks_of(one.config.name)) for one in built])
    with stopping_on_signals(stop) as signals, published(metering):
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
    for one in built:
        one.close()
    failures = supervisor.failures
    if failures:
        return exit_code(failures[0].error) if failures[0].error else ExitCode.RUNTIME
    if signals.received is not None:
        return signal_exit(signals.received)
    return ExitCode.OK if ended else ExitCode.RUNTIME
