"""``vecsink explain``: why a row is, or is not, in the index."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import orjson
from rich.console import Console

from worker.checks import CHECKS
from worker.cli.errors import ExitCode
from worker.cli.explain_object import as_object
from worker.cli.explain_report import print_report
from worker.cli.progress import record_progress
from worker.cli.worker_settings import worker_settings
from worker.clock import SystemClock
from worker.config.load import load
from worker.errors import ConfigError
from worker.explain.verdict import Kind, verdict_of
from worker.explain.wanted import Wanted
from worker.explaining import Explaining
from worker.index import Index
from worker.throttle.accounts import Accounts
from worker.treasury import Counting

if TYPE_CHECKING:
    from pathlib import Path

    from worker.explain.explanation import Explanation


def explain(  # noqa: PLR0913 - the options of a command
    path: Path,
    key: str,
    *,
    worker_file: Path | None,
    topic: str | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Look for a row everywhere and print what was found; returns the exit code.

    Raises:
        ConfigError: a file, KEY or ``--topic`` is wrong.
        RetriableError, FatalError: something does not answer, or refuses.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    wanted = Wanted.parse(key)
    worker = worker_settings(worker_file)
    connectors = load([path], worker=worker, checks=CHECKS).require()
    if len(connectors) != 1:
        raise ConfigError(f"{path} has {len(connectors)} connectors; explain takes a file with one")
    with (
        Index(connectors[0], Accounts(SystemClock()), Counting()) as index,
        Explaining(worker, connectors[0], index) as explaining,
    ):
        explainer = explaining.explainer
        ground = explainer.ground(topic)
        with record_progress(connectors[0].name, ground.offsets(limit)) as progress:
            found = explainer.explain(wanted, ground, limit, progress)
    _print(found, as_json=as_json)
    return ExitCode.RUNTIME if verdict_of(found).kind is Kind.NOT_FOUND else ExitCode.OK


def _print(found: Explanation, *, as_json: bool) -> None:
    if as_json:
        made = orjson.dumps(as_object(found), option=orjson.OPT_INDENT_2)
        sys.stdout.buffer.write(made + b"\n")
    else:
        print_report(found, Console())
