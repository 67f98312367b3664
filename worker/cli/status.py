"""``vecsink status``: how connectors stand, once or until Ctrl-C; works while no worker runs."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from typing import TYPE_CHECKING

import orjson
from rich.console import Console, Group
from rich.live import Live

from worker.checks import CHECKS
from worker.cli.errors import ExitCode
from worker.cli.status_report import as_objects, report
from worker.cli.worker_settings import worker_settings
from worker.config.load import load
from worker.errors import RetriableError
from worker.overseeing import overviews

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from worker.overview.look import Overview

_EVERY_S = 2.0


def status(
    paths: Sequence[Path], *, worker_file: Path | None, watch: bool, as_json: bool
) -> ExitCode:
    """Look at the connectors of these files.

    Raises:
        ConfigError: a file is wrong.
        RetriableError, FatalError: Kafka does not answer, or does not let us in.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    worker = worker_settings(worker_file)
    connectors = load(paths, worker=worker, checks=CHECKS).require()
    with overviews(worker, connectors) as watched:
        if watch:
            _watch(watched, as_json=as_json)
        elif as_json:
            _write(watched, indented=True)
        else:
            Console().print(_shown(watched))
    return ExitCode.OK


def _watch(watched: Sequence[Overview], *, as_json: bool) -> None:
    """Ctrl-C is its good end."""
    with contextlib.suppress(KeyboardInterrupt):
        if as_json:
            away = Console(stderr=True)
            again_and_again(lambda: _write(watched, indented=False), away)
        else:
            with Live(console=Console(), auto_refresh=False) as live:
                again_and_again(lambda: live.update(_shown(watched), refresh=True), live.console)


def again_and_again(show: Callable[[], None], console: Console) -> None:
    """An outage of the brokers is said, and waited for."""
    show()
    while True:
        time.sleep(_EVERY_S)
        try:
            show()
        except RetriableError as error:
            console.print(str(error), markup=False, highlight=False)


def _shown(watched: Sequence[Overview]) -> Group:
    return report([one.look() for one in watched])


def _write(watched: Sequence[Overview], *, indented: bool) -> None:
    """One object for all; a line each time with ``--watch``."""
    found = as_objects([one.look() for one in watched])
    sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_INDENT_2 if indented else 0))
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
