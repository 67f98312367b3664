"""``vecsink dlq list``: what failed, why, and since when."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.console import Console

from worker.cli.dlq_object import list_object, write
from worker.cli.dlq_report import print_list
from worker.cli.errors import ExitCode
from worker.cli.one_connector import one_connector
from worker.cli.progress import record_progress
from worker.triage.tally import Tally
from worker.triaging import dlq_topic_of, mailbox_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from worker.letters.case import Case
    from worker.triage.selection import Selection


def list_letters(
    path: Path, chosen: Selection, *, worker_file: Path | None, limit: int, as_json: bool
) -> int:
    """Read all letters up to the present end, and print what was asked for.

    Raises:
        ConfigError: a file is wrong, or the connector has no dead-letter topic.
        RetriableError, FatalError: Kafka does not answer, or does not let us in.
    """
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    worker, config = one_connector(path, worker_file, "dlq list")
    topic = dlq_topic_of(config)
    with mailbox_of(worker, config) as mailbox:
        ends = mailbox.ends()
        total = sum(one.log.length for one in ends.values())
        with record_progress(topic, total, unit="letters") as progress:
            found = mailbox.find(chosen, ends, progress)
    whole, tally = Tally.of(found.all), Tally.of(found.cases)
    shown = newest(found.cases, limit)
    if as_json:
        write(list_object(config.name, topic, found, tally, shown))
    else:
        print_list(console := Console(), topic, whole, tally, shown)
        if found.strangers:
            others = f"{found.strangers:,} more records of {topic} are no letters of {config.name}."
            console.print(others, markup=False, highlight=False, soft_wrap=True)
    return ExitCode.OK


def newest(cases: Sequence[Case], limit: int) -> list[Case]:
    """So many at most, the newest first."""
    return sorted(cases, key=_age, reverse=True)[:limit]


def _age(case: Case) -> tuple[int, int]:
    return case.letter.came_ms or 0, case.letter.offset
