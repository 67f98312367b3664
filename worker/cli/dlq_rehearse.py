"""``vecsink dlq replay --dry-run``: what a replay would do, while nothing is changed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.console import Console

from worker.cli.dlq_object import outlook_object, write
from worker.cli.dlq_replay_report import print_outlooks
from worker.cli.errors import ExitCode
from worker.cli.one_connector import one_connector
from worker.cli.progress import record_progress
from worker.clock import SystemClock
from worker.index import Index
from worker.throttle.accounts import Accounts
from worker.treasury import Counting
from worker.triage.outlook import in_order
from worker.triaging import dlq_topic_of, foresight_of, mailbox_of

if TYPE_CHECKING:
    from pathlib import Path

    from worker.triage.selection import Selection


def rehearse(
    path: Path, chosen: Selection, *, worker_file: Path | None, force: bool, as_json: bool
) -> int:
    """Look at what is meant.

    Raises:
        ConfigError: a file is wrong, or the connector has no dead-letter topic.
        RetriableError, FatalError: something does not answer, or refuses.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    worker, config = one_connector(path, worker_file, "dlq replay")
    topic = dlq_topic_of(config)
    with (
        mailbox_of(worker, config) as mailbox,
        Index(config, Accounts(SystemClock()), Counting()) as index,
        foresight_of(worker, config, index) as (foresight, _),
    ):
        ends = mailbox.ends()
        total = sum(one.log.length for one in ends.values())
        with record_progress(topic, total, unit="letters") as progress:
            found = mailbox.find(chosen, ends, progress)
        with record_progress("comparing", len(found.cases), unit="letters") as progress:
            outlooks = in_order(foresight.of(found.cases, force=force, progress=progress))
    if as_json:
        write(outlook_object(outlooks))
    else:
        print_outlooks(Console(), topic, outlooks)
    return ExitCode.OK
