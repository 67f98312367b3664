"""``vecsink run``: run connectors until stopped."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from worker.checks import CHECKS
from worker.cli.catching_up import catch_up
from worker.cli.errors import ExitCode, exit_code, signal_exit
from worker.cli.progress import display, totals
from worker.cli.summary import summary
from worker.config.load import load
from worker.config.load_worker import load_worker
from worker.errors import ConfigError, RetriableError
from worker.metering import Metering, published
from worker.runtime.collector import calm_collector
from worker.runtime.signals import stopping_on_signals
from worker.telemetry.logs import set_up_logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from worker.config.load_worker import LoadedWorker
    from worker.config.worker import WorkerConfig
    from worker.herding import Herd
    from worker.runtime.supervisor import RunningTask
    from worker.telemetry.exposition import Page

_LOOK_S = 0.2
_CLOSING_S = 15.0
"""To close what the tasks shared, after their end."""
_log = logging.getLogger(__name__)


def run(paths: Sequence[Path], *, worker_file: Path | None, until_caught_up: bool) -> NoReturn:
    """Run what the files say, and end the process.

    Raises:
        ConfigError: a file is wrong; nothing was started.
    """
    read = load_worker(worker_file)
    worker = read.require()
    if not paths and (until_caught_up or worker.settings.storage_topic is None):
        raise ConfigError("PATH: expected connector files or a folder, or config.storage.topic")
    calm_collector()
    if until_caught_up:
        shown = display()
        set_up_logs(worker.log_level, worker.log_format, shown.handler)
        _warn(read)
        connectors = load(paths, worker=worker, checks=CHECKS).require()
        code = catch_up(connectors, worker, shown)
    else:
        set_up_logs(worker.log_level, worker.log_format)
        _warn(read)
        files = [path for path in paths if not path.is_dir()]
        load(files, worker=worker, checks=CHECKS).require()
        code = _keep(worker, paths, ends_alone=_ends_alone(worker, paths))
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End at once, with everything said.

    The interpreter would wait for ever for a call that outlived the shutdown time-out, would give
    up a member's place in the group that is to be kept, and takes time to free what goes with the
    process anyway.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


def _warn(read: LoadedWorker) -> None:
    for problem in read.warnings:
        _log.warning("%s", problem)


def _ends_alone(worker: WorkerConfig, paths: Sequence[Path]) -> bool:
    """Whether nothing new can come: who started these files alone wants to know of their end."""
    return worker.settings.storage_topic is None and not any(path.is_dir() for path in paths)


def _keep(worker: WorkerConfig, paths: Sequence[Path], *, ends_alone: bool) -> int:
    """Keep all connectors running until a signal."""
    from worker.herding import Herd  # noqa: PLC0415 - who catches up keeps nothing

    stop = threading.Event()
    herd = Herd(worker, paths)
    began_s = time.monotonic()
    failed: list[RunningTask] = []
    metering = Metering(herd.running, herd.keeper.refused)
    with (
        stopping_on_signals(stop) as signals,
        published(metering) as pages,
        _answering(herd, worker, metering, pages),
    ):
        try:
            herd.start()
            while not stop.wait(_LOOK_S) and herd.keeper.failure is None:
                failed = herd.keeper.all_failed() if ends_alone else []
                if failed:
                    break
        finally:
            running = list(herd.running())
            ended = herd.stop(worker.shutdown_timeout_s + _CLOSING_S)
    budgets = {one.config.name: one.index.spent() for one, _ in running}
    tasks = [task for _, tasks in running for task in tasks]
    spent = {name: report for name, report in budgets.items() if report is not None}
    _log.info("%s", summary(totals(tasks), time.monotonic() - began_s, spent))
    if not ended:
        _log.error("Not all ended within shutdown.timeout.ms; what was not committed comes again.")
    if herd.keeper.failure is not None:
        return exit_code(herd.keeper.failure)
    if failed:
        return exit_code(failed[0].error) if failed[0].error else ExitCode.RUNTIME
    if signals.received is not None and not ended:
        return signal_exit(signals.received)
    return ExitCode.OK if ended else ExitCode.RUNTIME


@contextmanager
def _answering(
    herd: Herd, worker: WorkerConfig, metering: Metering, pages: Mapping[str, Page]
) -> Iterator[None]:
    """Within the block the REST API answers; an address that nobody chose may be taken.

    Raises:
        RetriableError: an address of ``listeners`` cannot be had.
        ConfigError: a certificate cannot be used.
    """
    from worker.attending import Attendant  # noqa: PLC0415 - not needed where nothing listens
    from worker.serving import serve  # noqa: PLC0415 - as above

    if not worker.listeners:
        yield
        return
    attendant = Attendant(worker, herd.herder, metering, herd.worker_id, herd.config)
    server = serve(herd.herder, worker, pages, attendant)
    try:
        server.start()
    except RetriableError as error:
        if worker.chose_listeners:
            raise
        _log.warning("Nobody can ask for anything over HTTP: set listeners (%s).", error)
        yield
        return
    attendant.start()
    try:
        yield
    finally:
        server.stop()
        attendant.close()
