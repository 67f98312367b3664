"""``vecsink estimate``: what reading the topics to their present end will take."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import orjson
from rich.console import Console

from worker.checks import CHECKS
from worker.cli.errors import ExitCode
from worker.cli.estimate_report import Estimate, as_object, print_table
from worker.cli.progress import record_progress
from worker.cli.worker_settings import worker_settings
from worker.clock import SystemClock
from worker.config.load import load
from worker.embed.port import CountsTokens
from worker.errors import ConfigError, RetriableError
from worker.estimate.forecast import forecast
from worker.index import Index
from worker.surveying import Surveying, pace_of, purse_of
from worker.throttle.accounts import Accounts
from worker.treasury import Counting

if TYPE_CHECKING:
    from pathlib import Path

    from worker.config.connector import ConnectorConfig
    from worker.config.worker import WorkerConfig
    from worker.embed.port import Embedder
    from worker.source.port import SpanReader

_ASSUMED_MS = 500.0
"""Of one call of a provider over the internet, with full calls."""
_MILLISECOND = 0.001


def estimate(
    path: Path,
    *,
    worker_file: Path | None,
    sample: int | None,
    latency_ms: float | None,
    as_json: bool,
) -> int:
    """Read, count and print; returns the exit code. Nothing is written or embedded.

    Raises:
        ConfigError: a file is wrong, or there is no topic.
        RetriableError, FatalError: something does not answer, or refuses.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    worker = worker_settings(worker_file)
    connectors = load([path], worker=worker, checks=CHECKS).require()
    if len(connectors) != 1:
        raise ConfigError(
            f"{path} has {len(connectors)} connectors; estimate takes a file with one"
        )
    with Index(connectors[0], Accounts(SystemClock()), Counting()) as index:
        made = estimated(worker, connectors[0], index, sample=sample, latency_ms=latency_ms)
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(as_object(made), option=orjson.OPT_INDENT_2) + b"\n")
    else:
        print_table(made, Console())
    return ExitCode.OK


def estimated(  # noqa: PLR0913 - the options of a command
    worker: WorkerConfig,
    config: ConnectorConfig,
    index: Index,
    *,
    sample: int | None = None,
    latency_ms: float | None = None,
    reader: SpanReader | None = None,
) -> Estimate:
    """Read what the group has before it, and look at the index.

    Raises:
        ConfigError: there is no topic, or a budget in dollars without a price.
        RetriableError, FatalError: something does not answer, or refuses.
    """
    embedder = index.embedder
    purse, pace = purse_of(config, embedder), pace_of(embedder, _latency_s(embedder, latency_ms))
    with Surveying(worker, config, index, reader) as surveying:
        chosen = surveying.surveyor.plan(sample)
        if chosen is None:
            raise RetriableError(
                "none of the topics exists: see topics (or topics.regex) and bootstrap.servers"
            )
        with record_progress(config.name, chosen.chosen) as progress:
            found = surveying.surveyor.find(chosen, progress)
    return Estimate(
        config.name, found, forecast(found, pace, purse), pace, purse, surveying.meter.is_exact
    )


def _latency_s(embedder: Embedder, given_ms: float | None) -> float | None:
    """A model in this process is as fast as the machine, which nobody knows beforehand."""
    if given_ms is not None:
        return given_ms * _MILLISECOND
    return None if isinstance(embedder, CountsTokens) else _ASSUMED_MS * _MILLISECOND
